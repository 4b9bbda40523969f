"""The transfer gap as a power of the model's size (§4.3, Figure 4), through the gaps of several models."""

from syn2real.laws.forms.base import Law
from syn2real.laws.table import FEWEST, Curve, split_models

METHOD = "by-model"
MODELS = 2  # that a line needs


class Size(Law):
    """C = B P^-φ, with C the gap of each model's simple law and P its parameters."""

    equation, source = "C = B P^-phi", "§4.3, Figure 4"
    terms = {"B": {"n_params": "phi"}}
    describes = "transfer gap"

    def missing(self, curve: Curve) -> str | None:
        """Say what the law needs that a curve of enough n does not have, or None."""
        enough = len(split_models(curve))
        short = f"{enough} model sizes with {FEWEST} distinct n; the {self.name} law needs {MODELS}"
        return None if enough >= MODELS else short


LAW = Size()
