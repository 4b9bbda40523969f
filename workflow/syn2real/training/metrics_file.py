"""metrics.json: written only when everything in it can be believed."""

import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from syn2real.errors import TrainingError
from syn2real.files import write_json
from syn2real.training.metrics import Metrics

PACKAGES = ("syn2real", "torch", "torchvision", "torchmetrics", "pycocotools", "numpy", "pillow")


def write_metrics(path: str | Path, values: dict[str, Any]) -> Metrics:
    """Write a run's metrics atomically, if they are complete and consistent.

    Parameters
    ----------
    path : str or Path
        Where metrics.json shall lie.
    values : dict
        The fields of `Metrics`, as plain data.

    Raises
    ------
    TrainingError
        A value is not finite or outside [0, 1], the test set was empty, the last iteration was not
        reached, or the parts contradict each other. Nothing is written.
    """
    try:
        metrics = Metrics.model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise TrainingError(f"metrics refused, not written: {place}: {detail['msg']}") from None
    write_json(path, metrics.model_dump(mode="json"))
    return metrics


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def device_name(device: torch.device) -> str:
    """Return what computes: a GPU's name, or the CPU's architecture and torch's instruction set."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({platform.machine()}, {torch.backends.cpu.get_cpu_capability()})"
