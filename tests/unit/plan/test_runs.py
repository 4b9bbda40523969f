"""Every path of the workflow has one template; results/README.md says what lies there."""

from pathlib import Path

import pytest

from syn2real.plan import runs

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = {
    name: value
    for name, value in vars(runs).items()
    if isinstance(value, str) and value.startswith("results/") and value.count("/") > 1
}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_results_folder_says_what_lies_in_it(name: str) -> None:
    folder = TEMPLATES[name].split("/")[1]
    assert f"`{folder}/" in (ROOT / "results/README.md").read_text(encoding="utf-8")


def test_a_run_lies_where_its_names_say() -> None:
    start = runs.Pretraining("paper", "single", "semseg", "resnet18", 64, 3)
    assert start.folder == "results/pretrain/paper/single/semseg/resnet18/n64/seed3"
    run = runs.Finetuning(start, "objdet", "coco", 0.5)
    assert run.metrics == f"{start.folder.replace('pretrain', 'finetune')}/objdet-coco/s0.5/metrics.json"
