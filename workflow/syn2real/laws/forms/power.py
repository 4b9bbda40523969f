"""A power of n without a transfer gap: the comparison of §4.4."""

from syn2real.laws.forms.base import Law


class Power(Law):
    """D n^-α."""

    equation, source = "D n^-alpha", "(1) with C = 0, §4.4"
    terms = {"D": {"n": "alpha"}}
    bounds = (1e-6, 5.0)  # in practice free: no fall is too slow for a straight line in logs


LAW = Power()
