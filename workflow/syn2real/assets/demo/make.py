"""The demo's assets, made on the spot in the formats real users have: BOP objects, ambientCG materials.

Everything is computed without randomness from outside, so that two machines make the same assets.
"""

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from syn2real.assets.demo import numerals
from syn2real.assets.demo.materials import MATERIALS, normal_map
from syn2real.assets.demo.shapes import TEXTURED, TEXTURELESS
from syn2real.errors import InputError
from syn2real.files import write_json

KINDS = {"demo-textured": TEXTURED, "demo-textureless": TEXTURELESS}
NUMERALS = {"demo-typeset": numerals.typeset, "demo-handwritten": numerals.handwritten}
# What BOP's own data sets state for a camera; BlenderProc reads it where a setting asks for it.
CAMERA = {"cx": 320.0, "cy": 320.0, "depth_scale": 0.1, "fx": 889.0, "fy": 889.0, "height": 640, "width": 640}


def make_objects(kind: str, folder: str | Path) -> None:
    """Write one of the demo's object collections in BOP layout.

    Parameters
    ----------
    kind : str
        `demo-textured` (12 everyday objects with colours of their own), `demo-textureless` (12 bare machine
        parts), `demo-typeset` or `demo-handwritten` (160 numerals each, of ten classes).
    folder : str or Path
        The collection's folder; it gets `camera.json`, `models/obj_000001.ply` … (millimetres, origin in the
        middle of the bounding box, vertex normals) and `models/models_info.json`.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if kind not in (*KINDS, *NUMERALS):
        named = ", ".join([*KINDS, *NUMERALS])
        raise InputError(f"no demo collection {kind!r}; there are {named}", key="kind")
    models = Path(folder) / "models"
    models.mkdir(parents=True, exist_ok=True)
    information: dict[str, dict[str, float | str]] = {}
    made = NUMERALS[kind]() if kind in NUMERALS else [(None, shape()) for shape in KINDS[kind]]
    for number, (label, mesh) in enumerate(made, start=1):
        mesh.apply_translation(-mesh.bounds.mean(axis=0))
        (models / f"obj_{number:06d}.ply").write_bytes(_ply(mesh))
        information[str(number)] = {**model_information(mesh), **({"class": label} if label else {})}
    write_json(models / "models_info.json", information)
    write_json(Path(folder) / "camera.json", CAMERA)


def _ply(mesh: trimesh.Trimesh) -> bytes:
    """Return a binary .ply with normals and, where the mesh has them, vertex colours."""
    content = trimesh.exchange.ply.export_ply(mesh, encoding="binary", vertex_normal=True)
    return content if isinstance(content, bytes) else content.encode()


def model_information(mesh: trimesh.Trimesh) -> dict[str, float]:
    """Return what BOP's `models_info.json` says about a model, in millimetres.

    Returns
    -------
    dict
        `diameter` (greatest distance of two vertices), `min_x`, `min_y`, `min_z`, `size_x`, `size_y`,
        `size_z`.
    """
    corners = np.asarray(mesh.convex_hull.vertices)
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    low, size = mesh.bounds[0], mesh.extents
    information = {"diameter": distance.max()}
    information.update({f"min_{axis}": low[k] for k, axis in enumerate("xyz")})
    information.update({f"size_{axis}": size[k] for k, axis in enumerate("xyz")})
    return {key: round(float(value), 4) for key, value in information.items()}


def make_textures(folder: str | Path, size: int = 256) -> None:
    """Write the demo's ten materials in ambientCG's layout.

    Parameters
    ----------
    folder : str or Path
        Gets `Name/Name_2K_Color.jpg` and likewise `NormalGL`, `Roughness` and `Displacement`. The names say
        2K because that is what BlenderProc's `load_ccmaterials` looks for.
    size : int
        Side of the maps in pixels.
    """
    for number, (name, material) in enumerate(sorted(MATERIALS.items())):
        colour, height, roughness = material(size, np.random.default_rng(number))
        maps = {
            "Color": colour,
            "NormalGL": normal_map(height),
            "Roughness": roughness,
            "Displacement": height,
        }
        target = Path(folder) / name
        target.mkdir(parents=True, exist_ok=True)
        for kind, values in maps.items():
            pixels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(target / f"{name}_2K_{kind}.jpg", quality=90, subsampling=0)
