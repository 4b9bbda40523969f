"""Numerals that stand upright and face -y: typeset ones, and tubes bent along the strokes of a pen.

Each is a mesh of its own width, slant, thickness and colour; all meshes of a digit are one class. Lengths are
millimetres and z is up.
"""

import colorsys
from pathlib import Path

import matplotlib
import numpy as np
import trimesh
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from scipy.spatial import Delaunay

from syn2real.assets.demo.meshes import Points, closed, joined, painted, subdivide, sweep

HEIGHT = 250.0
"""Height of the numerals, millimetres."""
TYPEFACES = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold",
    "DejaVuSerif-Italic", "DejaVuSansMono", "DejaVuSansMono-Bold", "STIXGeneral", "STIXGeneralBol",
    "STIXGeneralItalic", "cmr10", "cmb10", "cmss10", "cmtt10", "cmti10",
)  # fmt: skip
"""Fonts that come with matplotlib."""
HANDS = 16


def typeset() -> list[tuple[str, trimesh.Trimesh]]:
    """Return the ten digits of each typeface, extruded, with their classes."""
    found = []
    for number, face in enumerate(TYPEFACES):
        for digit in range(10):
            random = np.random.default_rng([number, digit])
            mesh = _extruded(_outline(face, digit, random), random.uniform(15, 90))
            found.append((str(digit), painted(mesh, _colour(random))))
    return found


def handwritten() -> list[tuple[str, trimesh.Trimesh]]:
    """Return the ten digits of each hand, as bent tubes, with their classes."""
    found = []
    for hand in range(HANDS):
        for digit in range(10):
            random = np.random.default_rng([len(TYPEFACES) + hand, digit])
            found.append((str(digit), painted(_tube(digit, random), _colour(random))))
    return found


def _colour(random: np.random.Generator) -> tuple[float, float, float]:
    """Return any colour."""
    return colorsys.hsv_to_rgb(random.uniform(), random.uniform(0, 0.95), random.uniform(0.05, 0.95))


def _outline(face: str, digit: int, random: np.random.Generator) -> list[Points]:
    """Return the closed polygons (N, 2) of a glyph, millimetres, the solid on the left of their edges."""
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"
    path = TextPath((0, 0), str(digit), size=100, prop=FontProperties(fname=str(font)))
    loops = [np.array(polygon, dtype=float) for polygon in path.to_polygons()]
    polygons = [subdivide(loop, 3)[:-1] for loop in loops if len(loop) > 3]
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    slant, width = random.normal(0.05, 0.12), random.uniform(0.8, 1.3)
    turn = HEIGHT / (high[1] - low[1]) * np.array([[width, 0], [slant, 1]])
    polygons = [(p - [(low[0] + high[0]) / 2, low[1]]) @ turn for p in polygons]
    area = sum(float(np.cross(p, np.roll(p, -1, axis=0)).sum()) for p in polygons)
    return polygons if area > 0 else [p[::-1] for p in polygons]


def _extruded(polygons: list[Points], depth: float) -> trimesh.Trimesh:
    """Return a solid of some polygons, `depth` thick: two faces of Delaunay's triangles, and its walls."""
    flat = np.concatenate(polygons)
    corners = Delaunay(flat).simplices
    corners = corners[_inside(polygons, flat[corners].mean(axis=1))]
    one, two, three = (flat[corners[:, k]] for k in range(3))
    clockwise = np.cross(two - one, three - one) < 0
    corners[clockwise] = corners[clockwise][:, ::-1]
    n, start = len(flat), 0
    faces = [corners, corners[:, ::-1] + n]
    for polygon in polygons:
        i = start + np.arange(len(polygon))
        j, start = np.roll(i, -1), start + len(polygon)
        faces += [np.column_stack([i, i + n, j]), np.column_stack([j, i + n, j + n])]
    front = np.column_stack([flat[:, 0], np.full(n, -depth / 2), flat[:, 1]])
    return closed(np.concatenate([front, front + [0, depth, 0]]), np.concatenate(faces))


def _inside(polygons: list[Points], points: Points) -> Points:
    """Return which points lie inside an odd number of polygons."""
    hits = [Outline(np.vstack([p, p[:1]])).contains_points(points) for p in polygons]
    return np.sum(hits, axis=0) % 2 == 1


