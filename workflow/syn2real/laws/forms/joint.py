"""The simple law of all models at once: the transfer gap is a power of the model's size (§4.3)."""

from syn2real.laws.forms.base import Law


class Joint(Law):
    """D n^-α + B P^-φ, with P the model's parameters."""

    equation, source = "D n^-alpha + B P^-phi", "(1) with C of §4.3"
    terms = {"D": {"n": "alpha"}, "B": {"n_params": "phi"}}


LAW = Joint()
