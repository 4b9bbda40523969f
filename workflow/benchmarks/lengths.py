"""Whether a shorter recipe gives the same answer: one grid by a recipe and by parts of its length.

Question: do α, C, the order of the settings and the verdict survive a training that is 4, 10, 40 or 80 times
as short, in both stages?
Cost: the demo's runs with five seeds, times 1 + 1/4 + 1/10 + 1/40 + 1/80, and reading the data each time; by
default in two processes (``--jobs``). The demo's renders and target must be there (``make demo``).
Expected: unknown. Steps that are too few do not learn, and then nothing falls with n.

The grid is that of an experiment (config/experiments/demo.yaml): its settings, sizes, tasks and recipe, with
seeds 0 to 4; n = 0 is left out. A part of a length has its warm-up and the steps between evaluations
shortened alike. Runs that are finished lie below ``--out`` and are not done again. Each length has its own
fit: errors of two recipes never belong into one. Differences from the full length are paired: seeds are
drawn again, the same for both lengths, and both are fitted to them; the interval holds 95 % of the draws.

Run it with ``python workflow/benchmarks/lengths.py``.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.config.loading import read_yaml
from syn2real.files import read_json
from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.training.finetune import finetune
from syn2real.training.pretrain import pretrain

PARTS = (1, 4, 10, 40, 80)
"""How many times as short the trainings are."""
DRAWS = 200
"""Times that the seeds are drawn again."""


@dataclass(frozen=True)
class Task:
    """One point of the grid: what is pre-trained, then fine-tuned, and where both lie."""

    setting: str
    n: int
    seed: int
    part: int
    folder: Path


_GRID: list[tuple[Plan, str]] = []
"""The plan and the experiment of the points; forked processes inherit it, as a plan cannot be pickled."""


def run_point(task: Task) -> None:
    """Pre-train and fine-tune one point of the grid, unless it is there."""
    logging.disable(logging.INFO)
    (plan, name), *_ = _GRID
    e = plan.run[name]
    recipe = plan.recipes[e.recipe].shortened(1 / task.part)
    (ptask, *_), (model, *_), (f, *_) = e.ptasks, e.models, e.ftasks
    backbone, done = task.folder / "backbone.safetensors", task.folder / "pretrain.json"
    common = {"scratch": task.folder / ".scratch", "threads": recipe.threads}
    key = {"recipe": e.recipe, "setting": task.setting, "ptask": ptask, "model": model}
    key |= {"n": task.n, "seed": task.seed}
    n_val = plan.val_images(e.recipe, task.setting)
    if not done.exists():
        pretrain(
            key=key,
            recipe=recipe.resolve("pretrain", ptask, model),
            shards=[Path(shard) for shard in plan.shards(task.setting, "train", task.n)],
            val_shards=[Path(shard) for shard in plan.shards(task.setting, "val", n_val)],
            n=task.n,
            n_val=n_val,
            pool=plan.pool(task.setting, task.n),
            outputs={"backbone": backbone, "metrics": done, "curve": task.folder / "curve.csv"},
            **common,
        )
    percent = max(f.percents)
    if not (task.folder / "metrics.json").exists():
        finetune(
            key=key | {"ftask": f.task, "target": f.target, "s_percent": percent},
            recipe=recipe.resolve("finetune", f.task, model),
            target=plan.target_data(f.target),
            backbone=backbone,
            percent=percent,
            outputs={"metrics": task.folder / "metrics.json"},
            **common,
        )
        backbone.unlink()


def frame_of(tasks: list[Task]) -> pd.DataFrame:
    """Return the errors of finished points: part, setting, n, seed, error."""
    rows = [{"part": t.part, "setting": t.setting, "n": t.n, "seed": t.seed} for t in tasks]
    errors = [read_json(t.folder / "metrics.json")["error"] for t in tasks]
    return pd.DataFrame(rows).assign(error=errors)


def laws_of(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return α and C of each setting, with interval and status."""
    fits = fit_table(frame[["setting", "n", "seed", "error"]], allow_unfitted=True)
    return {c["curve"].get("setting", "all"): (c["fit"] or {"params": {}})["params"] for c in fits["curves"]}


