"""How many labelled images a fine-tuning learns from, as far as that is known before it starts."""

from functools import cache

from syn2real.data.coco_format import read_header
from syn2real.data.image_files import images_below
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.plan.plan import Plan


def labelled_images(plan: Plan, target: str, percent: float = 100) -> int | None:
    """Return about how many images a share of a target's training set has; None where that is not known.

    A rendered stand-in and a target of scans have as many as they ask for; else the target's `counts` say
    it, or its files, where they are there.
    """
    stand_in = plan.stand_in_of(target)
    if stand_in is not None:
        total = plan.stand_ins[stand_in].train_images
    elif (scans := plan.targets[target].scans) is not None:
        total = 10 * scans.labels
    else:
        value = plan.targets[target]
        total = value.counts.get("train") or _in_files(value.model_dump_json(exclude={"description"}))
    return max(1, round(total * percent / 100)) if total else None


@cache
def _in_files(target: str) -> int:
    """Return the images of a target's training split by its files; 0 where they cannot be read."""
    value = Target.model_validate_json(target)
    try:
        if value.layout == "coco":
            return len(read_header(value.annotation_files("train")).images)
        if value.layout != "torchvision":
            return sum(len(images_below(folder)) for folder in {*value.image_folders("train")})
    except (InputError, OSError):  # the check of the data says what is wrong
        pass
    return 0
