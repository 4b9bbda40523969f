"""`syn2real check`: the plan of a configuration and what it costs, before anything is started."""

import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from syn2real.backbones.schema import RANDOM
from syn2real.complexity.schema import GivenReference
from syn2real.data.arms import BACKBONE
from syn2real.data.targets.schema import fold_of
from syn2real.plan.assets import downloads
from syn2real.plan.estimates import RECIPE, Estimate, Estimates, hours_text, read_finished, runs_of
from syn2real.plan.labels import labelled_images
from syn2real.plan.measure import measure
from syn2real.plan.measured import shard_hours
from syn2real.plan.missing import check_own_sizes, missing_blender, missing_data
from syn2real.plan.pilot import pilot_line
from syn2real.plan.plan import SPLITS, Plan
from syn2real.plan.read import load_named
from syn2real.plan.recipes import recipe_lines
from syn2real.plan.runs import Pretraining
from syn2real.plan.starts import starts_to_fetch
from syn2real.sentences import counted


def check_configuration(
    config: str | Path,
    experiments: Sequence[str] = (),
    *,
    recipe: bool = False,
    price: float | None = None,
    measuring: bool = False,
) -> int:
    """Validate a configuration and its data, and print its plan; nothing is written but what is measured.

    Parameters
    ----------
    config : str or Path
        The workflow's config.yaml.
    experiments : sequence of str
        Experiment files to check instead of those the configuration names, if any.
    recipe : bool
        Print all numbers of the recipes too; by default those in which a recipe differs from one it extends.
    price : float, optional
        Of an hour of a device: what training and rendering cost is printed.
    measuring : bool
        Time a few steps and views first.

    Returns
    -------
    int
        0, or 2 where data are there and wrong; what is not there yet is a warning.

    Raises
    ------
    InputError
        For the first mistake in the configuration.
    """
    plan = load_named(config, experiments)
    with tempfile.TemporaryDirectory() as folder:
        check_own_sizes(plan, Path(folder))
        data = missing_data(plan, Path(folder))
    if measuring:
        for line in measure(plan):
            print(line, flush=True)
    estimates = Estimates(plan, read_finished(runs_of(plan)), price)
    for name in plan.run:
        print("\n".join(plan_lines(plan, name, estimates)))
        if pilot := pilot_line(plan, name, estimates):
            print(pilot)
    for line in recipe_lines(plan, full=recipe):
        print(line)
    for name, measured in plan.measured.items():
        table = measured.measurements
        print(f"experiment {name}: {measured.question}\n  measured  {table.path or table.url}, no runs")
    if plan.run:
        print(f"in total, what is shared counted once: {_total(plan, estimates)}")
    for line in data.lines:
        print(line)
    for problem in data.problems:
        print(f"error: {problem}", file=sys.stderr)
    for problem in [*data.missing, *missing_blender(plan), *data.warnings]:
        print(f"warning: {problem}", file=sys.stderr)
    return 2 if data.problems else 0


def plan_lines(plan: Plan, name: str, estimates: Estimates) -> list[str]:
    """Return the lines that describe an experiment's plan: question, downloads, images, runs, hours."""
    record = plan.experiments[name]
    pretrainings, finetunings = record.pretrainings, record.finetunings
    lines = [f"experiment {name}: {record.asked.question}"]
    fetched = [*downloads(plan, name), *starts_to_fetch(plan, plan.run[name])]
    lines += [f"  fetch     {line}" for line in fetched]
    for setting in record.settings:
        verb = "import" if setting in plan.own_renders() else "render"
        lines.append(f"  {verb}    {setting}: {_images(plan, name, setting, estimates)}")
    lines += [f"  draw      {line}" for line in _draws(plan, name)]
    without = sum(run.pretraining.n == 0 for run in finetunings)
    ends = Counter((f.ftask, fold_of(f.target)[0], f.percent, f.arm) for f in finetunings)
    lines.append(f"  pretrain  {len(pretrainings)} runs, {estimates.text(map(estimates.of, pretrainings))}")
    lines.append(
        f"  finetune  {len(finetunings)} runs ({without} of them without pre-training, n = 0), "
        f"{estimates.text(map(estimates.of, finetunings))}"
    )
    if {*plan.run[name].initial} != {RANDOM}:
        lines.append(f"            from weights: {', '.join(plan.run[name].initial)}")
    for (ftask, target, percent, arm), count in sorted(ends.items()):
        note = ", a rendered stand-in" if plan.targets[target].stand_in else ""
        note += f", {percent:g} % of its labels" if percent else ", without its labels"
        note += "" if arm == BACKBONE else f", {arm}"
        lines.append(f"            {ftask} on {target}{note}: {counted(count, 'run')}")
    return lines + _complexity(plan, name, estimates)


def _complexity(plan: Plan, name: str, estimates: Estimates) -> list[str]:
    """Return the lines on the complexity of an experiment's settings and on its reference backbone."""
    e = plan.run[name]
    if e.complexity is None:
        return []
    reference = plan.references[e.complexity.reference]
    made, files = plan.reference_weights(e.complexity.reference), plan.experiments[name].complexities
    done = sum(Path(path).is_file() for path in files)
    line = f"  measure   complexity by {e.complexity.images:,} images a setting, "
    line += f"{done} of {len(files)} done already"
    if targets := [target for target, _ in plan.experiments[name].against]:
        line += f"; distances from {', '.join(targets)}"
    if isinstance(reference, GivenReference):
        return [line, f"            by {reference.model} with the weights {made}"]
    cost = estimates.text([_reference(plan, e.complexity.reference)])
    task = f"{reference.model} trained for {reference.ftask} on {reference.target}"
    return [line, f"            by {task}, {cost}{', done already' if Path(made).is_file() else ''}"]


