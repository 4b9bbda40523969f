"""What `syn2real check --measure` predicts of a finished experiment, against what it took.

Question: can the hours of a plan be believed?
Cost: a minute on two idle cores, beside an experiment that is done.
Expected: within 20 % of the actual total, if the machine was as busy then as now.

Actual are the seconds that the runs recorded (metrics.json, without a process's start) and those of the
shards, by the images a second in their logs. Predicted are the same by measured steps and views alone:
finished runs, which `check` would read first, are left out. The seconds are the clock's: other programs on
the machine count. A shard's start is as measured on both sides. CPU seconds, which they hardly change, are
predicted too; of what it took they are not kept, so ``--cpu`` takes what ``time`` printed (user and sys).

Run it with ``python workflow/benchmarks/costs.py`` after ``make demo``.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from syn2real.plan.estimates import read_finished, runs_of
from syn2real.plan.measure import measure
from syn2real.plan.measured import measured_hours, read_measured, shard_hours, view_key
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_named
from syn2real.plan.runs import Pretraining


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", default="config/experiments/demo.yaml")
    parser.add_argument("--cpu", type=float, metavar="S", help="CPU seconds that it took in all")
    args = parser.parse_args()
    plan = load_named("config/config.yaml", [args.experiment])
    for line in measure(plan):
        print(line, flush=True)
    rows = [*trainings(plan), ("rendering", *rendering(plan))]
    rows.append(("in total", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    print(f"{'':14}{'predicted':>12}{'actual':>12}{'ratio':>8}")
    for name, predicted, actual in rows:
        ratio = f"{predicted / actual:8.2f}" if actual else f"{'':8}"
        print(f"{name:14}{predicted:10,.0f} s{actual:10,.0f} s{ratio}")
    cpu = cpu_seconds(plan)
    print(f"CPU in total  {cpu:10,.0f} s" + (f"{args.cpu:10,.0f} s{cpu / args.cpu:8.2f}" if args.cpu else ""))


def cpu_seconds(plan: Plan) -> float:
    """Return the CPU seconds predicted of the finished runs and shards."""
    finished, measured = read_finished(runs_of(plan)), read_measured()
    total = sum((measured_hours(plan, run, measured, "cpu_") or 0.0) * 3600 for run in finished)
    for setting in plan.rendered(plan.settings):
        view, value = measured.get("views", {}).get(view_key(plan, setting)), plan.images_of(setting)
        count = sum(Path(shard).is_file() for shard in plan.needed_shards([setting]))
        images = value.views * value.scenes_per_shard
        total += count * (view["cpu_start"] + images * view["cpu_seconds"]) if view else 0.0
    return total


def trainings(plan: Plan) -> Iterable[tuple[str, float, float]]:
    """Yield name, predicted and actual seconds of the finished pre-trainings and fine-tunings."""
    finished, measured = read_finished(runs_of(plan)), read_measured()
    for name, first in (("pre-trainings", True), ("fine-tunings", False)):
        done: dict[Any, Any] = {r: m for r, m in finished.items() if isinstance(r, Pretraining) is first}
        predicted = sum((measured_hours(plan, run, measured) or 0.0) * 3600 for run in done)
        yield name, predicted, sum(metrics["seconds"] for metrics in done.values())


def rendering(plan: Plan) -> tuple[float, float]:
    """Return predicted and actual seconds of the finished shards."""
    predicted = actual = 0.0
    measured = read_measured()
    for setting in plan.rendered(plan.settings):
        count = sum(Path(shard).is_file() for shard in plan.needed_shards([setting]))
        if not count:
            continue
        took, source = shard_hours(plan, setting, measured)
        expected, _ = shard_hours(plan, setting, measured, logs=False)
        if source == "finished shards" and expected:
            actual += count * (took or 0.0) * 3600
            predicted += count * expected * 3600
    return predicted, actual


if __name__ == "__main__":
    main()
