"""Where a rendering stands in the paper's ordering of complexity (§4.5)."""

from syn2real.render.schema import Rendering


def levels(rendering: Rendering) -> dict[str, float] | None:
    """Return a setting's level in each of the paper's four attributes (§4.5), more being more complex.

    Parameters
    ----------
    rendering : Rendering
        The setting.

    Returns
    -------
    dict or None
        `appearance` (objects a scene), `light` and `background` (0 fix, 1 random) and `texture` (0 if all
        objects are without colours of their own, else 1). None for a room of plain colours, which
        has no place in the paper's ordering.
    """
    if rendering.background == "colour":
        return None
    return {
        "appearance": float(rendering.objects_per_scene),
        "light": float(rendering.light == "random"),
        "background": float(rendering.background == "random"),
        "texture": float(not set(rendering.collections) <= set(rendering.grey)),
    }
