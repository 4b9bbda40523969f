"""Which images a step sees, and how they are loaded.

Both are functions of (seed, position): the order of an epoch, and the augmentation of each image in it. So
a resumed run sees what the uninterrupted one would have seen, and the number of workers changes nothing.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from syn2real.data.mixed import MixedImages
from syn2real.errors import InputError
from syn2real.tasks.base import Task
from syn2real.tasks.schema import TrainingSection
from syn2real.training.distributed import StepShare, World, step_share
from syn2real.training.seeding import stream, stream_seed, temporarily_seeded

Slot = tuple[int, int]
"""(position in the endless sequence of samples, index in the data set)."""


class Shuffled:
    """Epochs of reshuffled images laid end to end: the index of the image at each place.

    Parameters
    ----------
    n : int
        Number of images.
    seed : int
        The run's seed.
    *names : str
        Of the stream of random numbers.
    """

    def __init__(self, n: int, seed: int, *names: str) -> None:
        self.n, self.seed, self.names = n, seed, names
        self.epoch, self.order = -1, np.empty(0, dtype=np.int64)

    def __getitem__(self, place: int) -> int:
        epoch, within = divmod(place, self.n)
        if epoch != self.epoch:
            random = np.random.default_rng(stream(self.seed, "order", *self.names, epoch))
            self.epoch, self.order = epoch, random.permutation(self.n)
        return int(self.order[within])


class EndlessOrder(Sampler[list[Slot]]):
    """Epochs of reshuffled images laid end to end, cut into whole batches, and these among processes.

    A batch may reach into the next epoch, so there is no short batch at an epoch's end, and a data set
    smaller than a batch repeats within it. The order is one for all processes: a step's batch is the same
    images whatever their number, each process takes its runs of it (`StepShare.slot`), a pass at a time.

    Where renders are mixed in, every batch has the same number of them, spread evenly over its positions;
    photographs and renders each have epochs of their own.

    Parameters
    ----------
    n : int
        Number of images; with renders, of the photographs.
    batch_size : int
        Images a step.
    seed : int
        The run's seed.
    start, stop : int
        The steps to give: start, …, stop - 1.
    share : StepShare, optional
        What this process takes of a step; by default all of it in one pass.
    renders, renders_in_batch : int
        Number of renders, whose indices follow the photographs', and how many of every batch are.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int,
        start: int,
        stop: int,
        share: StepShare | None = None,
        *,
        renders: int = 0,
        renders_in_batch: int = 0,
    ) -> None:
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self.start, self.stop = start, stop
        self.renders, self.renders_in_batch = renders, renders_in_batch
        self.share = share or StepShare(World(), images=batch_size, parts=1, spread=1)

    def __len__(self) -> int:
        return (self.stop - self.start) * self.share.parts

    def __iter__(self) -> Iterator[list[Slot]]:
        own, rendered = Shuffled(self.n, self.seed), Shuffled(self.renders, self.seed, "renders")
        for passed in range(self.start * self.share.parts, self.stop * self.share.parts):
            iteration, part = divmod(passed, self.share.parts)
            first = iteration * self.batch_size + self.share.slot(part) * self.share.images
            yield [
                (position, self._index(position, own, rendered))
                for position in range(first, first + self.share.images)
            ]

    def _index(self, position: int, own: Shuffled, rendered: Shuffled) -> int:
        """Return the image at a position."""
        batch, within = divmod(position, self.batch_size)
        # Renders before this position of its batch, and with it: as even as whole numbers can be.
        before, after = (place * self.renders_in_batch // self.batch_size for place in (within, within + 1))
        if after > before:
            return self.n + rendered[batch * self.renders_in_batch + before]
        return own[batch * (self.batch_size - self.renders_in_batch) + within - before]


class Augmented(Dataset[Any]):
    """Samples after the training's random transformation, whose random numbers belong to the position.

    Where the recipe shows smaller images first, the position decides that too.
    """

    def __init__(self, data: Dataset[Any], task: Task, seed: int) -> None:
        self.data, self.seed = data, seed
        self.transform = self.smaller = task.train_transform()
        section: TrainingSection = task.section
        self.small = section.small_iterations * section.batch_size  # so many positions
        if self.small:
            self.smaller = type(task)(section.smaller(), task.classes).train_transform()

    def __getitem__(self, slot: Slot) -> Any:
        position, index = slot
        image, target = self.data[index]
        transform = self.smaller if position < self.small else self.transform
        with temporarily_seeded(stream_seed(self.seed, "augmentation", position)):
            return transform(image, target)


class Transformed(Dataset[Any]):
    """Samples after the evaluation's transformation, which has nothing random."""

    def __init__(self, data: Any, transform: Any) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        image, target = self.data[index]
        return self.transform(image, target)


class Annotated(Dataset[Any]):
    """Images with what a task learns from, of their labels.

    Where `keeps` is set, each sample is decoded once and kept: decoding small images takes long.
    """

    def __init__(self, data: Any, task: Task) -> None:
        self.data, self.task, self.keeps = data, task, False
        self.samples: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        if index in self.samples:
            return self.samples[index]
        image, value = self.data[index]
        sample = image, self.task.annotate(value, tuple(image.shape[-2:]))
        if self.keeps:
            self.samples[index] = sample
        return sample


def annotated(data: Any, task: Task) -> Annotated:
    """Return the samples of a data set, kept if they fit into the recipe's `cache_mib`.

    Judged by the first sample, of renders among photographs by the first of each. With workers each would
    have its own cache, so there is none.
    """
    samples, section = Annotated(data, task), task.section
    firsts = {0: len(data)}
    if isinstance(data, MixedImages):
        firsts = {0: len(data.photographs), len(data.photographs): len(data.renders)}
    size = sum(
        tensor.nbytes * images for first, images in firsts.items() for tensor in _tensors(samples[first])
    )
    samples.keeps = size <= section.cache_mib * 2**20 and section.workers == 0
    return samples


def training_batches(
    data: Annotated, task: Task, seed: int, start: int, device: torch.device, share: StepShare | None = None
) -> Iterator[Any]:
    """Return an iterator over this process's passes of steps `start` to the recipe's last one.

    Without a `share` this process is alone.
    """
    section: TrainingSection = task.section
    share = share or step_share(section, World())
    n, mixed = len(data), {}
    if isinstance(data.data, MixedImages):
        n, renders = len(data.data.photographs), len(data.data.renders)
        mixed = {"renders": renders, "renders_in_batch": data.data.renders_in_batch}
    order = EndlessOrder(n, section.batch_size, seed, start, section.total_iterations, share, **mixed)
    samples = Augmented(data, task, seed)
    return iter(Batches(samples, task, device, batch_sampler=order))


def evaluation_batches(data: Any, task: Task, device: torch.device) -> Iterable[Any]:
    """Return the batches of all of `data`, in order, again at each iteration."""
    samples = Transformed(data, task.eval_transform())
    return Batches(samples, task, device, batch_size=task.section.eval_batch_size)


class Batches:
    """Batches as `task.collate` makes them, loaded by the recipe's number of processes.

    Bad input that such a process meets is raised here as it was there: DataLoader itself would raise it with
    the process's traceback for a message.
    """

    def __init__(self, samples: Any, task: Task, device: torch.device, **order: Any) -> None:
        # A loading process has one thread, of torch by itself. OpenCV's pool does not survive the fork, and
        # would be waited for forever there: it is ended here, before.
        cv2.setNumThreads(1)
        self.loader: DataLoader[Any] = DataLoader(
            ErrorForwardingDataset(samples),
            collate_fn=partial(_collate, task),
            num_workers=task.section.workers,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # or it would draw on torch's global one
            **order,
        )

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            if isinstance(batch, InputError):
                raise batch
            yield batch


class ErrorForwardingDataset(Dataset[Any]):
    """A data set whose samples are asked for by the batch; an error of bad input comes in their place."""

    def __init__(self, samples: Any) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """Return the samples, or the error alone."""
        try:
            return [self.samples[index] for index in indices]
        except InputError as error:
            return [error]


def _collate(task: Task, samples: list[Any]) -> Any:
    """Join samples, or pass on the error that came in their place."""
    return samples[0] if isinstance(samples[0], InputError) else task.collate(samples)


def _tensors(sample: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of a sample, at any depth."""
    if isinstance(sample, torch.Tensor):
        yield sample
    elif isinstance(sample, dict):
        for value in sample.values():
            yield from _tensors(value)
    elif isinstance(sample, tuple | list):
        for value in sample:
            yield from _tensors(value)
