"""Measurements that exist already: every law and every figure, from a table at hand or from a provider's."""

import hashlib
import itertools
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT, Checkout, failed_logs
from provider import Provider, Served

from syn2real.laws.convert import PUBLISHED
from syn2real.report.verify import verify_bundle

pytestmark = pytest.mark.slow  # a minute of CPU time

MINE = "measured.yaml"
CLAIMS = {"law-holds": "agrees", "full-beats-additive": "agrees", "gap-extrapolates": "agrees"}
"""Claims that are asked of the table, and what its known law makes of them."""
FIGURES = [
    "curves", "parameters", "linearised", "full-law", "model-size", "extrapolation", "landscapes",
    "equal-loss", "scenarios",
]  # fmt: skip
LAWS = (
    "fits.json", "fits.csv", "full.json", "size.json", "extrapolation.json", "extrapolation.csv", "advice.md",
    "advice.html", "advice.json", "claims.json", "claims.csv", "paper/simple.json", "paper/full.json",
    "paper/size.json",
)  # fmt: skip
ALPHA, BETA, PHI, GAP = 0.5, 0.1, 0.2, 0.3
MILLIONS = {"18": 11.4, "50": 23.9, "101": 42.8}
SHARES = {12812: 1, 204987: 16}
"""Labelled images → percent of ImageNet's training set."""


def _factor(model: str, percent: float) -> float:
    """Return by how much a bigger backbone and more labelled images lower the errors."""
    return percent**-BETA * (MILLIONS[model] / MILLIONS["18"]) ** -PHI


def _table() -> bytes:
    """Return a table in the published columns, made by a known law with 1 % noise, two evaluations a run."""
    rng, rows = np.random.default_rng(0), []
    for model, percent in itertools.product(MILLIONS, SHARES.values()):
        for n in (1000, 2000, 4000, 8000, 16000, 32000, 64000):
            error = (GAP + 8 * n**-ALPHA) * _factor(model, percent) * np.exp(rng.normal(0, 0.01))
            run = (n, "64k", "mulclass", "imagenet", percent, "sinclass", f"r{model}", MILLIONS[model], "bop")
            rows += [(1000, 1 - 1.1 * error, *run), (2000, 1 - error, *run)]
    return pd.DataFrame(rows, columns=list(PUBLISHED)).to_csv(index=False).encode()


TABLE = _table()


def _ask(checkout: Checkout, **source: str) -> None:
    """Write the experiment that puts all questions to a table."""
    question = {"name": "measured", "question": "q?", "cost": "none", "expected": "a law", "figures": FIGURES}
    advised = {"target_error": 0.25, "max_images": 200_000, "costs": {"image": 1, "run": 100}}
    both = {"extrapolate_from": 20000, "paper": {"fix_D": 8.0}, "claims": list(CLAIMS)}
    asked = question | advised | both | {"measurements": source}
    (checkout.folder / MINE).write_text(yaml.safe_dump(asked), encoding="utf-8")


def _run(checkout: Checkout, hash_seed: int, *arguments: str) -> subprocess.CompletedProcess:
    """Run the experiment where sets have another order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONHASHSEED", str(hash_seed))
        return checkout.snakemake("--profile", "profiles/ci", *arguments, experiment=MINE)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The experiment on a table at hand, run to its end."""
    made = Checkout(tmp_path_factory.mktemp("measured") / "checkout")
    (made.folder / "table.csv").write_bytes(TABLE)
    _ask(made, path="table.csv")
    done = _run(made, 1)
    assert done.returncode == 0, done.stdout + failed_logs(made.folder)
    return made


def _fitted(checkout: Checkout, law: str) -> list[dict]:
    """Return an entry for each curve of a law that was fitted."""
    curves = json.loads((checkout.folder / f"results/laws/measured/{law}.json").read_text())["curves"]
    assert curves and all(curve["fit"] for curve in curves), law
    return curves


def _holds(interval: dict, value: float) -> bool:
    """Say whether a parameter is identified, and a value lies within its interval."""
    return interval["status"] == "ok" and interval["lower"] <= value <= interval["upper"]


