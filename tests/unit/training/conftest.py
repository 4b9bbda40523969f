"""Small shards and targets whose classes can be told apart: a colour each."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools import mask as rle

from syn2real.config.recipe import Recipe
from syn2real.data.export import export_target
from syn2real.data.shards import SceneRecord, encode_normals, write_shard

RECIPES = Path(__file__).parents[3] / "config" / "recipes"
COLOURS = np.array([[220, 40, 40], [40, 200, 60], [50, 60, 230]], dtype=np.uint8)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def draw(rng, shown, size):
    """Return a noisy image with a coloured box for each class shown, and the class map."""
    image = rng.integers(90, 140, (size, size, 3), dtype=np.uint8)
    seg = np.zeros((size, size), dtype=np.uint8)
    side = size // 3
    for k in shown:
        y = int(rng.integers(0, size - side))
        x = k * side
        image[y : y + side, x : x + side] = COLOURS[k]
        seg[y : y + side, x : x + side] = k + 1
    return image, seg


def view_files(rng, shown, size):
    image, seg = draw(rng, shown, size)
    things = []
    for k in shown:
        code = rle.encode(np.asfortranarray(seg == k + 1, dtype=np.uint8))
        box, area = [float(v) for v in rle.toBbox(code)], int((seg == k + 1).sum())
        outline = {"size": code["size"], "counts": code["counts"].decode()}
        things.append({"class": k, "bbox": box, "area": area, "segmentation": outline})
    normals = np.zeros((size, size, 3))
    normals[..., 2] = 1
    record = {"width": size, "height": size, "objects": things}
    packed = encode_normals(normals, seg > 0)
    files = {"png": png(image), "seg.png": png(seg), "normal.png": png(packed)}
    return files | {"json": json.dumps(record).encode()}


def write_shards(folder, split="train", scenes=8, views=2, size=32, seed=0):
    rng = np.random.default_rng([seed, split == "val"])
    records = []
    for scene in range(scenes):
        shown = [[k for k in range(3) if (scene * views + view + 1) >> k & 1] for view in range(views)]
        records.append(SceneRecord(scene, b"{}", [view_files(rng, classes, size) for classes in shown]))
    meta = {"setting": "boxes", "split": split, "first_scene": 0, "n_scenes": scenes, "views": views}
    meta |= {
        "classes": ["box/red", "box/green", "box/blue"],
        "rendering": {},
        "versions": {},
        "resampled": {},
    }
    path = folder / split / "shard-000000.tar"
    write_shard(path, meta, records)
    return [path]


@pytest.fixture
def shards(tmp_path):
    """Sixteen training and eight validation images in shards."""
    return write_shards(tmp_path, "train"), write_shards(tmp_path, "val", scenes=4)


@pytest.fixture
def eight_images(tmp_path):
    """Return a function that writes eight images of a size into shards; the last shows no object."""
    return lambda size: write_shards(tmp_path, scenes=4, size=size)


@pytest.fixture
def stand_in(shards, tmp_path):
    """The same images as a target in the layouts of ImageNet, COCO and ADE20K."""
    export_target({"train": shards[0], "val": shards[1]}, tmp_path / "boxes-stand-in")
    return tmp_path / "boxes-stand-in"


@pytest.fixture
def image_folder(tmp_path):
    """A target in ImageNet's layout: three classes, twenty training and four test images each."""
    rng = np.random.default_rng(7)
    for split, n in (("train", 20), ("val", 4)):
        for k in range(3):
            folder = tmp_path / "target" / split / f"class{k}"
            folder.mkdir(parents=True)
            for i in range(n):
                (folder / f"{i:03d}.png").write_bytes(png(draw(rng, [k], 32)[0]))
    return {"layout": "image-folder", "path": str(tmp_path / "target")}


@pytest.fixture
def resolve():
    """Return a function that resolves a section of the smoke recipe, with some values changed."""
    recipe = Recipe.model_validate(yaml.safe_load((RECIPES / "smoke.yaml").read_text(encoding="utf-8")))

    def make(stage, task, model="resnet18", **changes):
        return recipe.resolve(stage, task, model) | changes

    return make


@pytest.fixture
def key():
    return {
        "recipe": "smoke",
        "setting": "boxes",
        "ptask": "mulclass",
        "model": "resnet18",
        "n": 16,
        "seed": 0,
    }
