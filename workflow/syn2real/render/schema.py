"""A rendering setting: everything that decides what its images look like (paper, Appendix B and §4.5)."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, create_model, field_validator, model_serializer, model_validator

from syn2real import schema
from syn2real.errors import InputError
from syn2real.plugins import constant, load, module_name, names, one_of
from syn2real.render.randomise import camera, lights, objects, placement, room
from syn2real.render.randomise.camera import Section as Camera
from syn2real.render.randomise.placement import Section as Placement
from syn2real.render.randomise.schema import ImageSide
from syn2real.render.randomise.sensor import Section as Sensor
from syn2real.render.randomise.wear import Section as Wear

POINT = "render.randomise"
EVERY_SCENE = (objects, room, lights, placement, camera)
"""The aspects that every scene has; all others may be off."""
CHANNELS = ("class-map", "normals", "objects")
"""What scenes are rendered with where a setting does not say."""


if TYPE_CHECKING:
    ChannelName = str
else:
    ChannelName = one_of([name for name in names("channels") if constant("channels", name, "MEMBER")])


class Rendering(lights.Section, room.Section, objects.Section):
    """One rendering setting, by default with ten of BOP's objects in a room of random lights and materials.

    The defaults are syn2real's own. Those of the paper's settings stand in `config/renderings.yaml`.
    """

    views: int = Field(default=10, ge=1, le=100, description="camera poses, thus images, a scene")
    image_size: ImageSide = Field(
        default=640, description="side of the square images, pixels; not beside camera.K"
    )
    samples: int = Field(
        default=24,
        ge=1,
        le=2**24,
        description="Cycles' samples a pixel; 24, supersampled, come near the error of the authors' 50",
    )
    supersampling: Literal[1, 2] = Field(
        default=2,
        description="2 renders and denoises twice the side, a quarter of the samples (rounded up) in each "
        "part of a pixel, and reduces: less error for its time above some 100 pixels; 1 is quicker below",
    )
    denoise: bool = Field(default=True, description="whether Open Image Denoise cleans each image")
    bounces: int = Field(default=3, ge=0, le=1024, description="greatest number of light bounces")
    seed: int = Field(default=0, ge=0, description="render seed")
    scenes_per_shard: int = Field(default=100, ge=1, description="scenes in one shard file")
    min_visible_fraction: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="objects of which less is seen have no box and label (channel objects), part of their "
        "silhouette; they stay in the class map, and in depth and normals",
    )
    min_visible_pixels: int = Field(
        default=4, ge=1, description="objects with fewer visible pixels have no box and label either"
    )
    channels: tuple[ChannelName, ...] | None = schema.later(
        None,
        min_length=1,
        description=f"what each image is rendered with; by default {', '.join(CHANNELS)}",
    )
    camera: Camera = Field(default=Camera(), description="camera poses and lens")
    placement: Placement = Field(default=Placement(), description="where objects are put")
    wear: Wear = Field(default=Wear(), description="wear of the objects' surfaces (stand-in targets)")
    sensor: Sensor = Field(default=Sensor(), description="noise and blur of the camera (stand-in targets)")

    @field_validator("collections", "channels")
    @classmethod
    def _each_once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        named = value or ()
        if twice := [name for name in named if named.count(name) > 1]:
            raise ValueError(f"names '{twice[0]}' twice; name it once")
        return value

    @field_validator("supersampling", mode="before")
    @classmethod
    def _no_boolean(cls, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value  # True equals 1

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.camera.K is not None and "image_size" in self.model_fields_set:
            raise ValueError("image_size does not apply beside camera.K: remove it, or K, width and height")
        return self

    @model_serializer(mode="wrap")
    def _one_size_alone(self, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Leave out `image_size` where it does not apply."""
        unused = "image_size" if self.camera.K is not None else None
        return {key: value for key, value in write(self).items() if key != unused}

    @property
    def size(self) -> tuple[int, int]:
        """Return the width and the height of the images, pixels."""
        return self.camera.width or self.image_size, self.camera.height or self.image_size

    def channel_names(self) -> tuple[str, ...]:
        """Return the channels that each image is rendered with."""
        return self.channels or CHANNELS

    def require(self, channel: str, *, task: str, file: str | Path, key: str, name: str) -> None:
        """Raise InputError unless the images are rendered with a channel; `OwnRenders.require` has its twin.

        Parameters
        ----------
        channel : str
            What the images must be labelled with.
        task, file, key, name : str
            The task that learns from it, where it was asked for, and the setting's name, for the message.
        """
        if channel not in self.channel_names():
            listed = ", ".join([*self.channel_names(), channel])
            problem = f"setting {name} is rendered without {channel}; give it `channels: [{listed}]`"
            raise InputError(f"{problem}, or take {task} out", file=file, key=key)

    def randomisations(self) -> dict[str, schema.Section]:
        """Return what may be off and is not: its section by its name."""
        found = {name: getattr(self, key_of(name), None) for name in may_be_off()}
        return {name: section for name, section in found.items() if section is not None}

    def shard_count(self, images: int) -> int:
        """Return how many shards hold the first `images` images."""
        return -(-images // (self.views * self.scenes_per_shard))


def may_be_off() -> list[str]:
    """Return the names of the randomisations that not every scene has."""
    every = {module.__name__ for module in EVERY_SCENE}
    return [name for name in names(POINT) if module_name(POINT, name) not in every]


def key_of(name: str) -> str:
    """Return the key of a setting that holds a randomisation's section."""
    return name.replace("-", "_")


def rendering_model(randomisations: Iterable[str]) -> type[Rendering]:
    """Return the model of settings that may hold the keys of these randomisations."""
    fields: dict[str, Any] = {}
    for name in randomisations:
        if key_of(name) not in Rendering.model_fields:
            section = load(POINT, name).Section
            description = (section.__doc__ or "").partition("\n")[0]
            fields[key_of(name)] = (section | None, schema.later(None, description=description))
    return create_model("Rendering", __base__=Rendering, __doc__=Rendering.__doc__, **fields)


def read_rendering(params: Mapping[str, Any]) -> Rendering:
    """Return a resolved setting from plain data; no randomisation is imported that it has no key of.

    Parameters
    ----------
    params : dict
        What `model_dump(mode="json")` gives.
    """
    return rendering_model(name for name in may_be_off() if key_of(name) in params).model_validate(params)
