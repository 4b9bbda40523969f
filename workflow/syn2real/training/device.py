"""The device that a process computes on."""

import platform

import torch

from syn2real.training.distributed import local_rank


def pick_device() -> torch.device:
    """Return this process's GPU if there is one, else the CPU."""
    return torch.device("cuda", local_rank()) if torch.cuda.is_available() else torch.device("cpu")


def device_name(device: torch.device) -> str:
    """Return a GPU's name, or the CPU's architecture and torch's instruction set."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({platform.machine()}, {torch.backends.cpu.get_cpu_capability()})"
