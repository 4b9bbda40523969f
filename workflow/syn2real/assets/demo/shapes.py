"""The demo's 24 objects: 12 everyday ones with colours of their own, 12 bare machine parts.

Each function returns a mesh in millimetres, z up. They differ in silhouette, not only in size, so that a
classifier can distinguish them from any side.
"""

from collections.abc import Callable, Sequence

import numpy as np
import trimesh

from syn2real.assets.demo.meshes import (
    Paint,
    Points,
    ball,
    box,
    cylinder,
    extrude,
    joined,
    painted,
    placed,
    revolve,
    ring,
    sweep,
)

Colour = Sequence[float]
RED, BLUE, GREEN, YELLOW = (0.8, 0.06, 0.05), (0.05, 0.15, 0.75), (0.05, 0.5, 0.12), (0.95, 0.75, 0.05)
WHITE, BLACK, ORANGE, PURPLE = (0.95, 0.95, 0.92), (0.03, 0.03, 0.04), (0.95, 0.4, 0.03), (0.4, 0.08, 0.5)
BROWN, PINK, CYAN, LIME = (0.35, 0.17, 0.06), (0.95, 0.45, 0.6), (0.05, 0.65, 0.7), (0.5, 0.8, 0.1)


def bands(first: Colour, second: Colour, width: float, axis: Sequence[float] = (0, 0, 1)) -> Paint:
    """Paint stripes across a direction, `width` millimetres each."""

    def paint(points: Points) -> Points:
        odd = np.floor(points @ np.asarray(axis, float) / width).astype(int) % 2
        return np.where(odd[:, None] == 0, first, second)

    return paint


def sectors(*colours: Colour, twist: float = 0.0) -> Paint:
    """Paint equal sectors about the z axis, turned by `twist` radians a millimetre of height."""

    def paint(points: Points) -> Points:
        angle = np.arctan2(points[:, 1], points[:, 0]) + twist * points[:, 2]
        index = np.floor(angle / (2 * np.pi) * len(colours) + 1e-6).astype(int) % len(colours)
        return np.asarray(colours)[index]

    return paint


def dots(ground: Colour, spot: Colour, pitch: float, radius: float) -> Paint:
    """Paint round spots on a cubic lattice of `pitch` millimetres."""

    def paint(points: Points) -> Points:
        offset = (points / pitch + 0.5) % 1 - 0.5
        inside = np.linalg.norm(offset, axis=1) * pitch < radius
        return np.where(inside[:, None], spot, ground)

    return paint


def mug() -> trimesh.Trimesh:
    """A striped mug with a handle."""
    wall = revolve([[0, 0], [38, 0], [40, 4], [40, 95], [36, 95], [36, 6], [0, 6]], 40)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 20)
    arc = np.column_stack([38 + 30 * np.cos(angle), np.zeros(20), 48 + 30 * np.sin(angle)])
    return joined(painted(wall, bands(PINK, BROWN, 16)), painted(sweep(arc, 6), BROWN))


def ring_toy() -> trimesh.Trimesh:
    """A swimming ring in two colours."""
    path = np.column_stack([ring(60, 64), np.zeros(64)])
    return painted(sweep(path, 24, loop=True, sides=20), sectors(*[WHITE, BLUE] * 4))


def bottle() -> trimesh.Trimesh:
    """A green bottle with a label and a cap."""
    outline = [
        [0, 0],
        [30, 0],
        [33, 5],
        [33, 95],
        [26, 118],
        [12, 135],
        [12, 165],
        [15, 165],
        [15, 180],
        [0, 180],
    ]

    def label(points: Points) -> Points:
        z = points[:, 2, None]
        colours = np.where((z > 30) & (z < 85), YELLOW, GREEN)
        return np.where(z > 158, BLACK, colours)

    return painted(revolve(outline), label)


def fir() -> trimesh.Trimesh:
    """A toy fir tree: three cones on a trunk."""
    cones = [
        placed(revolve([[0, 0], [r, 0], [0, 60]], 40), (0, 0, z)) for r, z in ((55, 25), (43, 62), (31, 98))
    ]
    tree = [painted(cone, dots(GREEN, YELLOW, 22, 8)) for cone in cones]
    return joined(painted(cylinder(12, 30), BROWN), *tree)


def star() -> trimesh.Trimesh:
    """A thick five-pointed star standing on two points."""
    corners = np.where(np.arange(10)[:, None] % 2 == 0, ring(75, 10, phase=0.314), ring(31, 10, phase=0.314))
    solid = placed(extrude(corners, 34, layers=4), (0, 0, -17), (90, 0, 0))
    centre = ball(20, stretch=(1, 1.1, 1))
    return joined(painted(solid, ORANGE), painted(centre, PURPLE))


