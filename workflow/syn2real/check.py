"""`syn2real check`: the plan of a configuration and what it costs, before anything is started."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from syn2real.config.complexity import GivenReference
from syn2real.config.loading import read_yaml
from syn2real.config.plan import Plan, load_plan
from syn2real.config.runs import Finetuning, Pretraining
from syn2real.preflight import check_own_sizes, downloads, missing_blender, missing_data, wanted_shards


def check_configuration(config: str | Path, experiment: str | None = None) -> int:
    """Validate a configuration, print its plan, and warn of what a real run would miss.

    Parameters
    ----------
    config : str or Path
        The workflow's config.yaml.
    experiment : str, optional
        One experiment file to check instead of those the configuration names.

    Returns
    -------
    int
        0; a mistake in the files raises.

    Raises
    ------
    InputError
        For the first mistake in the configuration.
    """
    values = read_yaml(config)
    if experiment:
        values["experiment"] = experiment
    plan = load_plan(values, file=config)
    check_own_sizes(plan)
    for name in plan.experiments:
        print("\n".join(describe(plan, name)))
    for name, measured in plan.measured.items():
        table = measured.measurements
        print(f"experiment {name}: {measured.question}\n  measured  {table.path or table.url}, no runs")
    if len(plan.experiments) > 1:
        print(f"all experiments together, shared runs once: {_total(plan)}")
    for problem in [*missing_data(plan), *missing_blender(plan)]:
        print(f"warning: {problem}", file=sys.stderr)
    return 0


def describe(plan: Plan, name: str) -> list[str]:
    """Return the lines that describe an experiment's plan: question, downloads, images, runs, hours."""
    e = plan.experiments[name]
    pretrainings, finetunings = plan.pretrainings(name), plan.finetunings(name)
    lines = [f"experiment {name}: {e.question}"]
    lines += [f"  fetch     {line}" for line in downloads(plan, name)]
    for setting in plan.settings(name):
        verb = "import" if setting in plan.own_renders() else "render"
        lines.append(f"  {verb}    {setting}: {_images(plan, name, setting)}")
    scratch = sum(run.pretraining.n == 0 for run in finetunings)
    ends = Counter((f.ftask, f.target, f.percent) for f in finetunings)
    lines.append(f"  pretrain  {len(pretrainings)} runs, {_hours(plan, pretrainings, ())}")
    lines.append(
        f"  finetune  {len(finetunings)} runs ({scratch} of them from scratch, n = 0), "
        f"{_hours(plan, (), finetunings)}"
    )
    for (ftask, target, percent), count in sorted(ends.items()):
        note = ", a rendered stand-in" if plan.targets[target].stand_in else ""
        lines.append(f"            {ftask} on {target}{note}, {percent:g} % of its labels: {count} runs")
    return lines + _complexity(plan, name)


def _complexity(plan: Plan, name: str) -> list[str]:
    """Return the lines on the complexity of an experiment's settings and on its reference backbone."""
    e = plan.experiments[name]
    if e.complexity is None:
        return []
    reference = plan.references[e.complexity.reference]
    made, files = plan.reference_weights(e.complexity.reference), plan.complexities(name)
    done = sum(Path(path).is_file() for path in files)
    line = f"  measure   complexity by {e.complexity.images:,} images a setting, "
    line += f"{done} of {len(files)} done already"
    if isinstance(reference, GivenReference):
        return [line, f"            by {reference.model} with the weights {made}"]
    section = plan.recipes[reference.recipe].section("finetune", reference.ftask, reference.model)
    trained = section.model_validate(section.model_dump() | plan.reference_recipe(e.complexity.reference))
    cost = "an unknown time" if (hours := trained.hours()) is None else f"about {hours:,.2f} device hours"
    task = f"{reference.model} trained for {reference.ftask} on {reference.target}"
    return [line, f"            by {task}, {cost}{', done already' if Path(made).is_file() else ''}"]


def _images(plan: Plan, name: str, setting: str) -> str:
    """Return how many images of a setting are rendered or imported, and how many lie there already."""
    shards = {s for s in wanted_shards(plan, [name]) if s.startswith(f"results/renders/{setting}/")}
    done = sum(Path(shard).is_file() for shard in shards)
    if setting in plan.own_renders():
        wanted = plan.images_wanted(name, setting)
        used = f"{wanted['train']:,} and {wanted['val']:,} of your own images"
        return f"{used} for training and validation, in {len(shards)} shards, {done} of them imported already"
    images = len(shards) * plan.renderings[setting].views * plan.renderings[setting].scenes_per_shard
    return f"{images:,} images in {len(shards)} shards, {done} of them rendered already"


def _hours(plan: Plan, pretrainings: Iterable[Pretraining], finetunings: Iterable[Finetuning]) -> str:
    """Return the estimated hours of runs on one device, by their recipe."""
    costs = [plan.recipes[p.recipe].hours("pretrain", p.ptask, p.model) for p in pretrainings]
    costs += [
        plan.recipes[f.pretraining.recipe].hours("finetune", f.ftask, f.pretraining.model)
        for f in finetunings
    ]
    unknown = sum(cost is None for cost in costs)
    known = sum(cost for cost in costs if cost is not None)
    return f"about {known:,.2f} device hours" + (
        f" and {unknown} runs without an estimate" if unknown else ""
    )


def _total(plan: Plan) -> str:
    """Return the cost of all experiments, runs that they share counted once."""
    pretrainings = {run for name in plan.experiments for run in plan.pretrainings(name)}
    finetunings = {run for name in plan.experiments for run in plan.finetunings(name)}
    hours = _hours(plan, pretrainings, finetunings)
    return f"{len(pretrainings)} pre-trainings, {len(finetunings)} fine-tunings, {hours}"
