"""The pilot of an experiment: runs that show which lengths of its recipe and which rates suit its arms."""

from collections.abc import Iterable
from itertools import product

from syn2real.config.experiment import Experiment
from syn2real.config.finetuning import FineTuning
from syn2real.data.arms import BACKBONE, LONGER, RENDERS_ONLY, Arm
from syn2real.data.targets.schema import PILOT_PARTS, fold_name
from syn2real.errors import InputError
from syn2real.plan.checks import check_passes
from syn2real.plan.estimates import Estimates, Run
from syn2real.plan.grid import arm_starts
from syn2real.plan.labels import split_images
from syn2real.plan.plan import Plan
from syn2real.plan.runs import Finetuning, Pretraining


def pilot_lengths(e: Experiment) -> dict[str, float]:
    """Return the lengths that a pilot tries, by the name of the recipe that has each, the shortest first."""
    return {_with(e, length=length).trained_by: length for length in sorted(e.pilot.lengths)}


def pretrain_lengths(e: Experiment) -> dict[str, float]:
    """Return the lengths of pre-training that a pilot tries, as `pilot_lengths` does of both stages."""
    tried = sorted(e.pilot.pretrain_lengths)
    return {_with(e, pretrain_length=length).trained_by: length for length in tried}


def add_pilot(plan: Plan, e: Experiment) -> None:
    """Add the recipes and the targets of an experiment's pilot to a plan's definitions."""
    for length in e.pilot.lengths:
        plan.add_recipe(_with(e, length=length))
    for length in e.pilot.pretrain_lengths:
        plan.add_recipe(_with(e, pretrain_length=length))
    for f in e.ftasks:
        plan.targets |= dict.fromkeys(_parts(e, f.target), plan.targets[f.target])


def pilot_runs(plan: Plan, name: str) -> list[Finetuning]:
    """Return the fine-tunings of an experiment's pilot: at its smallest and its largest n, by each length.

    Parameters
    ----------
    plan : Plan
        The definitions.
    name : str
        The experiment.

    Raises
    ------
    InputError
        The experiment has no runs, less than two sizes, or labels so few that nothing could be decided.
    """
    record = plan.experiments[name]
    e = record.asked
    if not isinstance(e, Experiment) or not record.finetunings:
        raise InputError("this experiment trains nothing, so it has no pilot; name another", file=record.file)
    sizes = sorted(n for n in e.sizes if n)
    if len(sizes) < 2:
        problem = "a pilot compares the smallest and the largest n above 0; give two sizes or more"
        raise InputError(problem, file=record.file, key="sizes")
    for f in e.ftasks:
        _check_labels(plan, e, f.target, record.file)
        check_passes(plan, e, f, _parts(e, f.target)[0])
    ends = [
        _with(e, sizes=(sizes[0], sizes[-1]), seeds=e.pilot.seeds, length=length)
        for length in e.pilot.lengths
    ]
    runs = sorted(
        Finetuning(start, f.task, target, percent, arm, f.rate(arm, start.n))
        for f, end in product(e.ftasks, ends)
        for arm, starts in arm_starts(end, f)
        if arm == _timed_arm(f)
        for start, target, percent in product(starts, _parts(e, f.target), f.percents)
    )
    if not runs:
        problem = "no arm here learns from renders and photographs, so a pilot has no lengths to compare"
        raise InputError(problem, file=record.file, key="ftasks.arms")
    return runs


def _timed_arm(f: FineTuning) -> str | None:
    """Return the arm that lengths are tried with: the usual one, else the first that learns from both."""
    learning = [name for name in f.arms if name not in (RENDERS_ONLY, LONGER)]
    return BACKBONE if BACKBONE in learning else next(iter(learning), None)


def rate_runs(plan: Plan, name: str) -> list[Finetuning]:
    """Return the fine-tunings that try learning rates: each arm's, at n = 0 and at the largest n."""
    e = plan.run[name]
    sizes = tuple(n for n in e.sizes if n in (0, max(e.sizes)))
    ends = _with(e, sizes=sizes, seeds=e.pilot.seeds)
    return sorted(
        {
            Finetuning(start, f.task, target, percent, arm, rate)
            for f in e.ftasks
            for arm, starts in arm_starts(ends, f)
            if arm != RENDERS_ONLY
            for start, target, percent, rate in product(
                starts, _parts(e, f.target), f.percents, e.pilot.rates
            )
        }
    )


