"""What a shard says of where it comes from: its setting, the code and packages, and the assets."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from syn2real.assets.bop import model_folder
from syn2real.files import digest, file_digest
from syn2real.render.randomise.base import SceneAssets
from syn2real.render.schema import Rendering

PACKAGES = ("bpy", "blenderproc", "numpy", "opencv-python-headless")
"""Packages whose versions decide pixels and files."""
READ_WHOLE = (".ply", ".json")
"""Files that change without changing their size: meshes of as many vertices, and the list of them."""


def shard_meta(
    *,
    setting: str,
    rendering: Rendering,
    split: str,
    shard: int,
    fingerprint: str,
    scene_assets: SceneAssets,
    assets: str,
) -> dict[str, Any]:
    """Return what is known of a shard before it is rendered; equal ones have equal scenes.

    Parameters
    ----------
    setting, split : str
        Names.
    rendering : Rendering
        The resolved setting.
    shard : int
        Shard k holds the scenes from `k * scenes_per_shard`.
    fingerprint : str
        Digest of the code that renders.
    scene_assets : SceneAssets
        What its scenes may be made of.
    assets : str
        What `assets_digest` returns.
    """
    return {
        "setting": setting,
        "split": split,
        "first_scene": shard * rendering.scenes_per_shard,
        "n_scenes": rendering.scenes_per_shard,
        "views": rendering.views,
        "classes": list(scene_assets.classes),
        "rendering": rendering.model_dump(mode="json"),
        "versions": {name: version(name) for name in PACKAGES},
        "code": fingerprint,
        "assets": assets,
    }


def assets_digest(
    rendering: Rendering, scene_assets: SceneAssets, objects: Mapping[str, Path], textures: Path | None
) -> str:
    """Return the digest of the meshes and materials that a setting's scenes may be made of.

    Meshes are read whole: every render loads them anyway, and an edited one often keeps its size. Compressed
    images, gigabytes of them, are known by their names and sizes, as a target's images are. Neither
    places nor times count, so that copies of the same assets have the same digest.
    """
    models = {name: _files(model_folder(objects[name])) for name in rendering.collections}
    materials = {name: _files(textures / name) for name in scene_assets.materials} if textures else {}
    return digest({"models": models, "materials": materials})


def _files(folder: Path) -> dict[str, str | int]:
    """Return what identifies the version of each file of a folder: a digest, or its size in bytes."""
    shown = (file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    return {
        file.name: file_digest(file) if file.suffix in READ_WHOLE else file.stat().st_size for file in shown
    }
