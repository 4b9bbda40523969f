"""What every task offers the training loop, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from syn2real import plugins
from syn2real.backbones.schema import ModelName
from syn2real.tasks.schema import TrainingSection

# Mean and standard deviation of ImageNet's colours: the convention of torchvision's models. The same
# numbers serve synthetic and real images, so that a backbone sees one scale before and after the transfer.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


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
    """

    value: float
    n: int
    extras: dict[str, float]


class Task(ABC):
    """A task: from a recipe's section and a data set's classes to a model, a loss and a metric.

    Parameters
    ----------
    section : TrainingSection
        The recipe's section of this task, resolved for the backbone.
    model_name : str
        Depth of the backbone, `resnet18` … `resnet152`.
    classes : sequence of str
        Names of the data set's classes, in the order of its labels.
    """

    name: ClassVar[str]
    metric: ClassVar[str]

    def __init__(self, section: TrainingSection, model_name: ModelName, classes: Sequence[str]) -> None:
        self.section: Any = section
        self.model_name = model_name
        self.classes = list(classes)

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the model with random weights: backbone and head."""

    @abstractmethod
    def body(self, model: nn.Module) -> nn.Module:
        """Return the part of `model` that holds the backbone, `conv1` … `layer4`."""

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
        """Return a batch on `device`, its images as the model wants them."""
        images, targets = batch
        return normalise(images, device), targets.to(device, non_blocking=True)

    def lr_factor(self, parameter: str) -> float:
        """Return the learning rate of a parameter, given by its name, in units of the recipe's."""
        return 1.0


def task_class(name: str) -> type[Task]:
    """Return the task called `name`; only its own module is imported."""
    found: type[Task] = plugins.load("tasks", name, "task").TASK
    return found


def make_task(name: str, section: TrainingSection, model: ModelName, classes: Sequence[str]) -> Task:
    """Return the task called `name`, for a recipe's section, a backbone depth and a data set's classes."""
    return task_class(name)(section, model, classes)


def stack_padded(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Stack images [C, H, W] or masks [H, W], padded right and below to the largest, as torchvision does.

    Images keep their colours side by side in memory, as they are read: so stacking only copies.
    """
    plain = [tensor.as_subclass(Tensor) for tensor in tensors]
    height, width = (max(tensor.shape[axis] for tensor in plain) for axis in (-2, -1))
    shape = (len(plain), *plain[0].shape[:-2], height, width)
    layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    batch = torch.empty(shape, dtype=plain[0].dtype, memory_format=layout)
    if any(tensor.shape != shape[1:] for tensor in plain):
        batch.fill_(fill)
    for place, tensor in zip(batch, plain, strict=True):
        place[..., : tensor.shape[-2], : tensor.shape[-1]].copy_(tensor)
    return batch


def memory_format(device: torch.device) -> torch.memory_format:
    """Return the faster layout of a batch: channels last on a GPU, channels first on a CPU.

    On a CPU channels last took 1.4 times as long (ResNet-18, 48², batch 32, one thread).
    """
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def normalise(images: Tensor, device: torch.device) -> Tensor:
    """Return uint8 images [B, 3, H, W] as normalised float32 on `device`.

    Images travel as bytes and become numbers on the device: a quarter of the traffic.
    """
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=device).view(1, 3, 1, 1)
    images = images.to(device, non_blocking=True, memory_format=memory_format(device))
    return images.float().div_(255).sub_(mean).div_(std)
