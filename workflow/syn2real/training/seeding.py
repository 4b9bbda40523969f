"""Random numbers: named streams from one seed.

Seed 0 is a seed. What a stream gives depends on (seed, names) alone, never on what was drawn before.
"""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

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
    # What torch.manual_seed does, but for its look at CUDA where that is not in use, in every step.
    torch.default_generator.manual_seed(stream_seed(seed, *names, "torch"))
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(stream_seed(seed, *names, "torch"))


@contextmanager
def temporarily_seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator within a block, and restore its state afterwards."""
    generator = torch.default_generator
    before = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)


def make_deterministic(threads: int, device: torch.device) -> None:
    """Fix the number of threads, and on a CPU ask torch for deterministic algorithms.

    On one machine and build the same seed then gives the same digits on a CPU. On a GPU some gradients
    (bilinear upsampling among them) have no deterministic kernel, and nothing is promised.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu")
    # Filling fresh memory would only hide reads of uninitialised tensors, and takes time.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010 (untyped)
