"""Shader nodes of objects, room and lights. Works on Blender's materials as they are handed in."""

from collections.abc import Mapping, Sequence
from typing import Any

BARE = (0.55, 0.55, 0.56, 1.0)
"""What comes to light where a surface is scratched."""


def plain(material: Any, colour: Sequence[float], roughness: float) -> None:
    """Give a material one colour (linear RGB) and roughness."""
    material.set_principled_shader_value("Base Color", [*colour, 1.0])
    material.set_principled_shader_value("Roughness", roughness)


def dress(material: Any, item: Mapping[str, Any]) -> None:
    """Give an object's material what its description says.

    Parameters
    ----------
    material : blenderproc Material
        The object's own copy of its material.
    item : dict
        The object's entry in the scene description: roughness, specular, grey and wear.
    """
    if item["grey"] is not None:
        material.set_principled_shader_value("Base Color", [item["grey"]] * 3 + [1.0])
    wear = item.get("wear", {})
    roughness = min(1.0, max(0.0, item["roughness"] + wear.get("roughness_change", 0.0)))
    material.set_principled_shader_value("Roughness", roughness)
    material.set_principled_shader_value("Specular IOR Level", item["specular"])
    if "tone" in wear:
        _tone(material, *wear["tone"])
    if "scratches" in wear:
        _scratch(material, **wear["scratches"])


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
    noise.inputs["Scale"].default_value = 6.0
    noise.inputs["Detail"].default_value = 3.0
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


def _insert(material: Any, entry: Any, leave: Any) -> None:
    """Put a node between whatever gives the base colour and the shader."""
    socket = material.get_the_one_node_with_type("BsdfPrincipled").inputs["Base Color"]
    if socket.is_linked:
        material.link(socket.links[0].from_socket, entry)
    else:
        entry.default_value = socket.default_value
    material.link(leave, socket)
