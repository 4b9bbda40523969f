"""Masks as run lengths or polygons: pycocotools is the oracle of pixels, boxes and areas."""

import json

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from syn2real.data.coco.painting import instance_mask
from syn2real.data.coco_format import read_annotations
from syn2real.data.own_renders.index import index_folder, read_part, update_index
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError

pixels = st.integers(1, 9).flatmap(
    lambda height: st.integers(1, 9).flatmap(
        lambda width: st.lists(st.booleans(), min_size=height * width, max_size=height * width).map(
            lambda bits: np.array(bits, dtype=np.uint8).reshape(height, width)
        )
    )
)
corner = st.tuples(st.floats(-4, 12, width=16), st.floats(-4, 12, width=16))
shapes = st.lists(st.lists(corner, min_size=3, max_size=6), min_size=1, max_size=3)


@settings(deadline=None, max_examples=60)
@given(masks=st.lists(pixels, min_size=1, max_size=4), compressed=st.booleans(), drawn=st.none() | shapes)
def test_masks_boxes_and_areas_are_pycocotools(tmp_path_factory, masks, compressed, drawn):
    """Any masks, as run lengths or polygons: both readers give pycocotools' pixels, boxes and areas."""
    folder = tmp_path_factory.mktemp("masks")
    images, rows, truth = [], [], []
    for number, mask in enumerate(masks):
        height, width = mask.shape
        images.append({"id": number, "file_name": f"{number}.png", "width": width, "height": height})
        if drawn:
            polygons = [[side for point in shape for side in point] for shape in drawn]
            segmentation = polygons
            code = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
        else:
            code = coco_mask.encode(np.asfortranarray(mask))
            flat = mask.flatten(order="F")
            edges = np.flatnonzero(np.diff(np.concatenate(([0], flat)))).tolist()
            counts = np.diff([0, *edges, flat.size]).tolist()
            segmentation = {
                "size": [height, width],
                "counts": code["counts"].decode() if compressed else counts,
            }
        truth.append(code)
        rows.append({"id": number + 1, "image_id": number, "category_id": 1, "segmentation": segmentation})
    content = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "a"}]}
    (folder / "a.json").write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        read = read_back(folder / "a.json")
    for reader, found in read.items():
        for number, code in enumerate(truth):
            expected = coco_mask.decode(code).astype(bool)
            row = found.get(number)
            if row is None:
                assert not expected.any(), reader
                continue
            assert (instance_mask(row, expected.shape) == expected).all(), reader
            if not drawn and "bbox" in row:
                assert row["bbox"] == coco_mask.toBbox(code).tolist()


def read_back(path):
    """Return each reader's annotations by image."""
    try:
        target = {row["image_id"]: row for row in read_annotations([path], "class-map")["annotations"]}
    except InputError:
        target = {}
    own = OwnRenders(images={"train": "t", "val": "v"}, annotations={"train": str(path), "val": "v.json"})
    try:
        index = update_index("mine", own, "train")
    except InputError as error:  # polygons that all lie in 0–1 may be shares of their images
        assert "all polygons lie in 0–1" in str(error)
        reject()
    part = read_part(index_folder("mine", "train") / f"{index.parts[0]}.json")
    return {"target": target, "own renders": {k: rows[0] for k, rows in part.annotations.items()}}
