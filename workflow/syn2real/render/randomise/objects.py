"""The objects of a scene, drawn over the collections, and their surfaces as BOP's example draws them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from syn2real import schema
from syn2real.render.randomise.base import SceneAssets, SceneObject, Stage
from syn2real.render.randomise.schema import Parts

if TYPE_CHECKING:
    from numpy.random import Generator

LEVEL = "scene"
PAPER_COLLECTIONS = ("hb", "icbin", "icmi", "itodd", "lm", "ruapc", "tless", "tudl", "tyol", "ycbv")


class Section(schema.Section):
    """Which objects there are, and how many of them a scene has."""

    collections: tuple[schema.Name, ...] = Field(
        default=PAPER_COLLECTIONS, min_length=1, description="object collections (folders in BOP layout)"
    )
    grey: tuple[schema.Name, ...] = Field(
        default=("itodd", "tless", "demo-textureless"),
        description="collections without colours of their own: each object gets a random grey, as in BOP's "
        "example",
    )
    grey_range: Parts = schema.later((0.3, 0.9), description="darkest and lightest of these greys, 0 to 1")
    sharp_edges: bool = schema.later(
        True,
        description="whether edges of more than 34 degrees stay sharp in shading and normals; without, all "
        "edges are smooth",
    )
    objects_per_scene: int = Field(
        default=10,
        ge=1,
        le=32767,
        description="appearance: 1 is the paper's single, 10 its multiple; objects",
    )


def draw(random: "Generator", section: Section, assets: SceneAssets) -> dict[str, Any]:
    """Draw the objects and, as BOP's example does, their grey, roughness and specularity.

    Objects are drawn multinomially over the collections in proportion to their object counts, then evenly
    within each, with replacement (Appendix B; BlenderProc's `sample_objects`).
    """
    import numpy as np

    members = [
        [k for k, name in enumerate(assets.objects) if name.split("/")[0] == collection]
        for collection in section.collections
    ]
    sizes = np.array([len(m) for m in members])
    counts = random.multinomial(section.objects_per_scene, sizes / sizes.sum())
    objects = []
    for collection, indices, number in zip(section.collections, members, counts, strict=True):
        for index in random.integers(len(indices), size=number) if number else ():
            item = {
                "class": assets.class_index(indices[index]),
                "name": assets.objects[indices[index]],
                "roughness": random.uniform(),
                "specular": random.uniform(),
                "grey": random.uniform(*section.grey_range) if collection in section.grey else None,
            }
            objects.append(item)
    return {"objects": objects}


def apply(stage: Stage, drawn: Mapping[str, Any]) -> None:
    """Bring the described objects into the scene, each with a material of its own."""
    stage.objects = []
    for item in drawn["objects"]:
        collection, model = item["name"].split("/")
        number = int(model.removeprefix("obj_"))
        entity, material = stage.blender.add_object(stage.folders[collection], number)
        apply_object_material(material, item)
        stage.objects.append(SceneObject(entity, material, item))


def apply_object_material(material: Any, item: Mapping[str, Any]) -> None:
    """Give an object's material the grey, roughness and specularity of its description."""
    if item["grey"] is not None:
        material.set_principled_shader_value("Base Color", [item["grey"]] * 3 + [1.0])
    material.set_principled_shader_value("Roughness", item["roughness"])
    material.set_principled_shader_value("Specular IOR Level", item["specular"])
