"""The demo's surfaces: small tileable maps in ambientCG's layout, computed, not photographed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
"""A tileable map, shape (S, S) or (S, S, 3), from 0 to 1."""


def noise(size: int, octave: float, generator: np.random.Generator, stretch: float = 1.0) -> Field:
    """Return tileable noise from 0 to 1 whose features are about `1 / octave` of the tile.

    Parameters
    ----------
    size : int
        Side in pixels.
    octave : float
        Features along a side.
    generator : numpy.random.Generator
        Source of the randomness.
    stretch : float
        Above 1 the features are drawn out along x, as wood's grain is.
    """
    frequency = np.fft.fftfreq(size, 1 / size)
    distance = np.hypot(frequency[None] * stretch, frequency[:, None]) / octave
    spectrum = np.fft.fft2(generator.standard_normal((size, size))) * np.exp(-(distance**2))
    values = np.fft.ifft2(spectrum).real
    return (values - values.min()) / np.ptp(values)


def _mix(first: tuple[float, ...], second: tuple[float, ...], share: Field) -> Field:
    """Blend two colours by a map."""
    return np.asarray(first) + (np.asarray(second) - np.asarray(first)) * share[..., None]


def _grid(size: int) -> tuple[Field, Field]:
    x = (np.arange(size) + 0.5) / size
    return np.meshgrid(x, x)  # type: ignore[return-value]


def _cells(size: int, columns: int, rows: int, joint: float, shift: float) -> tuple[Field, NDArray[np.int_]]:
    """Return a map that is 1 on bricks and 0 in joints, and the number of the brick of each pixel."""
    x, y = _grid(size)
    row = np.floor(y * rows).astype(int)
    u = (x * columns + shift * (row % 2)) % columns
    edge = np.minimum(
        np.minimum(u % 1, 1 - u % 1) / columns, np.minimum(y * rows % 1, 1 - y * rows % 1) / rows
    )
    return np.clip(edge / joint, 0, 1), row * columns + np.floor(u).astype(int)


def fabric(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """A woven carpet: colour, height, roughness."""
    x, y = _grid(size)
    weave = 0.5 + 0.25 * (np.sin(2 * np.pi * 32 * x) * np.sin(2 * np.pi * 32 * y) + 1) * 0.8
    tone = 0.75 * weave + 0.25 * noise(size, 40, generator)
    return _mix((0.25, 0.23, 0.21), (0.62, 0.58, 0.52), tone), weave, np.full((size, size), 0.95)


def wood(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Planks with grain."""
    solid, number = _cells(size, 2, 6, 0.006, 0.5)
    grain = noise(size, 60, generator, stretch=14)
    tone = 0.55 * grain + 0.45 * generator.random(12)[number]
    return (
        _mix((0.3, 0.16, 0.07), (0.72, 0.48, 0.26), tone) * (0.4 + 0.6 * solid[..., None]),
        solid,
        0.5 + 0.2 * grain,
    )


def bricks(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Red bricks in mortar."""
    solid, number = _cells(size, 5, 12, 0.012, 0.5)
    tone = 0.6 * generator.random(60)[number] + 0.4 * noise(size, 30, generator)
    colour = _mix((0.36, 0.11, 0.07), (0.68, 0.3, 0.2), tone)
    return _mix((0.6, 0.58, 0.55), (0, 0, 0), solid) + colour * solid[..., None], solid, 0.8 + 0.15 * tone


def tiles(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """A glazed chequerboard."""
    solid, number = _cells(size, 8, 8, 0.005, 0)
    dark = (number // 8 + number % 8) % 2
    tone = np.clip(dark * 0.8 + 0.2 * noise(size, 8, generator), 0, 1)
    return (
        _mix((0.85, 0.85, 0.8), (0.1, 0.2, 0.3), tone) * (0.5 + 0.5 * solid[..., None]),
        solid,
        0.9 - 0.7 * solid,
    )


def marble(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Polished stone with veins."""
    veins = 1 - np.abs(2 * noise(size, 5, generator) - 1)
    tone = veins**6 * 0.8 + 0.2 * noise(size, 20, generator)
    return _mix((0.9, 0.88, 0.85), (0.25, 0.28, 0.3), tone), np.ones((size, size)), np.full((size, size), 0.2)


def concrete(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Grey concrete."""
    tone = 0.5 * noise(size, 6, generator) + 0.5 * noise(size, 60, generator)
    return _mix((0.32, 0.32, 0.31), (0.66, 0.65, 0.62), tone), tone, 0.75 + 0.2 * tone


def metal(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Painted sheet metal with ridges and rust."""
    x, _ = _grid(size)
    ridge = 0.5 + 0.5 * np.sin(2 * np.pi * 12 * x)
    rust = np.clip((noise(size, 7, generator) - 0.55) * 6, 0, 1)
    return _mix((0.16, 0.36, 0.42), (0.42, 0.2, 0.08), rust), ridge, 0.35 + 0.5 * rust


def ground(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Grass on soil."""
    blades, patch = noise(size, 70, generator), noise(size, 5, generator)
    colour = _mix((0.2, 0.13, 0.07), (0.25, 0.42, 0.1), np.clip(patch * 1.5 - 0.2, 0, 1))
    return colour * (0.5 + blades[..., None]), blades, np.full((size, size), 0.95)


def leather(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Wrinkled red-brown leather."""
    wrinkles = np.abs(2 * noise(size, 24, generator) - 1)
    return _mix((0.2, 0.05, 0.04), (0.5, 0.15, 0.1), wrinkles), wrinkles, 0.45 + 0.2 * wrinkles


def rocks(size: int, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """Round pebbles of many tones."""
    seeds = generator.random((90, 2))
    x, y = _grid(size)
    offset = np.abs(np.stack([x, y], -1)[:, :, None] - seeds)
    distance = np.linalg.norm(np.minimum(offset, 1 - offset), axis=-1)
    nearest = distance.min(-1)
    height = 1 - nearest / nearest.max()
    tone = generator.random(90)[distance.argmin(-1)]
    return (
        _mix((0.3, 0.28, 0.26), (0.75, 0.7, 0.62), tone) * (0.35 + 0.65 * height[..., None]),
        height,
        1 - 0.3 * height,
    )


Material = Callable[[int, np.random.Generator], tuple[Field, Field, Field]]
MATERIALS: dict[str, Material] = {
    "Bricks001": bricks,
    "Concrete001": concrete,
    "Fabric001": fabric,
    "Ground001": ground,
    "Leather001": leather,
    "Marble001": marble,
    "Metal001": metal,
    "Rocks001": rocks,
    "Tiles001": tiles,
    "Wood001": wood,
}


def normal_map(height: Field, relief: float = 0.012) -> Field:
    """Return the tangent-space normals (OpenGL: green points up) of a tileable height map, from 0 to 1."""
    size = len(height)
    slope_x = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / 2 * size * relief
    slope_y = (np.roll(height, 1, 0) - np.roll(height, -1, 0)) / 2 * size * relief
    normals = np.stack([-slope_x, -slope_y, np.ones_like(height)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals / 2 + 0.5
