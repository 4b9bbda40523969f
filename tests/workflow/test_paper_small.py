"""The paper in an afternoon: a cell of each of its six experiments, from renders to claims."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from checkout import ROOT, Checkout, failed_logs
from PIL import Image

CELLS = {
    "small-cross-task": -1,
    "small-landscapes": -1,  # the same run
    "small-full-law": 0,
    "small-model-size": -1,
    "small-million-scale": -1,  # the same run
    "small-complexity": 0,
}
"""Which tasks, settings and backbones are kept: the first or the last of each list."""
SMALL = [ROOT / f"config/experiments/small/{name.removeprefix('small-')}.yaml" for name in CELLS]
LENGTH = 0.02
SCENE = 4
"""Views of a scene: sizes are whole scenes."""
IMAGES = 10 * SCENE
"""Of a shard, a validation and a test; the stand-ins learn from 5 times as many, which show every object."""


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _cut(path: Path) -> None:
    """Leave one cell of an experiment, by trainings of a fiftieth of their length."""
    asked = _read(path)
    place = CELLS[asked["name"]]
    smallest = min(n for n in asked["sizes"] if n)
    ftask = asked["ftasks"][place]
    asked |= {key: [asked[key][place]] for key in ("settings", "models")}
    asked["ptasks"] = [[p for p in asked["ptasks"] if p in ftask.get("ptasks", [p])][place]]
    ftask.pop("ptasks", None)
    asked["ftasks"] = [ftask | {"percents": [100]}]
    asked |= {"sizes": [smallest], "seeds": asked["seeds"][:1], "length": LENGTH}
    del asked["paper"]  # the same figures by one method
    if "extrapolate_from" in asked:  # there must be a size to predict, and one to predict it from
        asked |= {"sizes": [smallest - SCENE, smallest], "extrapolate_from": smallest - 1}
    asked["figures"] = [figure for figure in asked["figures"] if figure in asked["paper_figures"]]
    for made in asked.get("stand_ins", {}).values():
        made |= {"train_images": 5 * IMAGES, "test_images": IMAGES}
    if "complexity" in asked:
        asked["complexity"]["images"] = smallest
        for reference in asked["references"].values():
            reference["images"] = 2 * IMAGES
    _write(path, asked)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the cells have run, by the call of `make paper-small`."""
    made = Checkout(tmp_path_factory.mktemp("small") / "checkout")
    for file in SMALL:
        _cut(made.folder / "config/experiments/small" / file.name)
    recipe = made.folder / "config/recipes/tiny.yaml"
    _write(recipe, _read(recipe) | {"validation_images": IMAGES})
    shared = made.folder / "config/renderings.yaml"
    settings = _read(shared)
    for name, setting in settings.items():
        if name.startswith("small-"):
            setting["scenes_per_shard"] = IMAGES // setting["views"]
    _write(shared, settings)
    shutil.copy(ROOT / "Makefile", made.folder)
    done = made.run("make", "--old-file=.venv/.installed", "RUN=env", "paper-small")
    assert done.returncode == 0, done.stdout + failed_logs(made.folder)
    return made


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_cell_of_each_experiment_runs_to_the_claims(answered: Checkout) -> None:
    points = {}
    for name in CELLS:
        points[name] = pd.read_csv(answered.folder / f"results/points/{name}.csv")
        assert len(points[name]) == (2 if name == "small-million-scale" else 1), name
        assert ((points[name]["error"] > 0) & (points[name]["error"] <= 1)).all(), points[name]
        assert (answered.folder / f"results/laws/{name}/advice.md").is_file()
    for one, other in (("cross-task", "landscapes"), ("model-size", "million-scale")):
        last = points[f"small-{other}"].tail(1).reset_index(drop=True)
        pd.testing.assert_frame_equal(points[f"small-{one}"], last, check_exact=True)
    # What two experiments share ran once.
    found = [*(answered.folder / "results/finetune").rglob("metrics.json")]
    keys = {json.dumps(json.loads(path.read_text())["key"], sort_keys=True) for path in found}
    assert len(found) == len(keys) == 5

    assert "# The paper's claims" in (answered.folder / "results/claims.md").read_text(encoding="utf-8")
    with Image.open(answered.folder / "results/figures/paper.png") as sheet:
        assert sheet.width > 1000
    report = (answered.folder / "results/paper-small.html").read_text(encoding="utf-8")
    assert "claims.html" in report and "paper.png" in report
