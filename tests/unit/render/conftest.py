"""The demo's assets, and one tiny real shard, made once for all tests of rendering."""

import dataclasses
import os
from pathlib import Path

import pytest

from syn2real.config.rendering import Rendering
from syn2real.data.shards import Shard
from syn2real.render.assets import KINDS, make_objects, make_textures
from syn2real.render.job import render_shard

TINY = {
    "collections": ["demo-textured", "demo-textureless"],
    "objects_per_scene": 3,
    "views": 2,
    "image_size": 48,
    "samples": 2,
    "supersampling": 1,
    "denoise": False,
    "textures": "demo",
    "scenes_per_shard": 3,
    "camera": {"radius_m": [0.45, 0.8], "clearance_m": 0.1},
}


@dataclasses.dataclass
class Assets:
    objects: dict[str, Path]
    textures: Path
    setting: dict = dataclasses.field(default_factory=lambda: TINY)

    def render(self, output: Path, *, shard: int = 0, **changes) -> Shard:
        """Render a shard of the setting and open it."""
        rendering = Rendering.model_validate({**self.setting, **changes})
        render_shard(
            setting="tiny",
            rendering=rendering.model_dump(mode="json"),
            split="train",
            shard=shard,
            objects=self.objects,
            textures=self.textures,
            output=output,
            scratch=output.with_suffix(".scratch"),
            fingerprint="code",
            threads=1,
        )
        return Shard(output)


@pytest.fixture(scope="session")
def assets(tmp_path_factory) -> Assets:
    root = tmp_path_factory.mktemp("assets")
    objects = {kind: root / "objects" / kind for kind in KINDS}
    for kind, folder in objects.items():
        make_objects(kind, folder)
    make_textures(root / "textures", size=64)
    return Assets(objects, root / "textures")


@pytest.fixture(scope="session")
def tiny(assets, tmp_path_factory) -> Shard:
    """A shard of three scenes, rendered without interruption."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return assets.render(tmp_path_factory.mktemp("tiny") / "shard-000000.tar")
