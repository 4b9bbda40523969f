"""What pages say of files and of fits is what the code has."""

import re
from pathlib import Path

import numpy as np

from syn2real.assets.lockfile import COLUMNS as LOCKED
from syn2real.laws import results
from syn2real.laws.bayes import bend, draws, grid, pooling, selection
from syn2real.laws.bayes.batch import WALKS
from syn2real.laws.forms.base import find_law
from syn2real.laws.forms.schema import method_of
from syn2real.plugins import names
from syn2real.report.claim_table import TABLE
from syn2real.report.pilot import CURVE as OF_PILOT
from syn2real.training.points import COLUMNS
from syn2real.training.run import CURVE

DOCS = Path(__file__).parents[3] / "docs"


def section(page: str, heading: str) -> str:
    """Return the text of a page below a heading, up to the next one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.split(r"\n#", text[text.index(f"# {heading}\n") :], maxsplit=1)[0]


def test_the_page_on_files_names_every_column() -> None:
    for heading, columns in {
        "`points/<experiment>.csv`": [*COLUMNS, "per_image"],
        "`laws/<experiment>/`": TABLE,
        "`pilot/<experiment>.csv`": [*OF_PILOT, "n", "length", "seeds", "images", "error", "difference"],
        "`curve.csv` of a training": CURVE,
        "`resources/downloads/lock.tsv`": LOCKED,
    }.items():
        text = section("files.md", heading)
        assert {*columns} <= {*re.findall(r"`([\w ]+)`", text)}, heading


def test_the_page_on_fits_has_every_law_and_its_method() -> None:
    rows = section("fits.md", "The laws").replace("α", "alpha").replace("β", "beta").replace("γ", "gamma")
    rows = rows.replace("δ", "delta").replace("φ", "phi")
    for name in names("laws.forms"):
        row = next(line for line in rows.splitlines() if line.startswith(f"| `{name}` |"))
        assert find_law(name).equation in row and row.endswith(f"| `{method_of(name)}` |")


def test_the_page_on_fits_has_every_prior() -> None:
    text = " ".join(section("fits.md", "The priors").split())
    low, high = np.exp(grid.ALPHA_CENTRE + np.array([-1.96, 1.96]) * grid.ALPHA_SPREAD)
    assert f"centre {np.exp(grid.ALPHA_CENTRE):.2f}, standard deviation {grid.ALPHA_SPREAD}" in text
    assert f"{low:.1f} to {high:.0f} with 95 %" in text
    assert f"with standard deviation {pooling.CENTRE_SPREAD}" in text
    assert _listed(pooling.SPREADS) in text and _listed(pooling.SPREAD_SHARE) in text
    (small, large), (few, more) = 100 * grid.NOISE, grid.NOISE_DF
    assert f"{small:g} % (counting for {few:g} degrees of freedom) or {large:g} % ({more:g} degrees)" in text
    share = np.exp(grid.LOG_WALK)
    steps, slopes = WALKS[:, 0] > 0, WALKS[:, 1] > 0
    assert f"none with probability {share[0]:.2g}" in text and len({*share[slopes].round(9)}) == 1
    assert f"variance {_listed(WALKS[steps, 0])} with {_listed(share[steps])}" in text
    assert f"variance {_listed(WALKS[slopes, 1])} with {share[-1]:.2g} each" in text
    assert f"κ = 0 with probability {bend.STRAIGHT}" in text
    assert f"else {_listed(bend.STEPS[1:], 'or')} times the smallest n" in text
    assert f"at most {bend.FARTHEST:g} times the largest n" in text


def test_the_page_on_fits_has_the_other_numbers() -> None:
    text = " ".join((DOCS / "fits.md").read_text(encoding="utf-8").split())
    fewest = selection.FEWEST + 1 + selection.BEYOND
    freedom = pooling.OWN_NOISE_DF + pooling.MOST_NOISE_DF
    for said in (
        f"{draws.DRAWS:,} draws",
        f"at most {freedom:g} degrees of freedom",
        f"counts for {pooling.WALK_WEIGHT:g} curves",
        f"counts for {bend.PRIOR_CURVES:g} curves",
        f"More than {pooling.MOST_CURVES:g} curves",
    ):
        assert said in text, said
    assert fewest == 8 and "at least eight sizes" in text
    statuses = (
        results.OK, results.FIXED, results.AT_BOUND, results.UNIDENTIFIED, results.PROVISIONAL,
        results.NOT_DESCRIBED, results.SETTLED, results.UNSETTLED,
    )  # fmt: skip
    assert all(f"`{status}`" in text for status in statuses)


def _listed(values: np.ndarray, last: str = "and") -> str:
    """Return numbers in words: `0.1, 0.5 and 2.5`."""
    *some, end = (f"{value:.3g}" for value in values)
    return f"{', '.join(some)} {last} {end}"