def _tube(digit: int, random: np.random.Generator) -> trimesh.Trimesh:
    """Return a tube along a digit's strokes, which a hand makes wider, slanted, turned and wavy."""
    slant, width, turn = random.normal(0.1, 0.18), random.uniform(0.8, 1.25), np.radians(random.normal(0, 7))
    waves, phases = random.normal(0, 0.03, 2), random.uniform(0, 2 * np.pi, 2)
    radius = HEIGHT * random.uniform(0.035, 0.085)
    lines = []
    for stroke in _strokes(digit, random):
        x, y = _smooth(stroke).T * [[width], [1]]
        x, y = (
            x + waves[0] * np.sin(2 * np.pi * y + phases[0]),
            y + waves[1] * np.sin(2 * np.pi * x + phases[1]),
        )
        x, y = x + slant * (y - 0.5), y - 0.5
        lines.append(
            np.column_stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y])
        )
    scale = (HEIGHT - 2 * radius) / np.ptp(np.concatenate(lines)[:, 1])
    tubes = [
        sweep(np.column_stack([x, np.full(len(x), k * radius / 10), z]), radius, sides=8)
        for k, (x, z) in enumerate((line * scale).T for line in lines)
    ]
    return joined(*tubes) if len(tubes) > 1 else tubes[0]


def _smooth(line: Points, n: int = 26) -> Points:
    """Return n points along a line at equal distances, its corners rounded a little."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    keep = np.concatenate([[True], steps > 1e-6])
    at = np.concatenate([[0], np.cumsum(steps)])[keep]
    points = np.column_stack([np.interp(np.linspace(0, at[-1], n), at, line[keep, k]) for k in (0, 1)])
    points[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
    return points


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Points:
    """Return points of an ellipse's arc; angles in degrees, from the right, anticlockwise."""
    angle = np.radians(np.linspace(start, end, 14))
    return np.column_stack([x + width * np.cos(angle), y + height * np.sin(angle)])


def _strokes(digit: int, random: np.random.Generator) -> list[Points]:
    """Return a digit's strokes, some 0.6 wide and 1 high, in one of the ways that people write it."""

    def near(*points: tuple[float, float]) -> Points:
        return np.array(points) + random.normal(0, 0.03, (len(points), 2))

    way = int(random.integers(3))
    wide = float(random.normal(0, 0.02))
    match digit:
        case 0:
            return [_arc(0, 0.5, 0.28 + wide, 0.5, 90, 440)]
        case 1:
            foot = [near((-0.2, 0), (0.22, 0))] if way == 2 else []
            return [near((-0.18, 0.75), (0.05, 1), (0.03, 0)) if way else near((0.05, 1), (0, 0)), *foot]
        case 2:
            return [np.vstack([_arc(0, 0.72, 0.26 + wide, 0.28, 170, -35), near((-0.28, 0.03), (0.3, 0.02))])]
        case 3:
            upper, lower = _arc(-0.02, 0.75, 0.24 + wide, 0.25, 150, -80), _arc(0, 0.25, 0.28, 0.26, 80, -150)
            return [np.vstack([upper, lower])]
        case 4 if way == 0:
            return [near((0.12, 0), (0.12, 1), (-0.3, 0.35), (0.32, 0.33))]
        case 4:
            return [near((-0.05, 1), (-0.28, 0.38), (0.3, 0.38)), near((0.12, 0.7), (0.1, 0))]
        case 5:
            bowl = _arc(-0.02, 0.3, 0.28 + wide, 0.3, 110, -150)
            return [np.vstack([near((0.28, 1), (-0.2, 0.98), (-0.22, 0.58)), bowl])]
        case 6:
            bowl = _arc(0, 0.27, 0.26 + wide, 0.27, 170, -190)
            return [np.vstack([near((0.14, 1), (-0.12, 0.72), (-0.24, 0.45)), bowl])]
        case 7:
            bar = [near((-0.14, 0.5), (0.3, 0.52))] if way else []
            return [near((-0.28, 0.97), (0.28, 1), (0, 0)), *bar]
        case 8 if way == 0:
            return [_arc(0, 0.75, 0.21, 0.25, -90, 265), _arc(0, 0.26, 0.26 + wide, 0.26, 90, 445)]
        case 8:
            angle = np.radians(np.linspace(45, 405, 30))
            return [np.column_stack([(0.26 + wide) * np.sin(2 * angle), 0.5 + 0.5 * np.sin(angle)])]
        case _:
            straight = near((0.23, 0.72), (0.2, 0.4), (0.1, 0))
            hook = np.vstack([near((0.23, 0.72)), _arc(-0.03, 0.3, 0.26, 0.3, 20, -120)])
            return [np.vstack([_arc(0, 0.73, 0.24 + wide, 0.26, 15, 365), hook if way == 0 else straight])]
