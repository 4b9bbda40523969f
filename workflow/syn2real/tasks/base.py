"""What every task offers the training loop, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from syn2real import plugins
from syn2real.backbones.base import Backbone, build_backbone
from syn2real.backbones.common.weights import check_tensors, load_part, read_shapes, read_weights
from syn2real.errors import InputError
from syn2real.tasks.common.images import normalise, stack_padded
from syn2real.tasks.schema import TrainingSection

NEVER = -3e4
"""Score of a class that is never predicted: its probability is 0, and 16 bits hold the score."""


class Evaluation(NamedTuple):
    """What a model reaches on a data set.

    Attributes
    ----------
    value : float
        The task's metric, in [0, 1]; the error is 1 - value.
    n : int
        Number of images evaluated.
    extras : dict
        Further numbers of interest, by name.
    per_image : dict of str to array
        What the images were judged by, one by one, where the task keeps it: the fields of a class of
        `syn2real.laws.per_image`, and its `kind`.
    """

    value: float
    n: int
    extras: dict[str, float]
    per_image: Mapping[str, Any] = {}


class Task(ABC):
    """A task: from a recipe's section and a data set's classes to a model, a loss and a metric.

    Parameters
    ----------
    section : TrainingSection
        The recipe's section of this task, resolved for the backbone.
    classes : sequence of str
        Names of the data set's classes, in the order of its labels.
    """

    metric: ClassVar[str]
    """Name of the metric, as the task's schema has it."""

    output_stride: ClassVar[int] = 32
    """The stride asked of the backbone's last map."""

    class_layers: ClassVar[Mapping[str, int]] = {}
    """The layers whose outputs belong to the classes, in their order: their names in the model, and outputs a
    class; one with one output a class scores it. Outputs before all classes' are no class's (a detector's
    background)."""

    def __init__(self, section: TrainingSection, classes: Sequence[str]) -> None:
        self.section: Any = section
        self.classes = list(classes)

    @abstractmethod
    def build(self, backbone: Backbone) -> nn.Module:
        """Return the model: the backbone with this task's head, whose weights are random."""

    @abstractmethod
    def annotate(self, value: Any, size: tuple[int, int]) -> Any:
        """Return what the task learns from, of an image's label.

        Parameters
        ----------
        value : object
            The value of the task's channel (`syn2real.channels`).
        size : (height, width)
            Of the image, pixels.
        """

    @abstractmethod
    def train_transform(self) -> v2.Transform:
        """Return what is done to a training sample (image, annotation); random numbers are torch's own."""

    @abstractmethod
    def eval_transform(self) -> v2.Transform:
        """Return what is done to a sample (image, annotation) of the evaluation."""

    @abstractmethod
    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch; the loss is their sum. All are scalars."""

    def weight(self, targets: Any) -> float:
        """Return how much a part of a step's batch counts in the step's mean loss.

        Parts are equal by default, as their numbers of images are. A loss that is a mean over pixels returns
        their number, so that a step has one mean however it is divided.

        Parameters
        ----------
        targets : Tensor or list
            The part's targets, as `collate` made them.
        """
        return 1.0

    @abstractmethod
    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the metric of a model in eval mode.

        Parameters
        ----------
        model : Module
            In eval mode, on `device`.
        batches : iterable
            What `collate` made of `data`; moved to `device` here.
        data : AnnotatedImages
            The data set evaluated, for metrics that need its whole ground truth.
        device : torch.device
            Where to compute.
        """

    def collate(self, samples: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Join samples into a batch: uint8 images [B, 3, H, W] and targets."""
        images, targets = zip(*samples, strict=True)
        return stack_padded(images, 0), torch.stack([torch.as_tensor(target) for target in targets])

    def move(self, batch: tuple[Any, Any], device: torch.device) -> tuple[Any, Any]:
        """Return a batch on `device`, its images as the model takes them."""
        images, targets = batch
        return normalise(images, device), targets.to(device, non_blocking=True)

    def detector_parts(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return what besides the backbone a whole detector gives, by the beginning of its tensors' names."""
        return {}

    def lr_factor(self, parameter: str) -> float:
        """Return the learning rate of a parameter, given by its name, in units of the recipe's."""
        return 1.0


class PretrainedHead(NamedTuple):
    """A head that was trained on renders, for a model that has the classes of photographs.

    Attributes
    ----------
    path : Path
        What `head_state` returned, as a file.
    classes : list of str
        The renders' classes.
    matched : mapping of int to int
        Of each of the renders' classes that has a counterpart the number of the photographs' class.
    closed : bool
        Photographs' classes without a counterpart are never predicted; else their outputs stay as they are.
    """

    path: Path
    classes: list[str]
    matched: Mapping[int, int]
    closed: bool


def task_class(name: str) -> type[Task]:
    """Return the task called `name`; only its own module is imported."""
    found: type[Task] = plugins.load("tasks", name, "task").TASK
    return found


def build_model(task: Task, model: str) -> tuple[Backbone, nn.Module]:
    """Return a backbone, given by its name, and a task's model on it; the weights are random."""
    backbone = build_backbone(model, output_stride=task.output_stride)
    return backbone, task.build(backbone)


def load_start(
    task: Task,
    backbone: Backbone,
    model: nn.Module,
    path: str | Path,
    *,
    detector: bool = False,
    values: bool = True,
) -> None:
    """Load initial weights: the backbone's, and of a whole detector's file what else the task takes of it.

    Parameters
    ----------
    task : Task
        The task.
    backbone, model : Module
        What `build_model` returned.
    path : str or Path
        The file, as `Backbone.load` takes it.
    detector : bool
        Whether it is a whole detector.
    values : bool
        Without it names and shapes are checked alone, and nothing is loaded.

    Raises
    ------
    InputError
        As `Backbone.load` does.
    """
    (backbone.load if values else backbone.require_fit)(path)
    if parts := task.detector_parts(model) if detector else {}:
        weights = read_weights(path) if values else read_shapes(path)
        for prefix, part in parts.items():
            load_part(part, weights, prefix, f"detector on {backbone.name}", path, values=values)


def head_state(backbone: Backbone, model: nn.Module) -> dict[str, Tensor]:
    """Return copies of a model's tensors that are in no backbone file, on the CPU, by their names in it."""
    prefix = next(f"{name}." for name, part in model.named_modules() if part is backbone.net)
    return {
        key: value.detach().cpu().clone().contiguous()
        for key, value in model.state_dict().items()
        if not key.startswith(prefix)
    }


def load_head(task: Task, backbone: Backbone, model: nn.Module, head: PretrainedHead) -> None:
    """Load a pre-trained head: all of it but the outputs of classes, which are matched.

    Parameters
    ----------
    task : Task
        The task, with the classes of the photographs.
    backbone, model : Module
        What `build_model` returned.
    head : PretrainedHead
        The head.

    Raises
    ------
    InputError
        The file cannot be read, or holds another head (names the first tensor that does not fit), or the
        task does not say which outputs are the classes'.
    """
    if not task.class_layers:
        raise InputError(
            "of this task the backbone alone can be handed on: it names no class_layers", key="arms"
        )
    own, found = head_state(backbone, model), dict(read_weights(head.path))
    outputs = {f"{name}.{kind}": n for name, n in task.class_layers.items() for kind in ("weight", "bias")}
    more = len(head.classes) - len(task.classes)
    resized = {key: _resized(own[key], more * n) for key, n in outputs.items()}
    check_tensors(found, own | resized, f"head on {backbone.name}", head.path, what="head")
    for key, n in outputs.items():
        found[key] = _matched(found[key], own[key], n, len(task.classes), head)
    model.load_state_dict(found, strict=False)


def _resized(tensor: Tensor, more: int) -> Tensor:
    """Return a tensor of so many more outputs, whose values do not matter."""
    return tensor.new_empty((len(tensor) + more, *tensor.shape[1:]))


def _matched(theirs: Tensor, own: Tensor, outputs: int, classes: int, head: PretrainedHead) -> Tensor:
    """Return a layer's tensor with the outputs of matched classes from a pre-trained one."""
    theirs, mixed = (tensor.unflatten(0, (-1, outputs)) for tensor in (theirs, own.clone()))
    before = len(mixed) - classes
    if head.closed:
        mixed.fill_(NEVER if own.ndim == 1 and outputs == 1 else 0.0)
    mixed[:before] = theirs[:before]
    for number, of_own in head.matched.items():
        mixed[before + of_own] = theirs[before + number]
    return mixed.flatten(0, 1)
