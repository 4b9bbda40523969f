"""Building blocks of the demo's objects: revolve, extrude, sweep, and what joins and paints them.

All lengths are millimetres and z is up. Every function returns a closed `trimesh.Trimesh` whose faces look
outwards.
"""

from collections.abc import Callable, Sequence

import numpy as np
import trimesh
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
Paint = Callable[[Points], Points]
"""A pattern: points (N, 3) in millimetres to colours (N, 3) from 0 to 1."""


def closed(vertices: Points, faces: ArrayLike) -> trimesh.Trimesh:
    """Return a mesh without doubled vertices whose volume is positive."""
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    mesh.merge_vertices()
    mesh.update_faces(mesh.nondegenerate_faces())
    if mesh.volume < 0:
        mesh.invert()
    return mesh


def _grid_faces(rows: int, columns: int, wrap_rows: bool) -> NDArray[np.int64]:
    """Return two triangles for each cell of a grid of points whose columns close on themselves."""
    i, j = np.meshgrid(np.arange(rows if wrap_rows else rows - 1), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = (i + 1) % rows * columns + j, (i + 1) % rows * columns + (j + 1) % columns
    faces = np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)], -2)
    return faces.reshape(-1, 3)


def revolve(profile: ArrayLike, segments: int = 40, step: float = 5.0) -> trimesh.Trimesh:
    """Turn a profile about the z axis.

    Parameters
    ----------
    profile : array, shape (N, 2)
        Radius and height along the outline; the first and last radius are 0, so that the solid is closed.
    segments : int
        Points around the axis.
    step : float
        Longest edge along the profile, so that vertex colours can carry a pattern.
    """
    outline = subdivide(np.asarray(profile, dtype=float), step)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    radius, height = outline[:, :1], np.broadcast_to(outline[:, 1:], (len(outline), segments))
    vertices = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1).reshape(-1, 3)
    return closed(vertices, _grid_faces(len(outline), segments, wrap_rows=False))


def subdivide(line: Points, step: float) -> Points:
    """Insert points into a polyline until no edge is longer than `step`."""
    parts = []
    for start, end in zip(line[:-1], line[1:], strict=True):
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / step)))
        parts.append(start + (end - start) * np.arange(count)[:, None] / count)
    return np.concatenate([*parts, line[-1:]])


def sweep(path: ArrayLike, radius: float, *, loop: bool = False, sides: int = 12) -> trimesh.Trimesh:
    """Draw a round tube along a path.

    Parameters
    ----------
    path : array, shape (N, 3)
        The tube's centre line, without a doubled last point.
    radius : float
        The tube's radius.
    loop : bool
        Whether the path closes on itself; otherwise the ends are capped.
    sides : int
        Points around the tube.
    """
    points = np.asarray(path, dtype=float)
    ahead, behind = np.roll(points, -1, 0), np.roll(points, 1, 0)
    if not loop:
        ahead[-1], behind[0] = points[-1], points[0]
    tangent = ahead - behind
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal, binormal = _frames(tangent, loop)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None, None]
    rings = points + radius * (np.cos(angle) * normal + np.sin(angle) * binormal)
    rings = np.moveaxis(rings, 0, 1)
    if not loop:
        caps = [np.repeat(points[[end]], sides, 0)[None] for end in (0, -1)]
        rings = np.concatenate([caps[0], rings, caps[1]])
    return closed(rings.reshape(-1, 3), _grid_faces(len(rings), sides, wrap_rows=loop))


def _frames(tangent: Points, loop: bool) -> tuple[Points, Points]:
    """Return two directions across each tangent that twist as little as they can along the path."""
    normal = np.empty_like(tangent)
    start = np.eye(3)[np.argmin(np.abs(tangent[0]))]
    for k, t in enumerate(tangent):
        start = start - t * (start @ t)
        start = start / np.linalg.norm(start)
        normal[k] = start
    if loop:
        # The last frame need not meet the first: spread what is missing over the whole path.
        end = normal[-1] - tangent[0] * (normal[-1] @ tangent[0])
        miss = np.arctan2(np.cross(end, normal[0]) @ tangent[0], end @ normal[0])
        turn = (np.linspace(0, 1, len(tangent)) * miss)[:, None]
        normal = np.cos(turn) * normal + np.sin(turn) * np.cross(tangent, normal)
    return normal, np.cross(tangent, normal)