def pretrain_length_runs(plan: Plan, name: str) -> list[Finetuning]:
    """Return the fine-tunings that try lengths of pre-training: after the largest n, by each start."""
    e = plan.run[name]
    ends = [
        _with(e, sizes=(max(e.sizes),), seeds=e.pilot.seeds, pretrain_length=length)
        for length in e.pilot.pretrain_lengths
    ]
    return sorted(
        Finetuning(start, f.task, target, percent, arm, f.rate(arm, start.n))
        for f in e.ftasks
        for end in ends
        for arm, starts in arm_starts(end, f)
        if Arm.named(arm).finetunes_renders
        for start, target, percent in product(starts, _parts(e, f.target), f.percents)
    )


def all_pilots(plan: Plan) -> list[Run]:
    """Return the runs of the pilots of all experiments, each once; raises as `pilot_runs`."""
    finetunings = {run for name in plan.experiments for run in _tried(plan, name)}
    return [*_pretrainings(finetunings), *sorted(finetunings)]


def _tried(plan: Plan, name: str) -> list[Finetuning]:
    """Return all fine-tunings of an experiment's pilot."""
    return [*pilot_runs(plan, name), *rate_runs(plan, name), *pretrain_length_runs(plan, name)]


def _pretrainings(finetunings: Iterable[Finetuning]) -> list[Pretraining]:
    return sorted({run.pretraining for run in finetunings if run.is_pretrained})


def _with(e: Experiment, **changes: object) -> Experiment:
    """Return an experiment with other values of some keys."""
    return e.model_copy(update=changes)


def _parts(e: Experiment, target: str) -> list[str]:
    """Return what a target is called in runs of a pilot, one name for each part that is tested on."""
    return [fold_name(target, part + 1, PILOT_PARTS, pilot=True) for part in range(e.pilot.parts)]


def _check_labels(plan: Plan, e: Experiment, target: str, file: str) -> None:
    """Raise InputError where a pilot would test on so few labelled images that nothing could be decided."""
    labels = split_images(plan, target, "train")
    tested, needed = labels * e.pilot.parts // PILOT_PARTS, e.pilot.fewest
    if labels and tested < needed:
        parts = f"test on all parts (pilot.parts: {PILOT_PARTS}), " if labels >= needed else ""
        problem = (
            f"{target} has {labels:,} labelled images, of which a pilot tests {tested:,}; below {needed:,} "
            f"no two lengths are known to be alike; label more, {parts}or allow more (pilot.tolerance)"
        )
        raise InputError(problem, file=file, key="pilot")


def pilot_line(plan: Plan, name: str, estimates: Estimates) -> str | None:
    """Return the line of `syn2real check` on what a pilot costs; None where none is possible or asked for."""
    try:
        finetunings = sorted({*_tried(plan, name)})
    except InputError as error:
        asked = "pilot" in plan.run[name].model_fields_set
        return f"  pilot     'snakemake pilot' refuses: {error}" if asked else None
    pretrainings = _pretrainings(finetunings)
    own = len({*pretrainings} & {*plan.experiments[name].pretrainings})
    e = plan.run[name]
    tried = {
        "lengths ": sorted(e.pilot.lengths),
        "pre-training x ": sorted(e.pilot.pretrain_lengths),
        "learning rates x ": e.pilot.rates,
    }
    texts = [what + ", ".join(f"{value:g}" for value in values) for what, values in tried.items() if values]
    shared = f" ({own} of them the experiment's own)" if own else ""
    every: list[Run] = [*pretrainings, *finetunings]
    return (
        f"  pilot     'snakemake pilot' would try {' and '.join(texts)}: {len(pretrainings)} pre-trainings"
        f"{shared}, {len(finetunings)} fine-tunings, {estimates.text(map(estimates.of, every))}"
    )
