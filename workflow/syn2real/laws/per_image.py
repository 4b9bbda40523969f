"""What a fine-tuning got right on each test image: its error again for any choice of the images.

A run leaves `per_image.npz` beside its metrics. All runs of a curve are tested on the same images, so the
images can be drawn again, once for all runs: image i counts m_i times in each.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from syn2real.errors import InputError

FILE = "per_image.npz"
"""Beside a fine-tuning's metrics."""
BETWEEN = "; "
"""Between the files of one point, as a table of points names them."""

RECALLS = np.linspace(0, 1, 101)
"""At which COCO reads the precision."""

Counts = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class PerImage(ABC):
    """What one run got right on each test image.

    Attributes
    ----------
    ids : str array, shape (N,)
        The images' names, in the order of the evaluation.
    classes : str array, shape (K,)
        Names of the classes.
    """

    kind: ClassVar[str]
    shapes: ClassVar[dict[str, str]]
    """A letter for each axis of the fields: N images, K classes, R rows, P pixel counts, T overlaps."""

    ids: NDArray[np.str_]
    classes: NDArray[np.str_]

    def __post_init__(self) -> None:
        """Raise ValueError unless the fields are of one length, and no index lies beyond the last."""
        sizes = {"N": len(self.ids), "K": len(self.classes), "P": 3, "T": 10}
        for name, axes in self.shapes.items():
            shape = np.shape(getattr(self, name))
            if len(shape) != len(axes) or any(
                sizes.setdefault(axis, length) != length for axis, length in zip(axes, shape, strict=True)
            ):
                raise ValueError(f"{name} has shape {shape} where there are {sizes['N']} images")
            index, values = {"image": "N", "of_class": "K", "label": "K"}.get(name), getattr(self, name)
            if index and len(values) and not 0 <= np.min(values) <= np.max(values) < sizes[index]:
                raise ValueError(f"{name} has numbers beyond the last")

    def is_like(self, other: PerImage) -> bool:
        """Return whether both are of one task with the same classes."""
        return type(self) is type(other) and np.array_equal(self.classes, other.classes)

    @property
    def photographs(self) -> int:
        """Number of images."""
        return len(self.ids)

    @property
    def own_error(self) -> float:
        """The run's error on its images as they are."""
        return self.error(np.ones(self.photographs, int))

    def error(self, multiplicities: Counts) -> float:
        """Return the run's error where image i counts `multiplicities[i]` times, shape (N,)."""
        return self.errors(multiplicities)[0]

    def errors(self, multiplicities: Counts) -> tuple[float, NDArray[np.float64]]:
        """Return `error` and `class_errors` at once; NaN for an error where no class is judged."""
        each = self.class_errors(multiplicities)
        judged = each[~np.isnan(each)]
        return float(judged.mean()) if len(judged) else np.nan, each

    @abstractmethod
    def class_errors(self, multiplicities: Counts) -> NDArray[np.float64]:
        """Return each class's error, shape (K,); NaN for a class that these images do not judge."""


@dataclass(frozen=True)
class Labelled(PerImage):
    """Top-1 accuracy: `label` and `wrong`, shape (N,), of each image."""

    kind: ClassVar[str] = "label"
    shapes: ClassVar[dict[str, str]] = {"label": "N", "wrong": "N"}
    label: NDArray[np.integer[Any]]
    wrong: NDArray[np.bool_]

    def errors(self, multiplicities: Counts) -> tuple[float, NDArray[np.float64]]:
        """Return the share of wrong images, of all (classes with more images count more) and by class."""
        return float(np.average(self.wrong, weights=multiplicities)), self.class_errors(multiplicities)

    def class_errors(self, multiplicities: Counts) -> NDArray[np.float64]:
        """Return the share of wrong images of each class."""
        images, wrong = (
            np.bincount(self.label, weights=counted, minlength=len(self.classes))
            for counted in (multiplicities, multiplicities * self.wrong)
        )
        return _ratio(wrong, images)


@dataclass(frozen=True)
class Segmented(PerImage):
    """Mean IoU: pixels of a class in an image, a row for each pair that has any.

    Attributes
    ----------
    image, of_class : int arrays, shape (R,)
        Indices of the image and of the class.
    pixels : int array, shape (R, 3)
        Right, predicted without being there, and there without being predicted.
    """

    kind: ClassVar[str] = "pixels"
    shapes: ClassVar[dict[str, str]] = {"image": "R", "of_class": "R", "pixels": "RP"}
    image: NDArray[np.integer[Any]]
    of_class: NDArray[np.integer[Any]]
    pixels: NDArray[np.integer[Any]]

    def class_errors(self, multiplicities: Counts) -> NDArray[np.float64]:
        """Return 1 less each class's IoU; NaN where it is in neither truth nor prediction."""
        weights = multiplicities[self.image][:, None] * self.pixels.astype(float)
        sums = np.zeros((len(self.classes), 3))
        np.add.at(sums, self.of_class, weights)
        return _ratio(sums[:, 1] + sums[:, 2], sums.sum(axis=1))