def test_a_table_at_hand_is_answered_with_every_law_and_figure(answered: Checkout) -> None:
    simple = _fitted(answered, "fits")
    for curve in simple:
        label, params = curve["curve"], curve["fit"]["params"]
        gap = GAP * _factor(label["model"].removeprefix("resnet"), SHARES[label["s"]])
        assert _holds(params["alpha"], ALPHA) and _holds(params["C"], gap), label
    assert [_holds(curve["fit"]["params"]["beta"], BETA) for curve in _fitted(answered, "full")] == [True] * 3
    # Three backbones do not identify phi for the noisier of two curves.
    phis = [curve["fit"]["params"]["phi"] for curve in _fitted(answered, "size")]
    assert _holds(phis[0], PHI) and phis[1]["status"] == "unidentified"
    assert {c["fit"]["params"]["D"]["value"] for c in _fitted(answered, "paper/simple")} == {8.0}
    assert [c["method"] for law in ("full", "size") for c in _fitted(answered, f"paper/{law}")] == [
        "paper"
    ] * 5
    forecasts = [c for c in _fitted(answered, "extrapolation") if c["method"] == "least-squares"]
    missed = {(c["law"], *c["curve"].values()): c["rmse"] for c in forecasts}
    for law, *curve in missed:
        assert missed["simple", *curve] <= missed[law, *curve] < 0.05
    judged = json.loads((answered.folder / "results/laws/measured/claims.json").read_text())["claims"]
    assert {claim["claim"]: claim["verdict"] for claim in judged} == CLAIMS
    assert "agrees" in (answered.folder / "results/claims.md").read_text(encoding="utf-8")
    drawn = answered.folder / "results/figures/measured"
    assert sorted(path.stem for path in drawn.glob("*.svg")) == sorted(FIGURES)
    assert sorted(path.stem for path in drawn.glob("*.png")) == sorted(FIGURES)
    assert _run(answered, 1).stdout.count("Nothing to be done") == 1


def test_a_fetched_table_in_another_clone_gives_the_same_bytes(answered: Checkout, tmp_path: Path) -> None:
    other = Checkout(tmp_path / "another place" / "clone")
    wanted = [f"results/laws/measured/{file}" for file in LAWS]
    with Provider() as provider:
        provider.files["/table.csv"] = Served(TABLE)
        source = {"url": f"{provider.url}/table.csv"}
        wrong = hashlib.sha256(b"another table").hexdigest()
        _ask(other, **source, sha256=wrong)
        refused = _run(other, 2, *wanted)
        assert refused.returncode != 0 and not (other.folder / "results/points").exists()
        log = (other.folder / f"results/logs/fetch-measurements/{wrong}.log").read_text(encoding="utf-8")
        [line] = [line for line in log.splitlines() if line.startswith("error:")]
        assert f"the experiment says {wrong}" in line and source["url"] in line
        _ask(other, **source, sha256=hashlib.sha256(TABLE).hexdigest())
        done = _run(other, 2, *wanted)
    assert done.returncode == 0, done.stdout + failed_logs(other.folder)
    for file in [*wanted, "results/points/measured.csv"]:
        assert (other.folder / file).read_bytes() == (answered.folder / file).read_bytes(), file


def test_a_bundle_is_made_with_the_experiments_own_report(answered: Checkout) -> None:
    shutil.copy(ROOT / "Makefile", answered.folder)
    done = subprocess.run(
        ["make", "--old-file=.venv/.installed", "RUN=env", "bundle", f"EXPERIMENT={MINE}"],
        cwd=answered.folder,
        env=answered.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bundle = answered.folder / "results/bundles/measured.zip"
    count, problems = verify_bundle(bundle)
    assert (count > len(LAWS) + 2 * len(FIGURES), problems) == (True, [])
    with zipfile.ZipFile(bundle) as archive:
        report = archive.read("results/reports/measured.html").decode()
    assert "results/laws/measured/advice.html" in report
    assert "The law extrapolates better than a pure power law" in report, "it opens with the table"
    assert all(f"results/figures/measured/{figure}.svg" in report for figure in FIGURES)
