"""Wear: what use does to an object's surface."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from syn2real import schema
from syn2real.render.randomise.base import SceneObject

if TYPE_CHECKING:
    from numpy.random import Generator

LEVEL = "object"
BARE = (0.55, 0.55, 0.56, 1.0)
"""What comes to light where a surface is scratched, RGBA."""
NOISE_SCALE, NOISE_DETAIL, NOISE_OFFSETS = 6.0, 3.0, 1000
"""Blender's noise that decides where scratches are: features an object, octaves, and how many such noises."""


class Section(schema.Section):
    """What use does to a surface; all zero is an object as new. A stand-in target's condition."""

    tone: float = Field(
        default=0, ge=0, le=1, description="greatest change of hue, saturation and brightness"
    )
    roughness: float = Field(default=0, ge=0, le=1, description="greatest change of the surface's roughness")
    scratches: float = Field(
        default=0, ge=0, le=1, description="greatest part of the surface that is worn off"
    )


def draw(random: "Generator", section: Section, scene: Mapping[str, Any]) -> dict[str, Any]:
    """Draw how use changed one object's surface; nothing where all is zero."""
    hue, saturation, value, roughness, scratches = random.uniform(-1, 1, 5)
    worn: dict[str, Any] = {}
    if section.tone:
        worn["tone"] = [section.tone * hue / 2, 1 + section.tone * saturation, 1 + section.tone * value]
    if section.roughness:
        worn["roughness_change"] = section.roughness * roughness
    if section.scratches:
        offset = random.uniform(0, NOISE_OFFSETS)
        worn["scratches"] = {"part": section.scratches * abs(scratches), "offset": offset}
    return worn


def apply(target: SceneObject, drawn: Mapping[str, Any]) -> None:
    """Wear an object's material."""
    material = target.material
    if "roughness_change" in drawn:
        roughness = min(1.0, max(0.0, target.item["roughness"] + drawn["roughness_change"]))
        material.set_principled_shader_value("Roughness", roughness)
    if "tone" in drawn:
        _tone(material, *drawn["tone"])
    if "scratches" in drawn:
        _scratch(material, **drawn["scratches"])


def _tone(material: Any, hue: float, saturation: float, value: float) -> None:
    """Shift an object's hue (turns) and scale its saturation and brightness."""
    node = material.new_node("ShaderNodeHueSaturation")
    node.inputs["Hue"].default_value = 0.5 + hue
    node.inputs["Saturation"].default_value = saturation
    node.inputs["Value"].default_value = value
    _insert(material, node.inputs["Color"], node.outputs["Color"])


def _scratch(material: Any, part: float, offset: float) -> None:
    """Lay bare a part of the surface where a noise is highest; `offset` chooses the noise."""
    noise = material.new_node("ShaderNodeTexNoise")
    noise.noise_dimensions = "4D"
    noise.inputs["W"].default_value = offset
    noise.inputs["Scale"].default_value = NOISE_SCALE
    noise.inputs["Detail"].default_value = NOISE_DETAIL
    place = material.new_node("ShaderNodeTexCoord")
    material.link(place.outputs["Generated"], noise.inputs["Vector"])
    worn = material.new_node("ShaderNodeMath")
    worn.operation = "GREATER_THAN"
    # The noise is about normal around 0.5: this threshold lays bare roughly `part` of the surface.
    worn.inputs[1].default_value = 0.68 - 0.3 * part
    material.link(noise.outputs["Fac"], worn.inputs[0])
    mix = material.new_node("ShaderNodeMixRGB")
    mix.inputs["Color2"].default_value = BARE
    material.link(worn.outputs["Value"], mix.inputs["Fac"])
    _insert(material, mix.inputs["Color1"], mix.outputs["Color"])


def _insert(material: Any, before: Any, after: Any) -> None:
    """Put a node, by its input and its output, between whatever gives the base colour and the shader."""
    socket = material.get_the_one_node_with_type("BsdfPrincipled").inputs["Base Color"]
    if socket.is_linked:
        material.link(socket.links[0].from_socket, before)
    else:
        before.default_value = socket.default_value
    material.link(after, socket)
