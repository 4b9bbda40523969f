"""Laws of different D that fit nearly equally well: Figure 13 of the paper, left (Appendix D)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.forms.simple import LAW
from syn2real.laws.methods.paper import given_coefficient
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve
from syn2real.report.figures.base import Look, draw_means, label_errors, measured_curves, small_panels

TITLE = "laws of nearly equal loss"
NEEDS = ("points",)

PAPERS = ({"D": 0.5, "alpha": 0.4, "C": 0.5}, {"D": 1.0, "alpha": 0.5, "C": 0.5})
"""The pair that the paper draws."""
STYLES = ({"color": "C3", "ls": "-"}, {"color": "C0", "ls": "--"})
SIZES = (1000, 64_000)
"""Between which the paper's pair is drawn, images."""


def draw(points: pd.DataFrame) -> Figure:
    """Draw the paper's pair of laws, and for each curve the best laws of the same two D.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.

    Returns
    -------
    Figure
        Panels in rows of four, log-log: the paper's example first, then a curve each with its mean errors,
        the law of D = 0.5 solid and that of D = 1 dashed; the root-mean-square of their log errors in the
        legend.
    """
    curves = measured_curves(points)
    figure, (first, *axes) = small_panels(1 + len(curves), 4.2, 3.8)
    for law, style in zip(PAPERS, STYLES, strict=True):
        _line(first, SIZES, law, style, "D = {D:g}, α = {alpha:g}, C = {C:g}".format(**law))
    first.set_title("the paper's example", fontsize="small")
    for ax, (curve, label) in zip(axes, curves, strict=True):
        _panel(ax, curve)
        ax.set_title(label, fontsize="small")
    for ax in (first, *axes):
        _format(ax)
    figure.supxlabel("pre-training images n")
    figure.supylabel("test error")
    return figure


def _panel(ax: Axes, curve: Curve) -> None:
    """Draw a curve's mean errors and the best law of each D."""
    means = pd.Series(curve.error, curve.n).groupby(level=0).mean()
    draw_means(ax, means, Look("black"), "_")
    for example, style in zip(PAPERS, STYLES, strict=True):
        alpha, gap = given_coefficient([curve], example["D"])
        law = {"D": example["D"], "alpha": float(alpha[0]), "C": float(gap[0])}
        misses = np.log(curve.error) - np.log(LAW.predict(law, Rows.at(curve.n)))
        text = "D = {D:g}, α = {alpha:.2f}, C = {C:.3f}".format(**law)
        loss = f"rmse {np.sqrt(np.mean(misses**2)):.2%}"
        _line(ax, (curve.n.min(), curve.n.max()), law, style, f"{text}\n{loss}")


def _line(
    ax: Axes, ends: tuple[float, float], law: dict[str, float], style: dict[str, str], label: str
) -> None:
    """Draw one law between two sizes."""
    grid = np.geomspace(*ends, 60)
    ax.plot(grid, LAW.predict(law, Rows.at(grid)), lw=1.6, label=label, color=style["color"], ls=style["ls"])


def _format(ax: Axes) -> None:
    """Use logarithms, with room for the legend above the curves."""
    ax.set(xscale="log", yscale="log")
    low, high = np.log(ax.get_ylim())
    ax.set_ylim(top=np.exp(high + 0.55 * (high - low)))
    label_errors(ax)
    ax.tick_params(axis="x", labelsize="x-small")
    ax.legend(fontsize="x-small", frameon=False, loc="upper right")
