"""A rendering setting of either kind: one to render, or one's own renders."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

from syn2real.data.own_renders.schema import OwnRenders
from syn2real.render.schema import Rendering, may_be_off, rendering_model

if TYPE_CHECKING:
    AnyRendering = Rendering
else:
    AnyRendering = rendering_model(may_be_off())
"""A rendering with whatever randomisations there are."""


def setting_kind(value: Any) -> str:
    """Return `own-renders` for what has images or annotations (either may be misspelt), else `rendering`."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "own-renders" if "images" in keys or "annotations" in keys else "rendering"


def setting_model(value: Any) -> type[Rendering | OwnRenders]:
    """Return the model of a setting that is not validated yet."""
    return OwnRenders if setting_kind(value) == "own-renders" else AnyRendering


Setting = Annotated[
    Annotated[AnyRendering, Tag("rendering")] | Annotated[OwnRenders, Tag("own-renders")],
    Discriminator(setting_kind),
]
"""The kind is known before the keys are checked, so that a mistake is told of the right kind."""