@dataclass(frozen=True)
class Detected(PerImage):
    """COCO's mean average precision: detections as pycocotools matched them.

    Attributes
    ----------
    image, of_class : int arrays, shape (D,)
        Indices of each detection's image and class; within a class in the order of the images.
    score : float64 array, shape (D,)
        The detector's.
    matched, ignored : bool arrays, shape (D, 10)
        At each of COCO's ten overlaps: matched to an object; not counted.
    objects : int array, shape (N, K)
        Objects of each class in each image that are to be found.
    """

    kind: ClassVar[str] = "boxes"
    shapes: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("image", "of_class", "score"), "R"),
        **dict.fromkeys(("matched", "ignored"), "RT"),
        "objects": "NK",
    }
    image: NDArray[np.integer[Any]]
    of_class: NDArray[np.integer[Any]]
    score: NDArray[np.float64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    objects: NDArray[np.integer[Any]]

    def class_errors(self, multiplicities: Counts) -> NDArray[np.float64]:
        """Return 1 less each class's average precision; NaN for a class without objects."""
        found = np.full(len(self.classes), np.nan)
        objects = multiplicities @ self.objects
        for number in np.flatnonzero(objects):
            own = np.flatnonzero(self.of_class == number)
            own = own[np.argsort(-self.score[own], kind="mergesort")]
            counts = multiplicities[self.image[own], None] * ~self.ignored[own]
            found[number] = 1 - _average_precision(counts, self.matched[own], objects[number])
        return found


def _average_precision(counts: Counts, matched: NDArray[np.bool_], objects: int) -> float:
    """Return COCO's average precision of one class over its ten overlaps.

    Parameters
    ----------
    counts : int array, shape (D, 10)
        How often each detection counts, best first.
    matched : bool array, shape (D, 10)
        Whether it found an object.
    objects : int
        Objects to be found.
    """
    right, all_found = np.cumsum(counts * matched, axis=0), np.cumsum(counts, axis=0)
    precision = right / np.maximum(all_found, 1)
    # The best precision at this recall or a greater one.
    precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    total = 0.0
    for recall, best in zip((right / objects).T, precision.T, strict=True):
        first = np.searchsorted(recall, RECALLS, side="left")
        total += best[first[first < len(best)]].sum()
    return total / len(RECALLS) / counts.shape[1]


KINDS: dict[str, type[PerImage]] = {kind.kind: kind for kind in (Labelled, Segmented, Detected)}


def read_per_image(path: str | Path) -> PerImage:
    """Read what a run left of each test image.

    Raises
    ------
    InputError
        The file is missing or not whole.
    """
    fix = "run this fine-tuning again"
    try:
        with np.load(path, allow_pickle=False) as stored:
            columns = dict(stored)
    except FileNotFoundError:
        raise InputError(f"there is no such file; {fix}", file=path) from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise InputError(
            f"not the results of each test image (no whole .npz file); {fix}", file=path
        ) from None
    try:
        return KINDS[str(columns.pop("kind"))](**columns)
    except (KeyError, TypeError):
        problem = f"not the results of each test image (other columns, or another kind); {fix}"
    except ValueError as error:
        problem = f"not the results of each test image ({error}); {fix}"
    raise InputError(problem, file=path)


def read_runs(named: str) -> PerImage:
    """Read the results of a point: of one run, or of the runs on a target's folds together.

    Parameters
    ----------
    named : str
        Their files, joined by `BETWEEN`.

    Raises
    ------
    InputError
        See `read_per_image`, and where they are not of one task with the same classes.
    """
    files = named.split(BETWEEN)
    parts = [read_per_image(file) for file in files]
    for file, part in zip(files, parts, strict=True):
        if not part.is_like(parts[0]):
            problem = f"of another task or other classes than {files[0]}; run this fine-tuning again"
            raise InputError(problem, file=file)
    return pooled(parts) if len(parts) > 1 else parts[0]


def pooled(parts: Sequence[PerImage]) -> PerImage:
    """Return the results of runs that were tested on different images as those of one test on all of them."""
    kind, stored = type(parts[0]), [vars(part) for part in parts]
    starts = np.cumsum([0, *(part.photographs for part in parts)])
    columns = {
        name: np.concatenate(
            [
                one[name] + start if name == "image" else one[name]
                for one, start in zip(stored, starts, strict=False)
            ]
        )
        for name in stored[0]
        if name != "classes"
    }
    return kind(classes=parts[0].classes, **columns)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part / whole; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