def order_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the settings from the smallest mean error at the largest n to the greatest."""
    last = frame[frame.n == frame.n.max()].groupby("setting").error.mean()
    return tuple(last.sort_values().index)


def drawn(frame: pd.DataFrame, draws: int) -> list[tuple[tuple[str, ...], dict[str, dict[str, Any]]]]:
    """Return order and laws of the settings, with the seeds drawn again; the same for every length."""
    rng, seeds = np.random.default_rng(0), sorted(frame.seed.unique())
    found = []
    for _ in range(draws):
        chosen = enumerate(rng.choice(seeds, len(seeds)))
        again = pd.concat([frame[frame.seed == seed].assign(seed=k) for k, seed in chosen])
        found.append((order_of(again), laws_of(again)))
    return found


def paired(full: list[Any], short: list[Any]) -> dict[Any, Any]:
    """Return 95 % intervals of the differences of α and C, and how often the settings' order is the same."""
    changes: dict[tuple[str, str], list[float]] = {}
    for (_, first), (_, second) in zip(full, short, strict=True):
        for setting, name in product(first, ("alpha", "C")):
            if name in first[setting] and name in second.get(setting, {}):
                change = second[setting][name]["value"] - first[setting][name]["value"]
                changes.setdefault((setting, name), []).append(change)
    alike = sum(one[0] == other[0] for one, other in zip(full, short, strict=True)) / len(full)
    intervals = {key: tuple(np.percentile(values, [2.5, 97.5])) for key, values in changes.items()}
    return {"order": alike, **intervals}


def shown(params: dict[str, Any], name: str) -> str:
    """Return an estimate with its interval and status."""
    if name not in params:
        return "not fitted"
    low, high = (
        "open" if params[name][end] is None else f"{params[name][end]:.3g}" for end in ("lower", "upper")
    )
    return f"{params[name]['value']:.3g} [{low}, {high}] {params[name]['status']}"


def verdicts_of(frame: pd.DataFrame, target: float | None, largest: float) -> dict[str, str]:
    """Return the verdict on each setting; none without a target error."""
    if target is None:
        return {}
    columns = frame[["setting", "n", "seed", "error"]]
    advice = advise_table(columns, target_error=target, max_images=largest, allow_unfitted=True)
    return {c["curve"].get("setting", "all"): c["verdict"] or c["reason"] for c in advice["curves"]}


def report(frame: pd.DataFrame, target: float | None, largest: float, draws: int) -> None:
    """Print the answers of each length side by side, and their differences from the full length's."""
    full = drawn(frame[frame.part == 1], draws)
    print("| length | setting | fall | scatter | α | C | α - full | C - full | verdict |")
    print("|---|---|---:|---:|---|---|---|---|---|")
    notes = []
    for part, rows in frame.groupby("part"):
        laws, length = laws_of(rows), "full" if part == 1 else f"1/{part}"
        changes = paired(full, drawn(rows, draws)) if part != 1 else {}
        verdicts = verdicts_of(rows, target, largest)
        for setting, own in rows.groupby("setting"):
            means = own.groupby("n").error.mean()
            scatter = own.groupby("n").error.std().mean()
            cells = [length, setting, f"{means.iloc[0] - means.iloc[-1]:.3f}", f"{scatter:.3f}"]
            cells += [shown(laws.get(setting, {}), name) for name in ("alpha", "C")]
            for name in ("alpha", "C"):
                low, high = changes.get((setting, name), (np.nan, np.nan))
                cells.append("" if part == 1 else f"[{low:+.2g}, {high:+.2g}]")
            print("| " + " | ".join([*cells, verdicts.get(setting, "")]) + " |")
        share = f"; the full length's order in {changes['order']:.0%} of the draws" if changes else ""
        notes.append(f"{length}: settings from the best: {', '.join(order_of(rows))}{share}")
    print("\n" + "\n".join(notes))


def main() -> int:
    """Train what is missing, and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--experiment", default="config/experiments/demo.yaml")
    parser.add_argument("--parts", type=int, nargs="+", default=PARTS, help="times as short (with 1)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each point (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=DRAWS, help="draws of the seeds (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("results/lengths"), help="where the runs are kept")
    args = parser.parse_args()
    config = read_yaml("config/config.yaml") | {"experiments": [args.experiment]}
    plan = load_plan(config)
    (name, e), *_ = plan.run.items()
    needed = [Path(shard) for shard in plan.needed_shards(e.settings)]
    needed += [Path(plan.targets[f.target].path) for f in e.ftasks]
    if missing := [path for path in needed if not path.exists()]:
        print(f"error: {missing[0]} is not there; run the experiment first (make demo)", file=sys.stderr)
        return 2
    grid = product(e.settings, sorted(n for n in e.sizes if n), range(args.seeds), sorted({1, *args.parts}))
    tasks = [Task(s, n, k, p, args.out / f"{name}-{p}" / s / f"n{n}" / f"seed{k}") for s, n, k, p in grid]
    _GRID.append((plan, name))
    with multiprocessing.get_context("fork").Pool(args.jobs, maxtasksperchild=1) as pool:
        pool.map(run_point, tasks, chunksize=1)
    report(frame_of(tasks), e.target_error, e.max_images or 10 * max(e.sizes), args.draws)
    return 0


if __name__ == "__main__":
    sys.exit(main())
