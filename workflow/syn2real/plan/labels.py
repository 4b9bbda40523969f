"""How many labelled images a fine-tuning learns from, as far as that is known before it starts."""

from functools import cache

from syn2real.data.coco_format import read_header
from syn2real.data.image_files import images_below
from syn2real.data.targets.schema import Split, Target, cut_splits, fold_of
from syn2real.errors import InputError
from syn2real.plan.plan import Plan

SCANS = 1_797
"""Of handwritten digits in scikit-learn."""


def labelled_images(plan: Plan, target: str, percent: float = 100) -> int | None:
    """Return about how many images a share of a target's training set has; None where that is not known.

    A rendered stand-in and a target of scans have as many as they ask for; else the target's `counts` say
    it, or its files, where they are there.
    """
    _, fold, folds = fold_of(target)
    counts = [split_images(plan, target, split) for split in (cut_splits(target) if fold else ("train",))]
    total = sum(counts) if all(counts) else 0
    if fold:
        total = total * (folds - 1) // folds
    return max(1, round(total * percent / 100)) if total else None


def split_images(plan: Plan, target: str, split: Split) -> int:
    """Return the images of a target's split; 0 where that is not known."""
    stand_in, value = plan.stand_in_of(target), plan.targets[target]
    if stand_in is not None:
        made = plan.stand_ins[stand_in]
        return made.train_images if split == "train" else made.test_images
    if value.scans is not None:
        labels = 10 * value.scans.labels
        return labels if split == "train" else SCANS - labels
    return value.counts.get(split) or _in_files(value.model_dump_json(exclude={"description"}), split)


@cache
def _in_files(target: str, split: Split) -> int:
    """Return the images of a target's split by its files; 0 where they cannot be read."""
    value = Target.model_validate_json(target)
    try:
        if value.layout == "coco":
            return len(read_header(value.annotation_files(split)).images)
        if value.layout != "torchvision":
            return sum(len(images_below(folder)) for folder in {*value.image_folders(split)})
    except (InputError, OSError):  # the check of the data says what is wrong
        pass
    return 0
