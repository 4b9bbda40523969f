"""`snakemake theory`: planned beside everything else, run once as a whole."""

import json
import re

import pandas as pd
import pytest
from checkout import Checkout, failed_logs
from imports import checked_imports, record_imports

FILES = {"points.csv", "exponents.csv", "fits.json", "claims.md", "laws.svg", "network.svg", "exponents.svg"}


def _planned(checkout: Checkout) -> set[str]:
    done = checkout.snakemake("theory", "--dry-run", "--quiet", "progress")
    assert done.returncode == 0, done.stdout
    return {rule for rule in ("run_theory", "draw_theory") if re.search(f"^rule {rule}:", done.stdout, re.M)}


def test_a_mistake_in_its_file_is_one_line_with_code_2(checkout: Checkout) -> None:
    checkout.edit("config/theory/paper.yaml", "seed: 0\n", "sede: 0\n")
    done = checkout.snakemake("theory", "--dry-run")
    errors = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert done.returncode == 2 and "Traceback" not in done.stdout
    assert errors == ["error: config/theory/paper.yaml: sede: unknown key; did you mean 'seed'?"]


@pytest.mark.slow
def test_the_whole_experiment(checkout: Checkout) -> None:
    record_imports(checkout.folder)
    done = checkout.snakemake("theory", "--profile", "profiles/ci")
    assert done.returncode == 0, done.stdout + failed_logs(checkout.folder)
    folder = checkout.folder / "results/theory/paper"
    assert {path.name for path in folder.iterdir()} == FILES
    fits = json.loads((folder / "fits.json").read_text(encoding="utf-8"))
    assert max(rate["ratio"][1] for rate in fits["rates"]) < 1
    for entry in fits["laws"]:
        full, additive = (entry["fits"][law]["rms"] for law in ("full", "additive"))
        assert (additive < full) == (entry["update"] == "head"), entry["setting"]
    slopes = fits["network"]["slopes"]
    assert slopes["own"] < -0.8 and slopes["origin"] > -0.1
    table = pd.read_csv(folder / "exponents.csv")
    one_case = ~table.duplicated(["r0", "r1", "xi", "zeta"], keep=False)
    for name in ("nu", "beta", "lambda_s", "lambda_r0"):
        assert ((table[f"numerical_{name}"] / table[name] - 1)[one_case].abs() < 0.01).all()
    assert checked_imports(checkout.folder)[0] == {"run_theory", "draw_theory"}
    # An edit of the figures draws them again; one of the recursion runs everything again.
    figures = checkout.folder / "workflow/syn2real/report/theory/figures.py"
    figures.write_text(figures.read_text() + "\nEDITED = True\n")
    assert _planned(checkout) == {"draw_theory"}
    recursion = checkout.folder / "workflow/syn2real/theory/recursion.py"
    recursion.write_text(recursion.read_text() + "\nEDITED = True\n")
    assert _planned(checkout) == {"run_theory", "draw_theory"}
