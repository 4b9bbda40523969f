"""What is measured of settings before any training: their complexity, and how far they are from targets."""

from collections.abc import Mapping

from syn2real.complexity.schema import Reference, TrainedReference
from syn2real.config.experiment import Experiment
from syn2real.data.targets.schema import Split
from syn2real.plan import runs


def complexity_files(e: Experiment) -> tuple[str, ...]:
    """Return the files that hold the complexity of an experiment's settings."""
    if e.complexity is None:
        return ()
    asked = e.complexity.model_dump() | {"n": e.complexity.images}
    return tuple(runs.COMPLEXITY.format(**asked, setting=setting) for setting in e.settings)


def targets_against(e: Experiment, references: Mapping[str, Reference]) -> tuple[tuple[str, Split], ...]:
    """Return the targets that an experiment fine-tunes on, or its reference's, and which images of each.

    They are those that are labelled, so that a test set stays unseen; but what the reference backbone has
    learnt from is no sample of new photographs to it, so that there the test set is taken. None where no
    complexity is measured.
    """
    reference = references[e.complexity.reference] if e.complexity else None
    if reference is None:
        return ()
    learnt = reference.target if isinstance(reference, TrainedReference) else None
    targets = dict.fromkeys([f.target for f in e.ftasks] or ([learnt] if learnt else []))
    return tuple((target, "test" if target == learnt else "train") for target in targets)