def chair() -> trimesh.Trimesh:
    """A chair with slats in its back."""
    legs = [box((10, 10, 70), (x, y, 35)) for x in (-35, 35) for y in (-35, 35)]
    posts = [box((10, 8, 80), (x, 36, 115)) for x in (-35, 35)]
    slats = [box((64, 6, 14), (0, 36, z)) for z in (105, 127, 149)]
    seat = box((86, 86, 9), (0, 0, 73), step=12)
    frame = [painted(part, BROWN) for part in legs + posts]
    return joined(
        painted(seat, bands(CYAN, WHITE, 14, (1, 0, 0))), *frame, *[painted(s, CYAN) for s in slats]
    )


def beach_ball() -> trimesh.Trimesh:
    """A ball with six coloured sectors."""
    return painted(ball(58), sectors(RED, WHITE, BLUE, WHITE, YELLOW, WHITE))


def car() -> trimesh.Trimesh:
    """A toy car."""
    body = box((140, 62, 30), (0, 0, 33), step=14)
    cabin = placed(extrude(ring(48, 4, phase=np.pi / 4) * [1.05, 0.82], 34, taper=0.65), (-8, 0, 48))
    wheel = placed(cylinder(18, 16), (0, 8, 0), (90, 0, 0))
    wheels = [placed(wheel, (x, y, 18)) for x in (-42, 42) for y in (-32, 32)]
    return joined(painted(body, RED), painted(cabin, CYAN), *[painted(w, BLACK) for w in wheels])


def duck() -> trimesh.Trimesh:
    """A rubber duck."""
    body = ball(48, (0, 0, 40), (1.3, 1, 0.83))
    tail = placed(revolve([[0, 0], [20, 0], [0, 42]], 24), (-48, 0, 50), (0, -50, 0))
    beak = placed(revolve([[0, 0], [13, 0], [0, 30]], 24), (58, 0, 96), (0, 90, 0))
    eyes = [ball(6, (56, y, 108)) for y in (-16, 16)]
    yellow = [painted(part, YELLOW) for part in (body, tail, ball(31, (34, 0, 98)))]
    return joined(*yellow, painted(beak, ORANGE), *[painted(eye, BLACK) for eye in eyes])


def mushroom() -> trimesh.Trimesh:
    """A fly agaric: red cap, white dots."""
    cap = revolve([[0, 62], [62, 58], [66, 66], [60, 86], [44, 104], [22, 115], [0, 118]], 48, 4)
    stem = revolve([[0, 0], [27, 0], [20, 14], [16, 60], [0, 62]], 32)
    return joined(painted(cap, dots(RED, WHITE, 27, 9)), painted(stem, WHITE))


def cactus() -> trimesh.Trimesh:
    """A cactus with two arms in a pot."""
    pot = revolve([[0, 0], [30, 0], [40, 42], [44, 42], [44, 52], [0, 52]], 40)
    trunk = revolve([[0, 50], [22, 50], [24, 80], [22, 150], [14, 165], [0, 170]], 24)
    arms = [
        sweep([[0, 0, low], [side * 34, 0, low], [side * 44, 0, low + 9], [side * 44, 0, low + 42]], 10)
        for side, low in ((-1, 85), (1, 105))
    ]
    green = [painted(part, sectors(*[GREEN, LIME] * 8)) for part in (trunk, *arms)]
    return joined(painted(pot, ORANGE), *green)


def gift() -> trimesh.Trimesh:
    """A present with a bow."""
    parcel = box((100, 100, 78), (0, 0, 39), step=9)

    def ribbon(points: Points) -> Points:
        cross = np.abs(points[:, :2]).min(axis=1) < 9
        return np.where(cross[:, None], YELLOW, PURPLE)

    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    loop = np.column_stack([26 + 24 * np.cos(angle), np.zeros(24), 16 * np.sin(angle)])
    bows = [placed(sweep(loop, 6, loop=True), (0, 0, 92), (0, 0, turn)) for turn in (20, 110, 200, 290)]
    return joined(painted(parcel, ribbon), *[painted(bow, PINK) for bow in bows])


def wrench() -> trimesh.Trimesh:
    """An open-ended wrench lying flat."""
    angle = np.radians(np.linspace(40, 320, 29))
    jaw = np.column_stack([30 * np.cos(angle), 30 * np.sin(angle), np.zeros(29)])
    handle = box((130, 22, 14), (-95, 0, 0))
    eye = sweep(np.column_stack([ring(20, 32) - [170, 0], np.zeros(32)]), 9, loop=True)
    return joined(sweep(jaw, 10), handle, eye)


