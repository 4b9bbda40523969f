"""All arms on one target go the whole way, and redo nothing of what is there."""

import json

import pandas as pd
from checkout import Checkout, failed_logs

NAME = "config/experiments/arms.yaml"
ARMS = "[backbone, whole, mixed-0.5, renders-only, photographs-longer]"
EXPERIMENT = f"""
name: arms
question: Does every arm go through the workflow?
cost: a minute
expected: every run finishes
recipe: smoke
settings: [smoke]
ptasks: [objdet]
ftasks: [{{task: objdet, target: smoke-stand-in-coco, percents: [100], arms: {ARMS}, rates: {{whole: 0.5}}}}]
models: [resnet18]
sizes: [0, 8]
"""
FOLDER = "results/finetune/smoke/{}/objdet/resnet18/{}/seed0/objdet-smoke-stand-in-coco/{}/metrics.json"
ADVICE, BOTH = "results/laws/arms/advice.md", "results/laws/arms/both-errors.csv"


def test_every_arm_is_measured_and_what_is_there_runs_once(reuse: Checkout) -> None:
    smoke = (reuse.folder / "config/experiments/smoke.yaml").read_text()
    (reuse.folder / NAME).write_text(EXPERIMENT + smoke[smoke.index("renderings:") :])
    call = ("--cores", "2", ADVICE, BOTH)
    answer = {"points": 1, "fit": 1, "advise": 1, "both_errors": 1}
    assert reuse.planned(*call, experiment=NAME) == {"finetune": 4} | answer
    done = reuse.snakemake(*call, experiment=NAME)
    assert done.returncode == 0, done.stdout + failed_logs(reuse.folder)
    paths = {
        "whole": FOLDER.format("smoke", "n8", "s100+whole+lr0.5"),
        "mixed-0.5": FOLDER.format("smoke", "n8", "s100+mixed-0.5"),
        "renders-only": FOLDER.format("smoke", "n8", "s0+renders-only"),
        "photographs-longer": FOLDER.format("none", "n0", "s100+photographs-longer"),
    }
    runs = {arm: json.loads((reuse.folder / path).read_text()) for arm, path in paths.items()}
    assert {arm: run["iterations"] for arm, run in runs.items()} == {
        "whole": 3, "mixed-0.5": 6, "renders-only": 0, "photographs-longer": 6
    }  # fmt: skip
    assert [run["key"]["arm"] for run in runs.values()] == list(runs)
    assert (runs["whole"]["recipe"]["lr"], runs["mixed-0.5"]["recipe"]["lr"]) == (0.0025, 0.005)
    assert {run["n_test"] for run in runs.values()} == {12}
    points = pd.read_csv(reuse.folder / "results/points/arms.csv", keep_default_na=False)
    assert len(points) == 6 and {*points["arm"]} == {"backbone", *runs}
    assert "mixed-0.5" in (reuse.folder / ADVICE).read_text(encoding="utf-8")
    assert {*pd.read_csv(reuse.folder / BOTH)["arm"]} == {"backbone", "whole", "renders-only"}  # pre-trained
    assert reuse.planned(*call, experiment=NAME) == {}
