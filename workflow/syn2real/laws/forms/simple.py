"""The simple law (eq. 1): a power of the pre-training images n, and the transfer gap that no n takes away."""

from syn2real.laws.forms.base import Law

METHOD = "posterior"
"""What `--method default` is for this law; for a law that does not say, least squares."""


class Simple(Law):
    """D n^-α + C."""

    equation, source = "D n^-alpha + C", "(1)"
    terms = {"D": {"n": "alpha"}, "C": {}}


LAW = Simple()
