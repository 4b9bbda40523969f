"""A real target that needs no download: the scans of handwritten digits that come with scikit-learn.

They are 1,797 scans of 8 x 8 pixels by 13 people: the test part of "Optical Recognition of Handwritten
Digits" (Alpaydin and Kaynak, 1998, UCI Machine Learning Repository).
"""

from pathlib import Path

import numpy as np
from PIL import Image

BORDER = 1
"""Black pixels around a scan, whose strokes touch its edges."""
ENLARGED = 4
"""Pixels of a file along a pixel of a scan; bilinear between them."""
LIGHTEST = 16
"""The value of white."""


def make_scans(folder: Path, labels: int, seed: int) -> None:
    """Write the scans as PNGs in layout image-folder.

    Parameters
    ----------
    folder : Path
        Gets `train/<digit>/<number>.png`, the labelled scans, and `val/<digit>/<number>.png`, all others; the
        number is the scan's place in scikit-learn's order.
    labels : int
        Labelled scans of each digit.
    seed : int
        Of the draw of the labelled scans.
    """
    from sklearn.datasets import load_digits

    scans = load_digits()
    order = np.random.default_rng(seed).permutation(len(scans.target))
    for digit in range(10):
        numbers = order[scans.target[order] == digit]
        for split, chosen in (("train", numbers[:labels]), ("val", numbers[labels:])):
            place = folder / split / str(digit)
            place.mkdir(parents=True)
            for number in chosen:
                _picture(scans.images[number]).save(place / f"{number:04d}.png")


def _picture(scan: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Image.Image:
    """Return a scan [8, 8] as a picture."""
    levels = np.rint(np.pad(scan, BORDER) * 255 / LIGHTEST).astype(np.uint8)
    side = len(levels) * ENLARGED
    return Image.fromarray(levels).resize((side, side), Image.Resampling.BILINEAR)
