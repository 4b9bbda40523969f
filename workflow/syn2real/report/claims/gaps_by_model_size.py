"""Do bigger models have a smaller transfer gap?"""

import numpy as np
import pandas as pd

from syn2real.laws.forms import size
from syn2real.laws.intervals import of_draws
from syn2real.laws.methods import by_model
from syn2real.laws.results import SEED
from syn2real.laws.table import read_curves
from syn2real.report.claims.base import Finding, judged

TITLE = "The transfer gap C falls with the model's size, as a power"
SOURCE = "§4.3, Figure 4"
PAPER = 'C of five ResNets falls in "a roughly power-law relationship" with their parameters, for both pairs.'
RULE = (
    "φ of C = B P^-φ, with what each C leaves open and how the C scatter about the line, averaged over "
    "pairs; agrees if it is above 0"
)
UNIT = "is φ"
NEEDS = ("points",)
MODELS = 3
"""Two always lie on a line."""


def judge(points: pd.DataFrame) -> Finding:
    """Fit the gap's power law to each pair, as figure model-size does."""
    curves, _ = read_curves(points, varies=("n_params",), allow_unfitted=True)
    fits = [
        by_model.fit_models(curve, size.LAW, pool=True, level=0.95)
        for curve in curves
        if size.LAW.why_not(curve) is None
    ]
    fits = [fit for fit in fits if len(fit.n_params) >= MODELS]
    if not fits:
        return Finding(f"No pair has {MODELS} models of known size with enough sizes n.")
    count = min(len(fit.phi) for fit in fits)
    drawn = [np.random.default_rng([SEED, i]).permutation(fit.phi)[:count] for i, fit in enumerate(fits)]
    above = sum(float(np.quantile(fit.phi, 0.025)) > 0 for fit in fits)
    gaps = "; ".join(" ".join(f"{np.median(f.draws.gap):.3g}" for f in fit.fits) for fit in fits)
    text = (
        f"{len(fits[0].n_params)} models; C by rising size, a pair each: {gaps}. φ is above 0 for {above} of "
        f"{len(fits)} pairs by itself."
    )
    return judged(text, of_draws(np.mean(drawn, axis=0)), 0.0)
