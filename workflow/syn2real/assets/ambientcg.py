"""Folders in ambientCG's layout, read without Blender: which materials there are, and which tile a room."""

from collections.abc import Sequence
from pathlib import Path

from syn2real.errors import InputError

COLOUR_MAPS = ("2K_Color.jpg", "2K-JPG_Color.jpg")
"""Names of a material's colour map that BlenderProc's loader knows."""
SURFACES = (
    "asphalt", "bark", "bricks", "candy", "carpet", "chipboard", "clay", "concrete", "cork",
    "corrugatedsteel", "diamondplate", "fabric", "gravel", "ground", "ice", "leather", "marble", "metal",
    "moss", "paint", "paper", "pavingstones", "pipe", "planks", "plaster", "plastic", "rock", "roofingtiles",
    "rope", "sponge", "tactilepaving", "terrazzo", "tiles", "wood",
)  # fmt: skip
"""Beginnings of the names that BlenderProc's `load_ccmaterials` takes for surfaces of a room."""
NOT_SURFACES = ("painting", "rockbrush")
"""What begins like a surface of a room but tiles none."""


def tiles_a_room(name: str, beginnings: Sequence[str] = SURFACES) -> bool:
    """Return whether a material is one that random rooms are drawn from, by how its name begins.

    A collection is fetched and an own copy is chosen from by this one function, so that both give the same
    rooms.

    Parameters
    ----------
    name : str
        The material's name, such as Fabric001; capitals make no difference.
    beginnings : sequence of str
        What a setting's `materials` says. `paint` means no paintings; a setting that is to have some says
        `painting`.
    """
    named = tuple(beginning.lower() for beginning in beginnings)
    left_out = tuple(other for other in NOT_SURFACES if not any(b.startswith(other) for b in named))
    return name.lower().startswith(named) and not name.lower().startswith(left_out)


def is_fetchable(material: str) -> bool:
    """Return whether a material's name is such as ambientCG's are: letters and digits, as in Fabric001."""
    return material.isascii() and material.isalnum()


def material_names(textures: Path) -> list[str]:
    """Return the names of the materials in a folder of ambientCG layout, sorted.

    Those with an opacity map are left out, as BlenderProc leaves them out: one would look through the walls.

    Raises
    ------
    InputError
        If there are none.
    """
    names = sorted(
        folder.name
        for folder in (textures.iterdir() if textures.is_dir() else ())
        if (colour := _colour_map(folder)) is not None
        and not colour.with_name(colour.name.replace("Color", "Opacity")).is_file()
    )
    if not names:
        problem = "no materials in ambientCG layout here (Name/Name_2K_Color.jpg, or Name_2K-JPG_Color.jpg)"
        raise InputError(problem, file=textures)
    return names


def _colour_map(folder: Path) -> Path | None:
    """Return a material's colour map, or None where the folder is not a material's."""
    maps = (folder / f"{folder.name}_{suffix}" for suffix in COLOUR_MAPS)
    return next((file for file in maps if file.is_file()), None)
