"""Which points to fit: the smallest n to use, chosen by rolling-origin hold-out."""

from __future__ import annotations

import numpy as np

from syn2real.laws.batch import Batch


def choose_first(batch: Batch) -> np.ndarray:
    """Return the mask of the points to use, shape (B, m)."""
    return batch.used
