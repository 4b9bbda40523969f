"""The fine-tuning runs of an experiment: the grid of each arm, after each pre-training and without one."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product

from syn2real.config.experiment import Experiment
from syn2real.config.finetuning import FineTuning
from syn2real.data.arms import BACKBONE, LONGER, RENDERS_ONLY, Arm
from syn2real.plan.runs import NONE, Finetuning, Pretraining


def grid(e: Experiment, tested: Callable[[str], Iterable[str]]) -> list[Finetuning]:
    """Return the runs of an experiment's arms, each once, sorted.

    Parameters
    ----------
    e : Experiment
        The experiment.
    tested : callable
        Returns what a target is called in its runs: its name, or one for each of its folds.
    """
    runs: set[Finetuning] = set()
    for f in e.ftasks:
        targets = [*tested(f.target)]
        for name, starts in arm_starts(e, f):
            percents = (0.0,) if name == RENDERS_ONLY else f.percents
            runs |= {
                Finetuning(start, f.task, target, percent, name, f.rate(name, start.n))
                for start, target, percent in product(starts, targets, percents)
            }
    return sorted(runs)


def arm_starts(e: Experiment, f: FineTuning) -> Iterator[tuple[str, list[Pretraining]]]:
    """Yield each arm with what its runs start from; n = 0 is one arm for all that lack the renders alike."""
    for name in f.arms:
        arm = Arm.named(name)
        ptasks = [ptask for ptask in e.ptasks if f.arm_follows(arm, ptask)]
        if name != LONGER:
            yield name, pretrainings(e, e.settings, ptasks, [n for n in e.sizes if n])
        if 0 in e.sizes:
            without, ptasks = (LONGER, ptasks) if arm.longer else (BACKBONE, [NONE])
            yield without, pretrainings(e, [NONE], ptasks, [0])


def pretrainings(
    e: Experiment, settings: Iterable[str], ptasks: Iterable[str], sizes: Iterable[int]
) -> list[Pretraining]:
    """Return pre-trainings of some settings, tasks and sizes, by all backbones, seeds and starts."""
    every = product([e.trained_by], settings, ptasks, e.models, sizes, e.seeds, e.initial)
    return [Pretraining(*names) for names in every]
