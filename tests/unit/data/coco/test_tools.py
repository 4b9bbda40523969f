"""What labelling tools and renderers write is read."""

import json

import pytest

from fixtures.coco import READERS, RUNS, valid, verdict
from syn2real.data.coco_format import read_annotations


def coco_of_a_tool(**changes):
    """Return images and categories as most tools write them, with other keys."""
    content = valid()
    for row in content["images"]:
        row.update({"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0})
    return content | {"licenses": [{"name": "", "id": 0, "url": ""}]} | changes


def cvat(content):
    """Boxes without a mask; brush masks are run lengths that are marked as crowds."""
    for row in content["annotations"]:
        row.update(segmentation=[], attributes={"occluded": False, "rotation": 0.0})
    content["annotations"][0].update(
        segmentation={"size": [12, 16], "counts": RUNS}, iscrowd=1, bbox=[2, 2, 6, 6]
    )


def label_studio(content):
    for k, row in enumerate(content["annotations"]):
        row.update(id=k, segmentation=[], ignore=0, category_id=row["category_id"] - 1)
    content["categories"] = [{"id": 0, "name": "bolt"}, {"id": 1, "name": "nut"}]


def roboflow(content):
    content["categories"] = [
        {"id": 0, "name": "parts", "supercategory": "none"},
        {"id": 1, "name": "bolt", "supercategory": "parts"},
        {"id": 2, "name": "nut", "supercategory": "parts"},
    ]
    for row in content["annotations"]:
        row.update(segmentation=[], area=36.0)


def via(content):
    """VIA writes a polygon without its outer list, and ids as text."""
    for row in content["images"]:
        row.update(id=str(row["id"]))
    for row in content["annotations"]:
        row.update(image_id=str(row["image_id"]), category_id=str(row["category_id"]), area=0)
        row.update(segmentation=row["segmentation"][0])


def bop_writer(content):
    """Numbers for names, run lengths, `ignore`; what is not seen has the box [-1, -1, -1, -1]."""
    content["categories"] = [{"id": k, "name": k, "supercategory": "set"} for k in (1, 2)]
    for k, row in enumerate(content["annotations"]):
        row.update(segmentation={"size": [12, 16], "counts": RUNS}, bbox=[2, 2, 6, 6], ignore=k == 7)
    unseen = {"bbox": [-1, -1, -1, -1], "area": 0, "segmentation": {"size": [12, 16], "counts": [192]}}
    content["annotations"][0].update(unseen)


def solo(content):
    """Unity: sizes are floats, images stand in the order in which they were done."""
    for row in content["images"]:
        row.update(width=16.0, height=12.0)
    content["images"].reverse()
    for k, row in enumerate(content["annotations"]):
        row.update(id=k, segmentation=[], keypoints=[], num_keypoints=0)


def fiftyone(content):
    content["categories"] = [row | {"supercategory": None} for row in content["categories"]]
    for row in content["annotations"]:
        row.pop("segmentation")
        row.update(bbox=[float(side) + 0.25 for side in row["bbox"]], score=None)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("tool", "used", "first", "warning"),
    [
        (cvat, 8, [2, 2, 6, 6], None),
        (label_studio, 8, [9, 3, 5, 5], None),
        (roboflow, 8, [9, 3, 5, 5], "1 of 3 categories have no annotation: parts"),
        (via, 8, [9, 3, 5, 5], None),
        (bop_writer, 7, [2, 2, 6, 6], "left out: box without width or height 1 (the first: annotation 1)"),
        (solo, 8, [9, 3, 5, 5], None),
        (fiftyone, 8, [9.25, 3.25, 5.25, 5.25], None),
    ],
)
def test_what_tools_write_is_read(file, reader, tool, used, first, warning):
    content = coco_of_a_tool()
    tool(content)
    file.write_text(json.dumps(content))
    problem, counts, warnings = verdict(READERS[reader], file, "objects")
    assert not problem and counts.used == used
    assert any(warning in line for line in warnings) if warning else not warnings
    assert read_annotations([file], "objects")["annotations"][0]["bbox"] == first
