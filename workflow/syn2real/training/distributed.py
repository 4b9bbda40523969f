"""Several processes, a device each: who computes which images of a step, and how they come together.

A step's batch is cut into groups of `norm_batch_size` images, over which batch normalisation takes its
statistics; where none trains, into groups of `micro_batch_size`, which bound memory alone. The recipe sets
the groups, not the machine: with fewer devices a device computes several groups one after the other
(gradient accumulation), with more devices a group is spread over several and its statistics are
synchronised. So neither the number of devices nor accumulation changes what a step computes, but for the
order in which numbers are added.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from syn2real.errors import InputError
from syn2real.tasks.schema import TrainingSection

PATIENCE = timedelta(hours=6)
"""How long a process waits for the others: the main one evaluates alone meanwhile."""


@dataclass(frozen=True)
class World:
    """The processes that train together.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    size : int
        Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process evaluates, writes and logs."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean over the processes of a tensor that each has; it is changed in place."""
        if self.size > 1:
            dist.all_reduce(value)
            value /= self.size
        return value

    def from_main(self, value: Any) -> Any:
        """Return what the main process has; the others wait for it."""
        values = [value]
        if self.size > 1:
            dist.broadcast_object_list(values, src=0)
        return values[0]


def current_world() -> World:
    """Return the processes of the `process_group` that this one is in; without it, this one alone."""
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
    return World()


def local_rank() -> int:
    """Return the number of this process on its machine, and so of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def process_group() -> Iterator[World]:
    """Join the processes that torchrun started, by the environment it sets (RANK, WORLD_SIZE, MASTER_ADDR …).

    GPUs talk by NCCL, CPUs by gloo. Without torchrun's environment the process stays alone.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank())
        device = torch.device("cuda", local_rank())
        dist.init_process_group("nccl", timeout=PATIENCE, device_id=device)
    else:
        dist.init_process_group("gloo", timeout=PATIENCE)
    yield current_world()
    # Not after an error: the others may be gone, and would be waited for.
    dist.destroy_process_group()


@dataclass(frozen=True)
class StepShare:
    """What one process computes of each step.

    Attributes
    ----------
    world : World
        The processes.
    images : int
        Images of one forward pass.
    parts : int
        Forward passes a step; their gradients add up.
    spread : int
        Processes that a group of batch normalisation is spread over.
    held : bool
        Whether the backbone's batch norm is frozen.
    """

    world: World
    images: int
    parts: int
    spread: int
    held: bool = False

    def slot(self, part: int) -> int:
        """Return which of a step's passes this is, over all processes; it holds the slot-th run of images."""
        return part * self.world.size + self.world.rank

    def as_text(self) -> str:
        """Return the share in words."""
        over = f" on {self.spread} devices together" if self.spread > 1 else ""
        norm = "held as loaded" if self.held else f"over {self.images * self.spread} images{over}"
        return (
            f"a step is {self.world.size} device(s) x {self.parts} pass(es) x {self.images} images; "
            f"batch norm {norm}"
        )


def step_share(section: TrainingSection, world: World) -> StepShare:
    """Return what each process computes of a step.

    Raises
    ------
    InputError
        The batch cannot be divided evenly among so many processes.
    """
    group, held = section.pass_size, section.norm == "frozen"
    groups, size = section.batch_size // group, world.size
    if groups % size == 0:
        return StepShare(world, group, groups // size, 1, held)
    spread = size // groups
    if size % groups == 0 and group % spread == 0:
        return StepShare(world, group // spread, 1, spread, held)
    raise InputError(
        f"a batch of {section.batch_size} images, in passes of {group}, cannot be divided among "
        f"{size} devices: give a number that divides {groups}, or a multiple of {groups} that divides "
        f"{section.batch_size}",
        key="batch_size",
    )


def parallel(model: nn.Module, share: StepShare, device: torch.device, *, unused: bool = False) -> nn.Module:
    """Return what a process trains: the model itself, or its replica in step with the other processes.

    Where a group of batch normalisation is spread over processes, the model's layers are replaced in place
    by synchronised ones. Weights that no loss depends on are waited for unless there may be some (`unused`).

    Raises
    ------
    InputError
        Statistics would be synchronised on a CPU, which torch's SyncBatchNorm refuses, or those of layers
        that do more than batch norm, as timm's with an activation: torch would put its own in their place.
    """
    if share.spread > 1:
        if device.type != "cuda":
            raise InputError(
                "batch norm is synchronised on GPUs only; lower 'norm_batch_size' to "
                f"{share.images} or use fewer processes",
                key="norm_batch_size",
            )
        if odd := _more_than_batch_norm(model):
            raise InputError(
                f"{odd} cannot be synchronised over devices; lower 'norm_batch_size' to "
                f"{share.images} or use fewer devices",
                key="norm_batch_size",
            )
        group, _ = dist.new_subgroups(share.spread)
        nn.SyncBatchNorm.convert_sync_batchnorm(model, group)
    if share.world.size == 1:
        return model
    return DistributedDataParallel(
        model,
        device_ids=[device.index] if device.type == "cuda" else None,
        broadcast_buffers=False,  # `NormLayers` keeps the statistics equal
        gradient_as_bucket_view=True,
        find_unused_parameters=unused,
    )


def _more_than_batch_norm(model: nn.Module) -> str | None:
    """Return the class of a layer that does more than torch's batch norm, or None."""
    layers = [type(layer) for layer in model.modules() if isinstance(layer, _BatchNorm)]
    return next((kind.__name__ for kind in layers if not kind.__module__.startswith("torch.nn.")), None)
