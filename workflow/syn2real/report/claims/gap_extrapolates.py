"""Does a law with a transfer gap forecast larger n better than a pure power law?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.forms.schema import GENERAL
from syn2real.laws.intervals import FEWEST_CLUSTERS, ratio_of_misses
from syn2real.laws.table import rows_of
from syn2real.report.claims.base import Finding, judged

TITLE = "The law extrapolates better than a pure power law"
SOURCE = "§4.4, Figure 5"
PAPER = (
    "Fitted below 64,000 images, the law misses the larger sizes' errors by 0.0024, 0.0016 and 0.0017 "
    "(root mean square, three models), a power law by 0.0099, 0.0074 and 0.0091: 0.24, 0.22 and 0.19 "
    "times."
)
RULE = (
    "both fitted by least squares to the sizes below extrapolate_from; the ratio of their "
    "root-mean-square errors above it, its interval by leaving out one curve at a time, or one size "
    "where curves are fewer than three; agrees if it is below 1"
)
UNIT = "times the power law's error of forecast"
NEEDS = ("points", "extrapolation")


def judge(points: pd.DataFrame, extrapolation: Mapping[str, Any]) -> Finding:
    """Compare the forecasts of the two laws with the errors measured above the fitted sizes."""
    found: dict[str, dict[tuple[str, float], float]] = {"simple": {}, "power": {}}
    for entry in extrapolation["curves"]:
        if entry["method"] != GENERAL or entry["fit"] is None or entry["law"] not in found:
            continue
        mine = points[rows_of(points, entry["curve"]) & (points["n"] > extrapolation["start"])]
        means = mine.groupby("n")["error"].mean()
        for row in entry["predictions"]:
            if row["n"] in means.index:
                miss = row["error"] - float(means[row["n"]])
                found[entry["law"]][str(entry["curve"]), row["n"]] = miss
    places = [place for place in found["simple"] if place in found["power"]]
    if not places:
        return Finding("No curve has forecasts of both laws and errors to hold them to.")
    one, two = (np.array([found[law][place] for place in places]) for law in ("simple", "power"))
    curves = [curve for curve, _ in places]
    names = [*dict.fromkeys(curves)]
    rms = {
        name: [float(np.sqrt(np.mean(misses[[c == name for c in curves]] ** 2))) for misses in (one, two)]
        for name in names
    }
    nearer = sum(first < second for first, second in rms.values())
    shown = ", ".join(f"{first:.2g} : {second:.2g}" for first, second in [*rms.values()][:6])
    text = (
        f"The law with C is nearer in {nearer} of {len(names)} curves; root-mean-square errors, law : power "
        f"law: {shown} ({len(places)} sizes above {extrapolation['start']:,.0f} in all)."
    )
    clusters = curves if len(names) >= FEWEST_CLUSTERS else places
    return judged(text, ratio_of_misses(one, two, clusters), 1.0, above=False)
