"""The effects of images n and labels s added up: the form that the paper argues against (§3.2)."""

from syn2real.laws.forms.base import Law


class Additive(Law):
    """A n^-α + B s^-β + C."""

    equation, source = "A n^-alpha + B s^-beta + C", "§3.2"
    terms = {"A": {"n": "alpha"}, "B": {"s": "beta"}, "C": {}}


LAW = Additive()
