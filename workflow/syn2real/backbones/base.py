"""A backbone: the part of a network that is handed from one task to the next, and its weight files.

The same backbone carries every task's head, so a file holds its tensors alone, whatever the task it comes
from (A.2).
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from syn2real import plugins
from syn2real.backbones.common.weights import check_tensors, read_shapes, read_weights
from syn2real.backbones.schema import family_of, published_starts
from syn2real.errors import InputError
from syn2real.files import atomic, require_file


class Backbone(nn.Module, ABC):
    """A network without a head: the maps of its stages, and one vector an image.

    Parameters
    ----------
    name : str
        Its name, one of the family's `NAMES`.
    net : Module
        The network; its tensors are those of a backbone file, under its own names.
    channels : tuple of int
        Channels of each stage's map, from the finest to the coarsest.
    strides : tuple of int
        Pixels of the image a step of each map.
    width : int
        Length of the pooled vector.
    """

    uses_all: ClassVar[bool] = True
    """Whether every weight of `net` is used whichever way through it a task takes."""

    def __init__(
        self, name: str, net: nn.Module, channels: tuple[int, ...], strides: tuple[int, ...], width: int
    ) -> None:
        super().__init__()
        self.name, self.net = name, net
        self.channels, self.strides, self.width = channels, strides, width

    @abstractmethod
    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps [B, channels, H / stride, W / stride] of normalised images [B, 3, H, W]."""

    @abstractmethod
    def pooled(self, images: Tensor) -> Tensor:
        """Return one vector an image [B, width], as a classifier's last layer sees it."""

    def last_layer(self, outputs: int) -> nn.Linear:
        """Return a new linear layer on the pooled vector; call it before weights are loaded."""
        return nn.Linear(self.width, outputs)

    def start_blocks_as_identity(self) -> None:
        """Start the last batch norm of each residual block at 0 (Goyal et al., 2017), where there are any."""

    def distances(self, *, stages: bool = False) -> dict[str, int]:
        """Return how far from the head each weight is, by its name in `net`: 1 for the last block, and so on.

        Parameters
        ----------
        stages : bool
            Count stages, not their blocks. What comes before all of them is one more.
        """
        return dict.fromkeys((name for name, _ in self.net.named_parameters()), 1)

    def positions(self) -> set[str]:
        """Return the names in `net` of position embeddings and of what else is never decayed by AdamW."""
        return set()

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile both ways through the network (torch.compile); each is compiled when it is first used."""
        super().compile(*args, **kwargs)
        self.pooled = torch.compile(self.pooled, *args, **kwargs)  # type: ignore[method-assign]

    def count_parameters(self) -> int:
        """Return the number of weights as built; running statistics are not counted."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def state(self) -> dict[str, Tensor]:
        """Return copies of the tensors on the CPU, by their names in a backbone file."""
        return {
            key: value.detach().cpu().clone().contiguous() for key, value in self.net.state_dict().items()
        }

    def load(self, path: str | Path) -> None:
        """Load a weights file: a backbone file, or one that holds this network, alone or within another.

        Raises
        ------
        InputError
            The file cannot be read, does not hold this backbone, or holds tensors that are no weights; names
            the tensor.
        """
        own = self.net.state_dict()
        state = self._state_within(read_weights(path), path)
        check_tensors(state, own, self.name, path)
        self.net.load_state_dict(state, strict=False)

    def require_fit(self, path: str | Path) -> None:
        """Raise InputError, as `load` does, where a file holds other tensors; their values are not read."""
        state = self._state_within(read_shapes(path), path)
        check_tensors(state, self.net.state_dict(), self.name, path, values=False)

    def _state_within(self, weights: Mapping[str, Any], path: str | Path) -> dict[str, Tensor]:
        """Return this network's part of some weights, without the prefix that it has there."""
        own = self.net.state_dict()
        first = next(iter(own))
        prefixes = [key.removesuffix(first) for key in weights if key.endswith(first)]
        if not prefixes:
            problem = f"the file holds no {self.name}: no tensor's name ends in '{first}'"
            raise InputError(problem, file=path)
        # A block within the network may have a tensor of that name too: the whole network has the most.
        found_of = {stem: sum(f"{stem}{key}" in weights for key in own) for stem in prefixes}
        prefix = max(prefixes, key=lambda stem: (found_of[stem], -len(stem)))
        if len(same := [stem for stem in prefixes if found_of[stem] == len(own)]) > 1:
            names = ", ".join(f"'{stem}'" for stem in same)
            problem = (
                f"the file holds {len(same)} of {self.name}, whose names begin with {names}; save one alone"
            )
            raise InputError(problem, file=path)
        parts = {key.partition(".")[0] for key in own}
        found = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        return {key: value for key, value in found.items() if key.partition(".")[0] in parts}


def build_backbone(model: str, *, output_stride: int = 32) -> Backbone:
    """Return a backbone by name, with random weights.

    Parameters
    ----------
    model : str
        Its name; only its family's module is imported.
    output_stride : int
        The stride asked of the last map: 8 for dense predictions, where the family can dilate.
    """
    found: Backbone = plugins.load("backbones", family_of(model)).build(model, output_stride=output_stride)
    return found


def fetch_published(model: str, start: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return published weights of a backbone, by its library's own loader, with their `source` and `licence`.

    Parameters
    ----------
    model, start : str
        The backbone, and one of its `published_starts`.

    Raises
    ------
    InputError
        The loader cannot fetch them, or they take other images than ours.
    """
    try:
        found, source = plugins.load("backbones", family_of(model)).fetch(model, start)
    except InputError:
        raise
    except Exception as error:  # what a library's loader raises is its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        problem = f"the weights of {model} cannot be fetched ({reason}); give a file by initial_weights"
        raise InputError(problem, key=f"initial: {start}") from None
    return found, {"source": source, "licence": published_starts(model)[start]["licence"]}


def save_backbone(path: str | Path, state: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write what `Backbone.state` returned as safetensors, atomically; the same tensors give the same bytes.

    `metadata` is kept as JSON under the one key `syn2real`: safetensors writes several keys in any order.
    """
    with atomic(path) as temporary:
        save_file(state, temporary, metadata={"syn2real": json.dumps(metadata, sort_keys=True)})


def read_about(path: str | Path) -> dict[str, Any]:
    """Return the metadata that `save_backbone` wrote beside tensors.

    Raises
    ------
    InputError
        The file cannot be read, or has none.
    """
    require_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["syn2real"])
    except (OSError, SafetensorError, KeyError, ValueError):
        about = None
    if not isinstance(about, dict):
        raise InputError("says nothing of its training; pre-train again", file=path)
    return about
