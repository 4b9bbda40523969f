"""The tasks: one module each, with the head, the augmentation, the loss and the metric (§4.1, Appendix A)."""

from collections.abc import Sequence

from syn2real.config.recipe import ModelName, TrainingSection
from syn2real.tasks.base import Evaluation, Task

__all__ = ["Evaluation", "Task", "make_task", "task_class"]


def task_class(name: str) -> type[Task]:
    """Return the task called `name`.

    Only its own module is imported: the metrics of the others take seconds to import, and most jobs are
    short classifications.
    """
    match name:
        case "mulclass":
            from syn2real.tasks.mulclass import MultiLabel

            return MultiLabel
        case "objdet":
            from syn2real.tasks.objdet import Detection

            return Detection
        case "semseg":
            from syn2real.tasks.semseg import Segmentation

            return Segmentation
        case "normal":
            from syn2real.tasks.normal import Normals

            return Normals
        case "sinclass":
            from syn2real.tasks.sinclass import SingleLabel

            return SingleLabel
    raise KeyError(name)


def make_task(name: str, section: TrainingSection, model: ModelName, classes: Sequence[str]) -> Task:
    """Return the task called `name`, for a recipe's section, a backbone depth and a data set's classes."""
    return task_class(name)(section, model, classes)
