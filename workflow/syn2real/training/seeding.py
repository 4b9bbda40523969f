"""Random numbers: named streams from one seed, and the state of every generator.

Seed 0 is a seed. What a stream gives depends on (seed, names) alone, never on what was drawn before.
"""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def stream(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of a named stream, for example `stream(0, "order", epoch)`."""
    words = [zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names]
    return np.random.SeedSequence([seed, *words])


def stream_seed(seed: int, *names: str | int) -> int:
    """Return a 64-bit seed of a named stream (below 2⁶³)."""
    return int(stream(seed, *names).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_everything(seed: int, *names: str | int) -> None:
    """Seed Python's, NumPy's and torch's global generators from a named stream."""
    random.seed(stream_seed(seed, *names, "python"))
    np.random.seed(stream_seed(seed, *names, "numpy") % 2**32)  # noqa: NPY002 (libraries may use it)
    torch.manual_seed(stream_seed(seed, *names, "torch"))


@contextmanager
def borrowed(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator within a block, and leave it afterwards as it was before."""
    generator = torch.default_generator
    before = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)


def generator_states() -> dict[str, Any]:
    """Return the state of every global generator, in types that `torch.load(weights_only=True)` reads."""
    state: Any = np.random.get_state()  # noqa: NPY002
    name, keys, position, has_gauss, gauss = state
    return {
        "python": random.getstate(),
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_generators(states: dict[str, Any]) -> None:
    """Set every global generator to what `generator_states` returned."""
    random.setstate(states["python"])
    name, keys, position, has_gauss, gauss = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


def make_deterministic(threads: int, device: torch.device) -> None:
    """Fix the number of threads, and on a CPU ask torch for deterministic algorithms.

    On one machine and build the same seed then gives the same digits on a CPU. On a GPU some gradients
    (bilinear upsampling among them) have no deterministic kernel, and nothing is promised.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu")
    # Filling fresh memory would only hide reads of uninitialised tensors, and takes time.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010 (untyped)