def bolt() -> trimesh.Trimesh:
    """A hexagonal bolt with a coarse thread, standing on its head."""
    head = extrude(ring(42, 6), 28)
    height = np.arange(30, 130, 0.5)
    turns = height / 13 * 2 * np.pi
    thread = np.column_stack([22 * np.cos(turns), 22 * np.sin(turns), height])
    return joined(head, placed(cylinder(22, 108), (0, 0, 25)), sweep(thread, 4.5, sides=8))


def gear() -> trimesh.Trimesh:
    """A gear with twelve teeth and a hub."""
    tooth = np.array([58, 58, 76, 76])
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    outline = np.tile(tooth, 12)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return joined(extrude(outline, 26), placed(cylinder(26, 62), (0, 0, -18)))


def bracket() -> trimesh.Trimesh:
    """An L-bracket with a rib."""
    rib = placed(extrude([[-25, -25], [50, -25], [-25, 50]], 8), (-22, 4, 33), (90, 0, 0))
    return joined(box((110, 60, 12), (0, 0, 6)), box((12, 60, 120), (-49, 0, 60)), rib)


def knot() -> trimesh.Trimesh:
    """A trefoil knot."""
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    path = np.column_stack(
        [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -1.3 * np.sin(3 * t)]
    )
    return sweep(path * 25, 12, loop=True)


def nut() -> trimesh.Trimesh:
    """A large hexagonal nut with a hole."""
    outer, inner, height = ring(64, 6), ring(34, 6), 44.0
    side = np.concatenate([_wall(outer, outer, 0, height), _wall(inner, inner, height, 0)])
    flat = np.concatenate([_wall(outer, inner, height, height), _wall(inner, outer, 0, 0)])
    triangles = np.concatenate([side, flat]).reshape(-1, 3)
    return trimesh.Trimesh(triangles, np.arange(len(triangles)).reshape(-1, 3), process=True)


def _wall(first: Points, second: Points, low: float, high: float) -> Points:
    """Return the triangles, shape (2N, 3, 3), of a band between two polygons at two heights."""
    a = np.column_stack([first, np.full(len(first), low)])
    d = np.column_stack([second, np.full(len(second), high)])
    b, c = np.roll(a, -1, 0), np.roll(d, -1, 0)
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def elbow() -> trimesh.Trimesh:
    """A pipe elbow with flanges."""
    angle = np.linspace(0, np.pi / 2, 16)
    path = np.column_stack([70 - 70 * np.cos(angle), np.zeros(16), 20 + 70 * np.sin(angle)])
    flange = cylinder(42, 14)
    return joined(
        sweep(path, 26, sides=24), placed(flange, (0, 0, 6)), placed(flange, (64, 0, 90), (0, 90, 0))
    )


def beam() -> trimesh.Trimesh:
    """A short I-beam."""
    return joined(
        box((160, 70, 12), (0, 0, 6)), box((160, 12, 70), (0, 0, 45)), box((160, 70, 12), (0, 0, 84))
    )


def pulley() -> trimesh.Trimesh:
    """A deep grooved wheel standing on a foot."""
    wheel = revolve([[0, -24], [62, -24], [62, -16], [30, -5], [30, 5], [62, 16], [62, 24], [0, 24]], 48)
    axle = cylinder(11, 96)
    return joined(
        placed(wheel, (0, 0, 66), (90, 0, 0)),
        placed(axle, (0, 48, 66), (90, 0, 0)),
        box((34, 100, 12), (0, 0, 6)),
    )


def spring() -> trimesh.Trimesh:
    """A coil spring."""
    t = np.linspace(0, 2 * np.pi * 5, 240)
    return sweep(np.column_stack([44 * np.cos(t), 44 * np.sin(t), 27 * t / (2 * np.pi)]), 8)


def cross_pipe() -> trimesh.Trimesh:
    """Three pipes crossing at right angles."""
    pipe = placed(cylinder(20, 150), (0, 0, -75))
    return joined(pipe, placed(pipe, turn=(90, 0, 0)), placed(pipe, turn=(0, 90, 0)))


def propeller() -> trimesh.Trimesh:
    """A hub with three twisted blades."""
    blade = placed(extrude(ring(1, 24) * [46, 17], 6), (62, 0, 0), (35, 0, 0))
    blades = [placed(blade, (0, 0, 26), (0, 0, turn)) for turn in (0, 120, 240)]
    hub = revolve([[0, 0], [26, 0], [26, 36], [16, 58], [0, 66]], 32)
    return joined(hub, *blades)


TEXTURED: tuple[Callable[[], trimesh.Trimesh], ...] = (
    mug, ring_toy, bottle, fir, star, chair, beach_ball, car, duck, mushroom, cactus, gift,
)  # fmt: skip
TEXTURELESS: tuple[Callable[[], trimesh.Trimesh], ...] = (
    wrench, bolt, gear, bracket, knot, nut, elbow, beam, pulley, spring, cross_pipe, propeller,
)  # fmt: skip
