"""Images drawn from a pool: the shards are those of its setting, and a larger pool redoes nothing."""

import json

import pandas as pd
from checkout import Checkout, failed_logs

DRAWN = "config/experiments/drawn.yaml"
EXPERIMENT = """
name: drawn
question: Does a draw of single images go through the workflow?
cost: a minute
expected: every run finishes
recipe: smoke
settings: [smoke-images]
ptasks: [mulclass]
ftasks: [{task: sinclass, target: smoke-stand-in-imagenet, percents: [100]}]
models: [resnet18]
sizes: [0, 3]
complexity: {reference: smoke, images: 3, image_size: 48}
"""
POOL = "  smoke-images: {subset: images, of: smoke, pools: [8]}\n"
SEED = "results/{}/smoke/smoke-images/mulclass/resnet18/n3/seed0"
WANTED = (
    "results/points/drawn.csv",
    "results/complexity/smoke/pooled-48px/n3/smoke-images.json",
)


def _add(reuse: Checkout) -> None:
    """Write an experiment on draws from the smoke experiment's 8 images, with its definitions."""
    smoke = (reuse.folder / "config/experiments/smoke.yaml").read_text()
    definitions = smoke[smoke.index("references:") :].replace("renderings:\n", f"renderings:\n{POOL}")
    (reuse.folder / DRAWN).write_text(EXPERIMENT + definitions)


def test_draws_go_the_whole_way_and_a_larger_pool_redoes_nothing(reuse: Checkout) -> None:
    _add(reuse)
    new = {"pretrain": 1, "finetune": 1, "complexity": 1, "points": 1}
    assert reuse.planned("--cores", "1", *WANTED, experiment=DRAWN) == new
    done = reuse.snakemake("--cores", "2", *WANTED, experiment=DRAWN)
    assert done.returncode == 0, done.stdout + failed_logs(reuse.folder)
    run = json.loads((reuse.folder / SEED.format("pretrain") / "metrics.json").read_text())
    assert (run["n_train"], run["pool"]["of"], run["pool"]["images"]) == (3, "smoke", 8)
    measured = json.loads((reuse.folder / WANTED[1]).read_text())
    assert measured["images"] == 3 and measured["pool"] == {"images": 8, "of": "smoke"}
    points = pd.read_csv(reuse.folder / WANTED[0], keep_default_na=False)
    assert sorted(zip(points["setting"], points["n"], strict=True)) == [("none", 0), ("smoke-images", 3)]

    reuse.edit(DRAWN, "pools: [8]", "pools: [8, 16]")
    assert reuse.planned("--cores", "1", *WANTED, experiment=DRAWN) == {}
    reuse.edit(DRAWN, "sizes: [0, 3]", "sizes: [0, 3, 9]")
    more = {"render": 1, "pretrain": 1, "finetune": 1, "points": 1}
    assert reuse.planned("--cores", "1", *WANTED, experiment=DRAWN) == more
    # Another pool is another draw, also where it lies in the same shard.
    reuse.edit(DRAWN, "pools: [8, 16]", "pools: [6, 16]")
    assert reuse.planned("--cores", "1", *WANTED, experiment=DRAWN) == more | {
        "pretrain": 2,
        "finetune": 2,
        "complexity": 1,
    }