def _reference(plan: Plan, name: str) -> Estimate:
    """Return the estimate of training a reference backbone."""
    reference = plan.trained_references()[name]
    section = plan.recipes[reference.recipe].section("finetune", reference.ftask, reference.model)
    values = section.model_dump() | {"passes": None} | plan.reference_recipe(name)
    section = section.model_validate(values)
    labels = labelled_images(plan, reference.target, reference.percent)
    return Estimate((section.with_labels(labels) if labels else section).hours(), RECIPE)


def _images(plan: Plan, name: str, setting: str, estimates: Estimates) -> str:
    """Return how many images of a setting are rendered or imported, and how many lie there already."""
    shards, done = _shards(plan, setting, [name])
    if setting in plan.own_renders():
        splits = plan.experiments[name].images[setting]
        used = f"{splits['train']:,} and {splits['val']:,} of your own images"
        return f"{used} for training and validation, in {shards} shards, {done} of them imported already"
    images = shards * _shard_images(plan, setting)
    disk = _disk(plan.needed_shards([setting], [name]))
    hours, source = shard_hours(plan, setting, estimates.measured)
    time = f", about {hours_text(shards * hours)} device hours of rendering (by {source})" if hours else ""
    return f"{images:,} images in {shards} shards, {done} of them rendered already{time}{disk}"


def _disk(shards: Collection[str]) -> str:
    """Return how much disk shards take in all, by the size of those that are there; empty without any."""
    sizes = [path.stat().st_size for path in map(Path, shards) if path.is_file()]
    return f", about {len(shards) * sum(sizes) / len(sizes) / 1e9:,.2f} GB in all" if sizes else ""


def _draws(plan: Plan, name: str) -> Iterator[str]:
    """Yield a line for each setting whose images are drawn: which pools are used, and for which n."""
    e = plan.run[name]
    measured = [e.complexity.images] if e.complexity else []
    for setting in e.settings:
        drawn = {n: pool for n in sorted({*e.sizes, *measured}) if n and (pool := plan.pool(setting, n))}
        largest = {pool["images"]: n for n, pool in drawn.items()}
        if largest:
            each = [f"n up to {n:,} from the pool of {size:,} images" for size, n in largest.items()]
            yield f"{setting}: {', '.join(each)} of {plan.source(setting)}"


def _shards(plan: Plan, setting: str, names: Iterable[str]) -> tuple[int, int]:
    """Return how many shards of a setting some experiments need, and how many of them are there."""
    shards = plan.needed_shards([setting], names)
    return len(shards), sum(Path(shard).is_file() for shard in shards)


def _shard_images(plan: Plan, setting: str) -> int:
    """Return how many images of a setting one shard holds."""
    return plan.images_of(setting).views * plan.images_of(setting).scenes_per_shard


def _total(plan: Plan, estimates: Estimates) -> str:
    """Return the cost of all experiments, what they share counted once; an estimate exists for training."""
    every = runs_of(plan)
    pretrainings = sum(isinstance(run, Pretraining) for run in every)
    asked = {e.complexity.reference for e in plan.run.values() if e.complexity}
    references = sorted(asked & set(plan.trained_references()))
    each = [estimates.of(run) for run in every] + [_reference(plan, name) for name in references]
    runs = f"{pretrainings} pre-trainings, {len(every) - pretrainings} fine-tunings"
    if references:
        runs += f", {len(references)} reference backbone{'s' if len(references) > 1 else ''}"
    parts = [*_total_images(plan), runs, f"training: {estimates.text(each)}"]
    return "; ".join([*parts, *_total_rendering(plan, estimates)])


def _total_rendering(plan: Plan, estimates: Estimates) -> Iterator[str]:
    """Yield the hours of rendering all settings, and their price, where they are known of some."""
    settings = plan.rendered(plan.settings)
    hours, unknown = 0.0, 0
    for setting in settings:
        each, _ = shard_hours(plan, setting, estimates.measured)
        hours += _shards(plan, setting, plan.experiments)[0] * (each or 0.0)
        unknown += each is None
    if hours:
        price = estimates.price
        cost = "" if price is None else f", {price * hours:,.2f} at {price:g} an hour"
        without = f" and {unknown} settings without an estimate" if unknown else ""
        yield f"rendering: about {hours_text(hours)} device hours{without}{cost}"


def _total_images(plan: Plan) -> list[str]:
    """Return how many images all experiments render, and how many of a user's own they use, if any."""
    records = plan.experiments.values()
    rendered = done = 0
    for setting in plan.rendered(plan.settings):
        shards, there = _shards(plan, setting, plan.experiments)
        rendered += shards * _shard_images(plan, setting)
        done += there * _shard_images(plan, setting)
    own = 0
    for setting in plan.own_renders(plan.settings):
        used = [record.images[setting] for record in records if setting in record.images]
        own += sum(max(splits[split] for splits in used) for split in SPLITS)
    parts = [f"{rendered:,} images to render, {done:,} of them rendered already"] if rendered else []
    return parts + ([f"{own:,} of your own images"] if own else [])
