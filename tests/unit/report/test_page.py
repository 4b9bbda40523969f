"""What the report says in words follows from the fits, and never goes beyond them."""

import json
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest

from syn2real.laws.api import fit_table
from syn2real.report.page import write_advice
from syn2real.report.wording import estimate_text

EXPERIMENT = {
    "name": "e",
    "question": "Do <more> images help?",
    "target_error": 0.4,
    "max_images": 100_000,
    "costs": {"image": 0.1, "run": None},
    "stand_ins": ["stand-in"],
}


@pytest.fixture
def points() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    common = {"recipe": "r", "setting": "a", "ptask": "mulclass", "ftask": "sinclass", "target": "stand-in"}
    common |= {"model": "resnet18", "s": 60, "s_percent": 100.0}
    rows = [
        common | {"n": n, "seed": seed, "error": 2 * n**-0.5 + 0.3 + rng.normal(0, 0.003)}
        for n in (40, 80, 160, 320, 640, 1280)
        for seed in (0, 1)
    ]
    return pd.DataFrame(
        [*rows, common | {"setting": "none", "ptask": "none", "n": 0, "seed": 0, "error": 0.7}]
    )


def _advice(points: pd.DataFrame, tmp_path: Path, **changes: object) -> tuple[str, str]:
    fits = tmp_path / "fits.json"
    fits.write_text(json.dumps(fit_table(points, allow_unfitted=True)))
    files = {"markdown": "advice.md", "html": "advice.html", "data": "advice.json"}
    write_advice(
        points, fits, EXPERIMENT | changes, **{kind: tmp_path / name for kind, name in files.items()}
    )
    return (tmp_path / "advice.md").read_text(), (tmp_path / "advice.html").read_text()


def test_a_stand_in_is_called_one(points: pd.DataFrame, tmp_path: Path) -> None:
    text, page = _advice(points, tmp_path)
    assert "Rendered stand-in" in text and "not photographs" in text
    assert "Rendered stand-in" not in _advice(points, tmp_path, stand_ins=[])[0]
    assert "<table>" in page and "<more>" not in page.split("<body>")[0]


def test_arms_have_a_table_in_text_and_page(points: pd.DataFrame, tmp_path: Path) -> None:
    longer = points[points.n == 0].assign(ptask="mulclass", arm="photographs-longer", error=0.6)
    text, page = _advice(pd.concat([points.assign(arm="backbone"), longer]), tmp_path)
    assert "with photographs alone for as many updates 0.6" in text and "## Arms" in text
    assert 'aria-label="Arms"' in page and "against photographs alone, as many updates" in page
    text, page = _advice(longer, tmp_path)
    assert "Numbers" in text and "</html>" in page, "no curve, and no error"


def test_what_is_identified_is_said_with_its_interval(points: pd.DataFrame, tmp_path: Path) -> None:
    text, _ = _advice(points, tmp_path)
    assert "All parameters are identified by these points." in text
    alpha = json.loads((tmp_path / "fits.json").read_text())["curves"][0]["fit"]["params"]["alpha"]
    assert f"law fitted to 6 sizes; α = {estimate_text(alpha)}, C = " in text
    assert "2 seeds" in text and "no spread between renders" in text


def test_parameters_of_a_curve_that_no_law_describes_are_not_to_be_quoted(points, tmp_path: Path) -> None:
    text, _ = _advice(points.assign(error=1 - points["error"]), tmp_path)
    assert "is this an accuracy" in text and "Do not quote its parameters: α = " in text
    assert "identified by these points" not in text


def test_curves_are_named_by_what_sets_them_apart(points: pd.DataFrame, tmp_path: Path) -> None:
    text, _ = _advice(pd.concat([points, points.assign(s=600)]), tmp_path, target_error=None)
    assert "All curves: recipe r, setting a," in text
    assert text.count("- **s 60**: law fitted") == text.count("- **s 600**: law fitted") == 1


def test_too_few_sizes_are_no_fit_and_no_failure(points: pd.DataFrame, tmp_path: Path) -> None:
    text, _ = _advice(points[points["n"].isin([0, 40, 80])], tmp_path)
    assert "no fit: 2 distinct n above 0; a fit needs 3." in text


def test_without_a_target_error_there_is_no_verdict(points: pd.DataFrame, tmp_path: Path) -> None:
    text, _ = _advice(points, tmp_path, target_error=None)
    assert "there is no verdict" in text
    assert "Pre-training helps: with n = 1,280" in text, "whether it helps is known all the same"


def test_the_first_sentence_of_an_answer_is_whether_pre_training_helps(points, tmp_path: Path) -> None:
    text, _ = _advice(points, tmp_path)
    assert ": Pre-training helps: with n = 1,280 the error is " in text.split("## Numbers")[0]


def test_one_learning_rate_for_all_is_said_where_n_0_is_compared(points, tmp_path: Path) -> None:
    said = "At n = 0 another may be better"
    assert said in _advice(points, tmp_path)[0] and said in _advice(points.assign(rate=1.0), tmp_path)[0]
    assert said not in _advice(points[points.n > 0], tmp_path)[0]
    assert said not in _advice(points.drop(columns="recipe"), tmp_path)[0]
    rates = np.where(points.n == 0, 3.0, 1.0)
    assert said not in _advice(points.assign(rate=rates, arm="backbone"), tmp_path)[0]


def test_the_advice_is_data_too(points: pd.DataFrame, tmp_path: Path) -> None:
    text, _ = _advice(points, tmp_path)
    advised = json.loads((tmp_path / "advice.json").read_text())
    assert advised["target_error"] == 0.4 and advised["curves"][0]["verdict"].lower() in text.lower()
    _advice(points, tmp_path, target_error=None)
    assert json.loads((tmp_path / "advice.json").read_text())["curves"] == []


def test_the_first_page_of_the_report_opens_the_answer(tmp_path: Path) -> None:
    page = tmp_path / "laws/e/advice.html"
    page.parent.mkdir(parents=True)
    page.write_text("<noscript><ul><li>Render more.</li></ul></noscript>")
    template = (Path(__file__).parents[3] / "workflow/report/workflow.rst").read_text()
    results = {"Answer": {"": [SimpleNamespace(target="advice.html", path=page)]}}
    text = jinja2.Template(template).render(categories=results, files=[])
    assert "<li>Render more.</li>" in text.partition("This report shows")[0]
    assert f"app.setView({{content: 'html', contentPath: results['{page}'].data_uri}})" in text
