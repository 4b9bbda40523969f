"""Reading weights files, which may come from anybody: nothing in them is run, and odd tensors are named."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from syn2real.errors import InputError
from syn2real.files import require_file

CHECKPOINT_KEYS = ("model", "state_dict")
"""Where checkpoints of other projects keep their weights."""
SAVE = "save the weights alone: torch.save(model.state_dict(), file)"


def read_weights(path: str | Path, *, mapped: bool = False) -> Mapping[str, Any]:
    """Return what a weights file holds, by tensor name.

    Parameters
    ----------
    path : str or Path
        A safetensors or a torch file, whatever its name ends in.
    mapped : bool
        Of a torch file leave the values on the disk until they are used.

    Raises
    ------
    InputError
        The file cannot be read as weights.
    """
    path = Path(path)
    require_file(path)
    try:
        state: Any = load_file(path) if _is_safetensors(path) else _torch_file(path, mapped=mapped)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    if not isinstance(state, Mapping):
        raise InputError(
            f"weights are tensors by their names, not a {type(state).__name__}; {SAVE}", file=path
        )
    return _inner(state, path)


def read_shapes(path: str | Path) -> Mapping[str, Any]:
    """Return what `read_weights` does, of tensors whose values need not be read: only their shapes are."""
    path = Path(path)
    require_file(path)
    if not _is_safetensors(path):
        return read_weights(path, mapped=True)
    try:
        with safe_open(path, framework="pt") as file:
            return {key: _without_values(file.get_slice(key)) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def _without_values(stored: Any) -> Tensor:
    """Return a tensor of a stored one's shape and kind, which takes no memory."""
    floats = stored.get_dtype().startswith(("F", "BF"))
    return torch.empty((), dtype=torch.float32 if floats else torch.int64).expand(stored.get_shape())


def load_part(
    part: nn.Module,
    weights: Mapping[str, Any],
    prefix: str,
    name: str,
    path: str | Path,
    *,
    values: bool = True,
) -> None:
    """Load the tensors of a file whose names begin with `prefix` into a part of a model.

    Parameters
    ----------
    part : Module
        The part.
    weights : mapping of str to tensor
        What the file holds.
    prefix, name : str
        How its tensors' names begin, and what it is, for messages.
    path : str or Path
        The file, for messages.
    values : bool
        Without it only names and shapes are checked, and nothing is loaded.

    Raises
    ------
    InputError
        As `check_tensors` does.
    """
    found = {key: value for key, value in weights.items() if key.startswith(prefix)}
    own = {f"{prefix}{key}": value for key, value in part.state_dict().items()}
    check_tensors(found, own, name, path, what="network", values=values)
    if values:
        part.load_state_dict({key.removeprefix(prefix): value for key, value in found.items()}, strict=False)


def check_tensors(
    state: Mapping[str, Any],
    own: Mapping[str, Tensor],
    name: str,
    path: str | Path,
    *,
    what: str = "backbone",
    values: bool = True,
) -> None:
    """Check that a file's tensors are weights of a network.

    Parameters
    ----------
    state, own : mapping of str to tensor
        The file's, and the network's. The file may lack counters of batches: frozen batch norm has none.
    name : str
        The network's name.
    path : str or Path
        The file, for messages.
    what : str
        What a file that does not fit holds another one of.
    values : bool
        Whether the tensors' values are looked at too.

    Raises
    ------
    InputError
        Naming the first tensor, in the network's order, that is missing, of another shape, no float tensor,
        or not finite.
    """
    other = f"the file does not fit a {name}; it holds another {what}"
    for key in dict.fromkeys([*own, *sorted(state)]):
        counter = key not in state and key.endswith("num_batches_tracked")
        if not counter and (problem := _problem(key, state, own, other, values=values)):
            raise InputError(problem, file=path, key=key)


