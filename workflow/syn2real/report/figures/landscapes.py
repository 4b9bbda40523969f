"""How well every pair (α, D) explains a curve: Figures 13, right, and 14 of the paper (Appendix D)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.landscape import ALPHA, COEFFICIENT, PUBLISHED_COEFFICIENT, landscape
from syn2real.laws.table import Curve
from syn2real.report.figures.base import measured_curves, small_panels

TITLE = "loss landscapes"
NEEDS = ("points",)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the loss left by the best C at each (α, D), a panel a curve: bright is small.

    A long bright valley is a curve whose points do not separate α from D. The dashed line is the paper's
    common D.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.

    Returns
    -------
    Figure
        Panels in rows of four.
    """
    curves = measured_curves(points)
    figure, axes = small_panels(len(curves), 3.6, 3.4)
    if not curves:
        figure.suptitle("no curve has three sizes")
    for ax, (curve, label) in zip(axes, curves, strict=False):
        _panel(ax, curve)
        ax.set_title(label, fontsize="small")
    figure.supxlabel("pre-training rate α")
    figure.supylabel("D")
    return figure


def _panel(ax: Axes, curve: Curve) -> None:
    """Draw one curve's landscape with its best place."""
    loss = landscape(curve)
    ax.pcolormesh(ALPHA, COEFFICIENT, np.log10(loss), cmap="viridis_r", shading="nearest", rasterized=True)
    row, column = np.unravel_index(loss.argmin(), loss.shape)
    ax.plot(ALPHA[column], COEFFICIENT[row], "*", color="white", mec="black", ms=11)
    ax.axhline(PUBLISHED_COEFFICIENT, color="white", ls="--", lw=1)
