"""metrics.json, what every later step builds on: its model, and its reading and writing (no torch)."""

import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, ValidationError, model_validator

from syn2real.backbones.schema import RANDOM
from syn2real.data.arms import BACKBONE, RENDERS_ONLY, ArmName
from syn2real.errors import InputError, TrainingError
from syn2real.files import read_json, write_json
from syn2real.schema import Section

PACKAGES = ("syn2real", "torch", "torchvision", "timm", "pycocotools", "numpy", "pillow")
"""What a result may depend on."""

Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]


class RunKey(Section):
    """What was run: the names in the result's path."""

    recipe: str = Field(description="name of the recipe")
    setting: str = Field(description="rendering setting of the pre-training; 'none' for n = 0")
    ptask: str = Field(description="pre-training task; 'none' for n = 0")
    model: str = Field(description="the backbone")
    initial: str = Field(default=RANDOM, description="the weights it started from, by name")
    n: int = Field(ge=0, description="number of synthetic images")
    seed: int = Field(ge=0, description="the run's seed: initialisation, order, labelled subset")
    ftask: str | None = Field(default=None, description="fine-tuning task")
    target: str | None = Field(default=None, description="target data set")
    s_percent: float | None = Field(
        default=None, ge=0, le=100, description="share of the target used, percent; 0 for renders alone"
    )
    arm: ArmName = Field(default=BACKBONE, description="how the renders help, or that they do not")
    rate: float = Field(
        default=1, gt=0, description="learning rate of the fine-tuning in units of the recipe's"
    )

    @model_validator(mode="after")
    def _labels_or_none(self) -> Self:
        if self.s_percent is not None and (self.s_percent == 0) != (self.arm == RENDERS_ONLY):
            raise ValueError(f"s_percent: the arm {self.arm} cannot have {self.s_percent:g}")
        return self


class Draw(Section):
    """Which images of a pool were drawn."""

    of: str = Field(description="the setting whose images are the pool")
    images: int = Field(gt=0, description="size of the pool, images")
    digest: str = Field(description="SHA-256 of that size and of the drawn images' indices")


class EvaluationPoint(Section):
    """One evaluation of a run."""

    iteration: int = Field(ge=0, description="steps trained")
    value: Fraction = Field(description="the metric")
    error: Fraction = Field(description="1 - value")
    extras: dict[str, FiniteFloat] = Field(default={}, description="further numbers of the task")


class Metrics(Section):
    """metrics.json of a pre-training or a fine-tuning run.

    The value of a fine-tuning is the last evaluation's, at the last iteration; the value of a pre-training
    is the best evaluation's, whose backbone is handed on (§4.1).
    """

    version: Literal[1] = Field(default=1, description="version of this format")
    stage: Literal["pretrain", "finetune"] = Field(description="which stage ran")
    key: RunKey = Field(description="what was run")
    metric: str = Field(min_length=1, description="name of the metric")
    value: Fraction = Field(description="the run's result")
    error: Fraction = Field(description="1 - value")
    evaluations: tuple[EvaluationPoint, ...] = Field(min_length=1, description="every evaluation, in order")
    last: EvaluationPoint = Field(description="the evaluation at the last iteration")
    best: EvaluationPoint = Field(description="the best evaluation, the first of equals")
    iterations: int = Field(ge=0, description="length of the training in steps, all of them done")
    n_params: int = Field(gt=0, description="weights of the backbone as built")
    n_params_millions: FiniteFloat = Field(
        gt=0,
        description="the same in millions, as in Figure 4; the authors' table (11.4, 21.5, 23.9, 42.8, "
        "58.5) has 0.2 to 0.4 more",
    )
    n_train: int = Field(ge=0, description="number of training images; s of a fine-tuning")
    n_test: int = Field(gt=0, description="number of images of the evaluation")
    pool: Draw | None = Field(default=None, description="what the training images were drawn from, if any")
    subset_digest: str | None = Field(default=None, description="SHA-256 of the labelled subset's indices")
    shortfall: dict[str, int] | None = Field(
        default=None, description="images lacking by class, where a class has too few for an equal share"
    )
    diverged: bool = Field(default=False, description="a pilot's rate that diverged; its error counts as 1")
    seconds: FiniteFloat = Field(ge=0, description="training time, interrupted parts included, seconds")
    device: str = Field(min_length=1, description="what computed")
    devices: int = Field(default=1, gt=0, description="number of devices that computed together")
    passes: int = Field(
        default=1, gt=0, description="forward passes of a device a step, whose gradients were accumulated"
    )
    norm_batch_size: int | None = Field(
        default=None, gt=0, description="images that batch norm took its statistics over"
    )
    precision: Literal["fp32", "fp16", "bf16"] = Field(
        default="fp32", description="precision of the forward pass, as computed"
    )
    tf32: bool | None = Field(
        default=None, description="whether a GPU's products of fp32 numbers could be TF32; null on a CPU"
    )
    recipe: dict[str, Any] = Field(description="the recipe's section, resolved")
    versions: dict[str, str] = Field(description="versions of Python and of the packages that matter")
    git_commit: str | None = Field(default=None, description="commit of the code, where there is one")
    inputs: dict[str, str] = Field(description="SHA-256 of what was read, by name")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        iterations = [point.iteration for point in self.evaluations]
        if iterations != sorted(set(iterations)):
            raise ValueError(f"evaluations: iterations must increase; they are {iterations}")
        if iterations[-1] != self.iterations:
            raise ValueError(f"the last evaluation is at {iterations[-1]} of {self.iterations} iterations")
        return self

    @model_validator(mode="after")
    def _trained(self) -> Self:
        for name in ("n_train", "iterations"):
            if (getattr(self, name) == 0) != (self.key.arm == RENDERS_ONLY):
                raise ValueError(f"{name}: the arm {self.key.arm} cannot have {getattr(self, name)}")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.last != self.evaluations[-1]:
            raise ValueError("last: it is not the last of the evaluations")
        best = max(self.evaluations, key=lambda point: point.value)
        if self.best != best:
            raise ValueError("best: it is not the best of the evaluations")
        result = best if self.stage == "pretrain" else self.last
        if self.value != result.value:
            raise ValueError(f"value: it must be {result.value}, the {self.stage}'s result")
        for value, error in [(self.value, self.error)] + [(p.value, p.error) for p in self.evaluations]:
            if error != 1 - value:
                raise ValueError(f"error: it must be {1 - value}, 1 - value")
        return self


def read_metrics(path: str | Path) -> Metrics:
    """Return the metrics that a run wrote.

    Raises
    ------
    InputError
        The file is missing, or not a complete metrics.json.
    """
    try:
        return Metrics.model_validate(read_json(path))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"])
        problem = f"not complete metrics ({detail['msg']}); remove it and run it again"
        raise InputError(problem, file=path, key=place) from None
    except ValueError as error:
        raise InputError(f"not valid JSON ({error}); remove it and run it again", file=path) from None


def write_metrics(path: str | Path, values: dict[str, Any]) -> Metrics:
    """Write a run's metrics atomically, if they are complete and consistent.

    Parameters
    ----------
    path : str or Path
        Where metrics.json is to be.
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