def extrude(outline: ArrayLike, height: float, *, layers: int = 2, taper: float = 1.0) -> trimesh.Trimesh:
    """Raise a star-shaped outline (every point is seen from the origin) along z.

    Parameters
    ----------
    outline : array, shape (N, 2)
        Corners in order, around the origin.
    height : float
        Length along z; the solid stands on z = 0.
    layers : int
        Rings of vertices along z.
    taper : float
        Scale of the top relative to the bottom.
    """
    corners = np.asarray(outline, dtype=float)
    share = np.linspace(0, 1, layers)
    rings = [
        np.column_stack([corners * (1 + (taper - 1) * s), np.full(len(corners), height * s)]) for s in share
    ]
    caps = [np.repeat([[0.0, 0.0, z]], len(corners), 0) for z in (0, height)]
    stack = np.stack([caps[0], *rings, caps[1]])
    return closed(stack.reshape(-1, 3), _grid_faces(len(stack), len(corners), wrap_rows=False))


def ring(radius: float, count: int, *, phase: float = 0.0) -> Points:
    """Return the corners of a regular polygon, shape (count, 2)."""
    angle = phase + np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def box(size: Sequence[float], centre: Sequence[float] = (0, 0, 0), step: float = 1e9) -> trimesh.Trimesh:
    """Return a cuboid whose edges are cut until none is longer than `step`."""
    mesh = trimesh.creation.box(extents=size)
    vertices, faces = trimesh.remesh.subdivide_to_size(mesh.vertices, mesh.faces, step, max_iter=12)
    mesh = closed(vertices, faces)
    mesh.apply_translation(centre)
    return mesh


def ball(
    radius: float, centre: Sequence[float] = (0, 0, 0), stretch: Sequence[float] = (1, 1, 1)
) -> trimesh.Trimesh:
    """Return a sphere or ellipsoid."""
    angle = np.linspace(0, np.pi, 21)
    mesh = revolve(radius * np.column_stack([np.sin(angle), -np.cos(angle)]), 32, 1e9)
    mesh.apply_scale(stretch)
    mesh.apply_translation(centre)
    return mesh


def cylinder(radius: float, height: float, segments: int = 32, step: float = 1e9) -> trimesh.Trimesh:
    """Return a cylinder standing on z = 0."""
    return revolve(np.array([[0, 0], [radius, 0], [radius, height], [0, height]]), segments, step)


def placed(
    mesh: trimesh.Trimesh, shift: Sequence[float] = (0, 0, 0), turn: Sequence[float] = (0, 0, 0)
) -> trimesh.Trimesh:
    """Return a copy turned about x, y and z (degrees, in this order) and then shifted (millimetres)."""
    copy = mesh.copy()
    for axis, degrees in zip(np.eye(3), turn, strict=True):
        copy.apply_transform(trimesh.transformations.rotation_matrix(np.radians(degrees), axis))
    copy.apply_translation(shift)
    return copy


def painted(mesh: trimesh.Trimesh, paint: Paint | Sequence[float]) -> trimesh.Trimesh:
    """Return a copy whose vertices carry a colour or a pattern."""
    copy = mesh.copy()
    vertices = np.asarray(copy.vertices)
    colours = paint(vertices) if callable(paint) else np.broadcast_to(paint, (len(vertices), 3))
    alpha = np.full((len(vertices), 1), 255)
    levels = np.rint(np.clip(colours, 0, 1) * 255)
    rgba = np.concatenate([levels, alpha], axis=1).astype(np.uint8)
    copy.visual = trimesh.visual.ColorVisuals(copy, vertex_colors=rgba)
    return copy


def joined(*parts: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return one mesh of several parts, which may overlap."""
    mesh = trimesh.util.concatenate(parts)
    assert isinstance(mesh, trimesh.Trimesh), "several meshes make a mesh"
    return mesh
