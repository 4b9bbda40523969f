"""A collection of one's own in BOP layout: its models are there, can be read and are in millimetres."""

import json
import struct
from pathlib import Path

import pytest

from syn2real.assets.bop import check_models
from syn2real.errors import InputError

AXES = "".join(f"property float {axis}\n" for axis in "xyz")


def _ply(size: float, layout: str = "ascii", vertices: int = 4, faces: int = 1) -> bytes:
    """Return a mesh whose vertices lie up to `size` from the origin."""
    head = f"ply\nformat {layout} 1.0\ncomment made\nelement vertex {vertices}\n{AXES}element face {faces}\n"
    head += "property list uchar int vertex_indices\nend_header\n"
    rows = [(size, 0.0, 0.0)] * vertices
    if layout == "ascii":
        return head.encode() + "".join(f"{x} {y} {z}\n" for x, y, z in rows).encode() + b"3 0 1 2\n"
    order = "<" if "little" in layout else ">"
    return head.encode() + b"".join(struct.pack(f"{order}3f", *row) for row in rows) + b"\3" + bytes(12)


GOOD, METRES = {"1": {"diameter": 100.0}}, {"1": {"diameter": 0.2}}


@pytest.mark.parametrize(
    ("models", "mesh", "message"),
    [
        (GOOD, _ply(50), None),
        (GOOD, _ply(50, "binary_little_endian"), None),
        (GOOD, _ply(50, "binary_big_endian"), None),
        ({"1": {}}, _ply(50), None),
        ({"000001": {}}, _ply(50), None),
        ({"1": {"diameter": 8}}, _ply(4), None),
        (
            METRES,
            _ply(0.1),
            "models_info.json: diameters of 0.2 to 0.2; BOP's unit is the millimetre, and these",
        ),
        (
            {"1": {"diameter": 1e5}},
            _ply(5e4),
            "models_info.json: diameters of 1e+05 to 1e+05; BOP's unit is the",
        ),
        (GOOD, _ply(0.05), "obj_000001.ply: its vertices lie up to 0.05 from the origin, but"),
        (
            GOOD,
            _ply(0.05, "binary_little_endian"),
            "obj_000001.ply: its vertices lie up to 0.05 from the origin",
        ),
        (GOOD, _ply(5e4), "obj_000001.ply: its vertices lie up to 5e+04 from the origin"),
        (GOOD, _ply(50, vertices=0), "obj_000001.ply: the mesh has no vertices or no faces"),
        (GOOD, _ply(50, faces=0), "obj_000001.ply: the mesh has no vertices or no faces"),
        (GOOD, _ply(50, "binary_little_endian")[:-40], "obj_000001.ply: the mesh is damaged (it ends"),
        (GOOD, _ply(50).replace(b"50", b"x"), "obj_000001.ply: the mesh is damaged (could not convert"),
        (GOOD, b"", "obj_000001.ply: not a .ply mesh (no header"),
        (GOOD, b"solid mesh\n", "obj_000001.ply: not a .ply mesh (no header"),
        (GOOD, b"ply\nelement vertex many\nend_header\n", "obj_000001.ply: not a .ply mesh (invalid literal"),
        (
            GOOD | {"2": {"diameter": 0.2}},
            _ply(50),
            "models_info.json: diameters of 0.2 to 100; BOP's unit is",
        ),
        (GOOD, None, "obj_000001.ply: models_info.json lists object 1, but this file is missing"),
        ({}, _ply(50), "models_info.json: lists no model"),
        ([], _ply(50), "models_info.json: not a JSON table of models"),
        ({"bolt": {}}, _ply(50), "models_info.json: not a JSON table of models: invalid literal"),
    ],
)
def test_models_are_looked_at_before_the_run(
    tmp_path: Path, models: object, mesh: bytes | None, message: str | None
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models_info.json").write_text(json.dumps(models))
    if mesh is not None:
        (folder / "obj_000001.ply").write_bytes(mesh)
        (folder / "obj_000002.ply").write_bytes(mesh)
    if message is None:
        check_models(tmp_path)
        return
    with pytest.raises(InputError) as caught:
        check_models(tmp_path)
    assert str(caught.value).startswith(f"{folder}/{message}")
