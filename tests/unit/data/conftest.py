"""Small data sets in the exact layouts of the real ones, and small shards."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

from syn2real.channels.normals import pack
from syn2real.data.shards import SceneRecord, write_shard
from syn2real.data.targets.schema import Target

CLASSES = ["demo/obj_000001", "demo/obj_000002", "demo/obj_000003"]


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def make_view(rng, scene, view, size, objects):
    """Return a view whose objects are boxes of flat colour side by side, and its arrays."""
    image = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    seg = np.zeros((size, size), dtype=np.uint8)
    things = []
    for place, k in enumerate(objects):
        mask = np.zeros((size, size), dtype=np.uint8, order="F")
        mask[2 : 6 + place, 1 + 9 * place : 8 + 9 * place] = 1
        seg[mask == 1] = k + 1
        code = rle.encode(mask)
        things.append(
            {
                "class": k,
                "bbox": [float(v) for v in rle.toBbox(code)],
                "area": int(mask.sum()),
                "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
                "visible_fraction": 1.0,
            }
        )
    normals = rng.normal(size=(size, size, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    packed = pack(normals, seg > 0)
    record = {"scene": scene, "view": view, "width": size, "height": size, "camera": {}, "objects": things}
    return {
        "png": png(image),
        "seg.png": png(seg),
        "normal.png": png(packed),
        "json": json.dumps(record).encode(),
    }, {"image": image, "seg": seg, "normals": normals, "things": things}


@pytest.fixture
def make_shards(tmp_path):
    """Return a function that writes shards and returns their paths and every view's arrays."""

    def make(
        split="train",
        scenes=4,
        views=2,
        per_shard=2,
        size=32,
        classes=CLASSES,
        objects=None,
        setting="s",
        **said,
    ):
        rng = np.random.default_rng(split == "val")
        folder = tmp_path / "renders" / setting / split
        paths, truth = [], []
        for first in range(0, scenes, per_shard):
            n_scenes = min(per_shard, scenes - first)
            records = []
            for scene in range(first, first + n_scenes):
                shown = []
                for view in range(views):
                    i = scene * views + view
                    chosen = objects[i] if objects else [i % 3, (i + 1) % 3][: 1 + i % 2]
                    contents, arrays = make_view(rng, scene, view, size, chosen)
                    shown.append(contents)
                    truth.append(arrays)
                records.append(SceneRecord(scene, b"{}", shown))
            meta = {"setting": setting, "split": split, "first_scene": first, "n_scenes": n_scenes}
            meta |= {"views": views, "classes": classes, "rendering": {}, "versions": {}, "resampled": {}}
            meta |= said
            paths.append(folder / f"shard-{first // per_shard:06d}.tar")
            write_shard(paths[-1], meta, records)
        return paths, truth

    return make


@pytest.fixture
def save_image():
    """Return a function that writes an image file of a flat colour or given pixels."""

    def save(path, pixels=(200, 30, 90), size=(16, 12), **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(pixels, tuple):
            image = Image.new("RGB", size, pixels)
        else:
            image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        if path.suffix.lower() in (".jpg", ".jpeg"):
            options = {"quality": 95, "format": "JPEG", **options}
        image.save(path, **options)

    return save


@pytest.fixture
def imagenet(tmp_path, save_image):
    """Return an ImageNet layout of three classes; val has no image of the second."""
    for k, wnid in enumerate(["n01440764", "n01443537", "n01484850"]):
        for i in range(3):
            save_image(tmp_path / "in" / "train" / wnid / f"{wnid}_{i}.JPEG", (80 * k, 10 * i, 40))
    for k, wnid in ((0, "n01440764"), (2, "n01484850")):
        save_image(tmp_path / "in" / "val" / wnid / f"ILSVRC2012_val_0000000{k + 1}.JPEG", (80 * k, 5, 40))
    return Target(layout="imagenet", path=str(tmp_path / "in"))


def coco_content():
    """Return a COCO file: ids with holes, a crowd, a zero-area box, a box across the edge, an empty image."""
    square = [[2.0, 2.0, 8.0, 2.0, 8.0, 8.0, 2.0, 8.0]]
    crowd = {"size": [12, 16], "counts": [0, 24, 168]}
    return {
        "images": [
            {"id": 42, "file_name": "000000000042.jpg", "width": 16, "height": 12},
            {"id": 7, "file_name": "000000000007.jpg", "width": 16, "height": 12},
        ],
        "annotations": [
            {"id": 1, "image_id": 42, "category_id": 90, "bbox": [2, 2, 6, 6], "area": 36, "iscrowd": 0}
            | {"segmentation": square},
            {"id": 2, "image_id": 42, "category_id": 1, "bbox": [0, 0, 2, 12], "area": 24, "iscrowd": 1}
            | {"segmentation": crowd},
            {"id": 3, "image_id": 42, "category_id": 13, "bbox": [5, 5, 0, 3], "area": 0, "iscrowd": 0}
            | {"segmentation": [[5.0, 5.0, 5.0, 8.0]]},
            {"id": 4, "image_id": 42, "category_id": 13, "bbox": [12, 8, 9, 9], "area": 81, "iscrowd": 0}
            | {"segmentation": [[12.0, 8.0, 16.0, 8.0]]},
        ],
        "categories": [
            {"id": 90, "name": "toothbrush"},
            {"id": 1, "name": "person"},
            {"id": 13, "name": "stop sign"},
        ],
    }


@pytest.fixture
def coco(tmp_path, save_image):
    """Return a COCO 2017 layout with the same two images in both splits, and its content."""
    content = coco_content()
    for split in ("train", "val"):
        for image in content["images"]:
            colour = (200, 30, 90 + len(split))
            save_image(tmp_path / "coco" / f"{split}2017" / image["file_name"], colour)
        path = tmp_path / "coco" / "annotations" / f"instances_{split}2017.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return Target(layout="coco", path=str(tmp_path / "coco"))


@pytest.fixture
def ade20k(tmp_path, save_image):
    """Return an ADE20K layout of 150 classes with two training images and one for validation."""
    root = tmp_path / "ade" / "ADEChallengeData2016"
    for split, names in (("training", ["ADE_train_00000001", "ADE_train_00000002"]), ("validation", ["v"])):
        for name in names:
            mask = np.zeros((12, 16), dtype=np.uint8)
            mask[:4], mask[4:8] = 1, 150
            save_image(root / "images" / split / f"{name}.jpg", (200, 30, 90 + len(name)))
            save_image(root / "annotations" / split / f"{name}.png", mask)
    rows = ["Idx\tRatio\tTrain\tVal\tStuff\tName"]
    rows += [f"{k}\t0.1\t10\t1\t1\tname, {k}  " for k in range(1, 151)]
    (root / "objectInfo150.txt").write_text("\n".join(rows) + "\n")
    return Target(layout="ade20k", path=str(tmp_path / "ade"))