def _problem(
    key: str, state: Mapping[str, Any], own: Mapping[str, Tensor], other: str, *, values: bool
) -> str | None:
    """Return what is wrong with one tensor, or None; `other` says what a file of other tensors is."""
    if key not in state or key not in own:
        return f"{'is missing' if key in own else 'has no place in it'}: {other}"
    if odd := _oddity(state[key], own[key]):
        return odd
    if state[key].shape != own[key].shape:
        return f"has the shape {list(state[key].shape)}, not {list(own[key].shape)}: {other}"
    return _odd_values(state[key], own[key], key) if values else None


def _oddity(value: Any, own: Tensor) -> str | None:
    """Return why a value cannot stand in for a network's tensor, whatever its shape, or None."""
    if not isinstance(value, Tensor):
        return f"is a {type(value).__name__}, not a tensor; {SAVE}"
    if value.is_meta:
        return f"is on torch's meta device, so it has no values; load the model, then {SAVE}"
    if value.is_quantized or value.is_nested or value.layout != torch.strided:
        return "is quantised or sparse; save the dense float weights it was made from"
    if own.is_floating_point() and not value.is_floating_point():
        kind = str(value.dtype).removeprefix("torch.")
        return f"holds {kind}, not float weights; save the float weights it was made from"
    return None


def _odd_values(value: Tensor, own: Tensor, key: str) -> str | None:
    """Return what is wrong with a tensor's values, as the network will hold them, or None."""
    held = value.to(own.dtype)
    if bad := int((~held.isfinite()).sum()):
        return f"has {bad:,} of {held.numel():,} values that are not finite; the training had diverged"
    if key.endswith("running_var") and (bad := int((held < 0).sum())):
        return f"has {bad:,} negative variances; the file is damaged"
    return None


def _unreadable(path: Path, error: Exception) -> InputError:
    """Return the error on a file that its library cannot read."""
    first = str(error).strip().partition("\n")[0]
    return InputError(f"not readable as weights ({first})", file=path)


def _torch_file(path: Path, *, mapped: bool = False) -> Any:
    """Return what torch saved, read as weights alone."""
    try:
        # Of an open file torch does not believe the name.
        with warnings.catch_warnings(action="ignore"), path.open("rb") as stream:
            if mapped and _begins(path, b"PK"):
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            return torch.load(stream, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        # torch's own words advise to run whatever the file holds.
        text = str(error)
        problem = "not readable as weights: it is damaged, or neither torch nor safetensors wrote it"
        if "TorchScript" in text:
            problem = f"not readable as weights: it is a TorchScript program; {SAVE}"
        elif isinstance(error, pickle.UnpicklingError) and ("GLOBAL" in text or "nsupported class" in text):
            problem = f"not readable as weights: it holds Python objects other than tensors; {SAVE}"
        elif _begins(path, b"version https://git-lfs"):
            problem = "not readable as weights: it is Git LFS's note of where they are; run git lfs pull"
        raise InputError(problem, file=path) from None


def _is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do, whatever its name: with a length and a brace."""
    with path.open("rb") as stream:
        return stream.read(9)[8:] == b"{"


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(mark)) == mark


def _inner(state: Mapping[Any, Any], path: Path) -> Mapping[str, Any]:
    """Return the mapping of a checkpoint that holds the tensors.

    Raises
    ------
    InputError
        There is none, or more than one.
    """
    for key in CHECKPOINT_KEYS:
        if isinstance(state.get(key), Mapping):
            state = state[key]
    if not _has_tensors(state):
        inner = [key for key, value in state.items() if isinstance(value, Mapping) and _has_tensors(value)]
        if len(inner) != 1:
            held = f"holds tensors under {', '.join(map(repr, inner))}" if inner else "holds no tensors"
            fix = "save the one you mean with" if inner else "save the weights with"
            raise InputError(f"{held}; {fix} torch.save(model.state_dict(), file)", file=path)
        state = state[inner[0]]
    if odd := next((key for key in state if not isinstance(key, str)), None):
        raise InputError(f"{odd!r} is not the name of a tensor; {SAVE}", file=path)
    return state


def _has_tensors(state: Mapping[Any, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in state.values())
