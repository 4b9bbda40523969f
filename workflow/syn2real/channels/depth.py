"""Depth: how far each visible surface is from the camera, along its viewing axis, in metres."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from syn2real.channels.base import Limits, RawView, Solid, decoded, fitted, read_pixels
from syn2real.png import encode_png

MEMBER = "depth.png"
PASSES = ("Depth",)
FILES = {
    "description": "folders of depth along the viewing axis: a grey PNG of 16 bits named as its image, in "
    "steps of unit_m; 0 is unknown",
    "measured": True,
}
STEP_M = 1e-4
"""Metres a step of 16 bits: a tenth of a millimetre, to 6.5 m."""
STEPS = 65535
FEW = 0.01
"""Share of pixels that may be too far without a warning."""
MANY_STEPS = 16
"""Depths that differ; fewer say nothing about the steps of a file."""
NEAR_M = 0.02
"""A median depth below this, metres, is probably of another unit."""


def render(view: RawView, solids: list[Solid], limits: Limits) -> bytes:
    """Encode Blender's depth pass."""
    return encode(view.passes["Depth"])


def read(path: Path, size: tuple[int, int], unit_m: float) -> NDArray[np.float32]:
    """Read a user's own depth in steps of `unit_m` metres, shape (H, W); 0 is unknown.

    Raises
    ------
    InputError
        The file is missing or damaged, or has another size (height, width) than its image.
    """
    return (read_pixels(path, size, "depths", colour=False) * unit_m).astype(np.float32)


def check(values: Sequence[NDArray[np.floating]]) -> list[str]:
    """Return warnings about a user's own depths, a few images' in metres.

    Raises
    ------
    ValueError
        None of them is a depth that can be kept: the unit must be another.
    """
    known = np.concatenate([value[value > 0] for value in values])
    if not known.size:
        raise ValueError("no pixel has a depth: all are 0, which is unknown")
    farthest, far = STEP_M * STEPS, float(np.mean(known > STEP_M * STEPS))
    middle = f"half of them are farther than {np.median(known):.3g} m"
    if far == 1:
        raise ValueError(f"all depths are beyond {farthest:.2f} m, the farthest kept; {middle}: check unit_m")
    warnings = []
    if far > FEW:
        warnings.append(f"{far:.0%} of the depths are beyond {farthest:.2f} m and become unknown; {middle}")
    if np.median(known) < NEAR_M:
        warnings.append(f"half of the depths are nearer than {np.median(known):.2g} m: check unit_m")
    steps = np.unique(known)
    if len(steps) >= MANY_STEPS and steps[-1] <= 255.5 * np.diff(steps).min():
        warnings.append("no depth is above 255 steps: if these are pictures of it, write 16 bits")
    return warnings


def encode(value: NDArray[np.floating]) -> bytes:
    """Return depth in metres as a grey PNG of 16 bits; what is farther than it holds, or nothing, is 0."""
    steps = np.rint(value / STEP_M)
    return encode_png(np.where(steps <= STEPS, steps, 0).astype(np.uint16))


def decode(content: bytes) -> NDArray[np.float32]:
    """Return depth in metres, float32 [H, W]; 0 is unknown."""
    return (decoded(content, colour=False) * STEP_M).astype(np.float32)


def draw(value: NDArray[np.floating], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return near surfaces bright and far ones dark, uint8 [H, W, 3]; black is unknown."""
    value = fitted(value, image.shape[:2])
    known = value > 0
    near, far = (value[known].min(), value[known].max()) if known.any() else (0.0, 1.0)
    brightness = 1 - 0.8 * (value - near) / max(far - near, STEP_M)
    return np.repeat(np.where(known, np.rint(255 * brightness), 0).astype(np.uint8)[..., None], 3, axis=2)
