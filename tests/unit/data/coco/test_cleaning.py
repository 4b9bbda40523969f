"""Annotations, one table: an edit of a valid file, and what both readers make of it."""

import json
import math

import pytest

from fixtures.coco import HEIGHT, POLYGON, READERS, RUNS, WIDTH, valid, verdict
from syn2real.data.coco_format import read_annotations


def of_all(**changes):
    """Return an edit that changes every annotation; a function is called with the annotation."""

    def edit(content):
        for row in content["annotations"]:
            row.update({key: value(row) if callable(value) else value for key, value in changes.items()})

    return edit


def of_one(**changes):
    """Return an edit that changes the third annotation (id 3)."""
    return lambda content: content["annotations"][2].update(changes)


def at(table, number, **changes):
    return lambda content: content[table][number].update(changes)


def without(*keys):
    return lambda content: [row.pop(key, None) for row in content["annotations"] for key in keys]


def corners(row):
    x, y, width, height = row["bbox"]
    return [x, y, x + width, y + height]


def pairs(row):
    return [list(zip(p[::2], p[1::2], strict=True)) for p in row["segmentation"]]


def keys(**names):
    """Return an edit that renames or removes keys of the file."""

    def edit(content):
        for old, new in names.items():
            value = content.pop(old)
            content.update({new: value} if new else {})

    return edit


def ids(of, annotations_too=True):
    """Return an edit that changes the ids of images by a function."""

    def edit(content):
        for row in content["images"]:
            row["id"] = of(row["id"])
        for row in content["annotations"] if annotations_too else ():
            row["image_id"] = of(row["image_id"])

    return edit


def copies(content):
    """One category under one id with two names, as Blender's copies are written."""
    content["categories"].append({"id": 1, "name": "bolt.001"})


def more(table, **row):
    """Return an edit that adds a row to a list of the file."""
    return lambda content: content[table].append(row)


def both(*edits):
    return lambda content: [edit(content) for edit in edits]


def runs(counts, size=(HEIGHT, WIDTH)):
    return of_one(segmentation={"size": list(size), "counts": counts})


def polygon(*more):
    return of_one(segmentation=[[*POLYGON, *more]])


ALL = 8
BIG = 10**400
OBJECTS = [
    # (edit, annotations that are used or a part of the problem, part of a warning)
    (lambda content: None, ALL, None),
    # Masks that are none: the box counts.
    (without("segmentation"), ALL, None),
    (of_all(segmentation=[]), ALL, None),
    (of_all(segmentation=[[]]), ALL, None),
    (of_all(segmentation=None), ALL, None),
    (of_one(segmentation=[[1, 1, 5, 5]]), ALL, "mask that covers nothing, box used 1"),
    (runs([192]), ALL, "mask that covers nothing, box used 1"),
    (of_one(segmentation="abc"), "annotations[2].segmentation: 'abc' is neither polygons nor run", None),
    # Areas that are none.
    *((of_all(area=area), ALL, None) for area in (0, -1, None, [], "x", True, math.nan, math.inf, BIG, 1e9)),
    # Boxes.
    (without("bbox"), ALL, None),  # that of the mask
    (of_all(bbox=[]), ALL, None),
    (without("bbox", "segmentation"), "none of 8 annotations can be used: no box and no mask 8", None),
    (both(without("segmentation"), of_one(bbox=[2, 2, 0, 6])), 7, "left out: box without"),
    (both(without("segmentation"), of_one(bbox=[2, 2, 6, -6])), 7, "height 1 (the first: annotation 3)"),
    (of_one(bbox=[0, 0, 0, 0]), ALL, "box without width or height, that of the mask used 1"),
    (of_one(bbox=[16, 2, 5, 5]), 7, "left out: box outside of its image 1"),
    (of_one(bbox=[-9, 2, 5, 5]), 7, "left out: box outside of its image 1"),
    (of_one(bbox=[9, 3, 15, 5]), ALL, "reaches more than 1 pixel beyond its image, cut 1"),
    (of_one(bbox=[9.5, 3, 7, 5]), ALL, None),  # rounding
    (of_one(bbox=[0, 0, 2, 2]), ALL, "box apart from its mask 1"),
    *(
        (of_one(bbox=box), "annotations[2].bbox: ", None)
        for box in (
            [1, 2, 3], [1, 2, 3, None], [1, 2, 3, "4"], [1, 2, 3, True], [1, 2, 3, math.nan], {"x": 1},
            "1 2 3 4",
            [1, 2, 3, math.inf], [1, 2, BIG, 3], [1, 2, 10**300, 10**300], 5, [[1, 2], [3, 4]],
        )
    ),
    (both(without("segmentation"), of_all(bbox=corners, area=None)), "[left, top, right, bottom]", None),
    (of_all(bbox=corners), "[left, top, right, bottom]", None),
    (both(without("segmentation"), of_all(bbox=[0.1, 0.1, 0.5, 0.6])), "all boxes lie in 0–1", None),
    (both(without("segmentation"), of_one(bbox=[0.1, 0.1, 0.5, 0.6])), ALL, "within the first pixel"),
    (of_all(bbox=lambda row: [11, 5, 2, 2]), "8 of 8 boxes lie apart from their masks", None),
    # Crowds, and what BOP ignores.
    *((of_all(iscrowd=flag), ALL, None) for flag in ("0", False, 0.0, None)),
    *((of_all(iscrowd=flag), "every annotation is a crowd", None) for flag in (1, "1", True, 1.0)),
    (of_one(iscrowd=1), ALL, None),
    (lambda c: [row.update(iscrowd=1) for row in c["annotations"][:3]], ALL, "3 of 8 annotations are crowds"),
    (lambda c: [row.update(iscrowd=1) for row in c["annotations"][::2]], ALL, "all annotations of bolt are"),
    (of_one(category_id=None, segments_info=[]), "this is COCO's panoptic format", None),
    *((of_one(iscrowd=flag), "annotations[2].iscrowd", None) for flag in (2, "maybe", [0], math.nan)),
    (of_one(ignore=True), ALL, None),
    (of_all(ignore=1), "every annotation is marked to be ignored", None),
    # Ids are names.
    (ids(str), ALL, None),
    (ids(float), ALL, None),
    (ids(lambda number: f"scene-{number}"), ALL, None),
    (ids(lambda number: number + 2**63), ALL, None),
    (ids(lambda number: -number - 1), ALL, None),
    (ids(str, annotations_too=False), ALL, None),
    *(
        (of_one(**{key: value}), f"annotations[2].{key}: ", None)
        for key in ("image_id", "category_id")
        for value in ([1], {"a": 1}, None, True, 99, "x", 1.5, BIG)
    ),
    *((of_one(id=value), ALL, None) for value in ([1], {"a": 1}, None, "a", 1, 0, -3, BIG, 1.5)),
    *((at("images", 1, id=value), "images[1].id: ", None) for value in ([1], None, True, 1.5, "")),
    (at("images", 1, id=0), "images[1].id: 0 stands twice, as 0.png and as 1.png", None),
    (lambda c: c["images"].append(c["images"][0]), ALL, None),  # the same row
    (copies, "categories[2].id: 1 stands twice, as bolt and as bolt.001; keep one (annotations use", None),
    (more("categories", id=3, name="bolt.001"), ALL, "bolt.001 looks like a copy of bolt"),
    (more("categories", id=3, name="bolt"), ALL, "two categories are named bolt"),
    (more("categories", id=3, name="floor"), ALL, "1 of 3 categories have no annotation: floor"),
    *((at("categories", 0, name=name), ALL, None) for name in (3, 3.0, "x" * 5000, "ä/ö")),
    *((at("categories", 0, name=name), "categories[0].name", None)
      for name in (None, "", [], {}, True, "\ud800")),
    # Images.
    (lambda c: [row.update(width=16.0, height="12") for row in c["images"]], ALL, None),
    (of_one(area=60), ALL, "area larger than its box: is it given in pixels? 1"),
    *((at("images", 0, width=side), "images[0].width", None)
      for side in (None, 0, -3, 48.5, True, [16], "wide")),
    (at("images", 0, width=1_000_000_000), "images[0]: 1000000000 x 12 pixels are more", None),
    *((at("images", 0, file_name=name), "images[0].file_name", None)
      for name in (None, "", 5, "/", "\udc80")),
    (at("images", 0, file_name=None, coco_url="http://images.cocodataset.org/train2017/7.jpg"), ALL, None),
    (lambda c: c["annotations"].__delitem__(slice(2, 8)), 2, "3 of 4 images have no annotation"),
    (lambda c: c["annotations"].append(c["annotations"][0]), 9, "1 of 9 annotations stand twice"),
    # Keys.
    (keys(annotations=None), "annotations: ", None),
    (keys(annotations="annotation"), "no such list; did you mean it by 'annotation'?", None),
    (keys(annotations="Annotations"), "did you mean it by 'Annotations'?", None),
    (keys(images="image"), "images: there is no such list; did you mean it by 'image'?", None),
    (keys(images="shapes", annotations=None), "this file is LabelMe's own format", None),
    (keys(images="_via_img_metadata"), "this file is VIA (VGG Image Annotator)'s own format", None),
    (keys(categories=None), "categories: COCO's format has a list", None),
    (lambda c: c.update(annotations=[]), "annotations: there are no annotations", None),
    (lambda c: c["images"].append(None), "images[4]: COCO's format has a list of mappings under this", None),
    (lambda c: c.update(images=[]), "images: this list is empty", None),
    *(
        (lambda c, key=key, value=value: c.update({key: value}), f"{key}: COCO's format has a list", None)
        for key in ("images", "annotations", "categories")
        for value in (None, {"id": 1}, 3)
    ),
]  # fmt: skip
CLASS_MAPS = [
    (lambda content: None, ALL, None),
    (of_all(segmentation=[]), "annotations.segmentation: 8 of 8 annotations have no mask (the first", None),
    (of_one(segmentation=[[]]), "1 of 8 annotations have no mask (the first: annotation 3)", None),
    (of_one(segmentation=[[1, 1, 5, 5]]), (7, 8), None),
    (of_one(segmentation=[[20, 2, 30, 2, 30, 9]]), (7, 8), None),
    (of_all(segmentation=[[1, 1, 5, 5]]), ("none of 8 annotations can be used: mask that covers", 8), None),
    (of_all(segmentation=lambda row: row["segmentation"][0]), ALL, None),
    (of_all(segmentation=pairs), ALL, None),
    (of_all(segmentation=lambda row: pairs(row)[0]), ALL, None),
    (
        polygon(3),
        "annotations[2].segmentation: the polygon [2, 2, 8, 2, 8, 8, ...] has an x without its y",
        None,
    ),
    *((polygon(value, 3), "not finite", None) for value in (math.nan, math.inf, BIG, 1e7)),
    *((polygon(value, 3), "is not a list of numbers", None) for value in ("3", True, None, [3])),
    (of_all(segmentation=[[0.1, 0.1, 0.5, 0.1, 0.5, 0.6]]), "all polygons lie in 0–1", None),
    (runs(RUNS), ALL, None),
    (runs([192]), (7, 8), None),
    (runs([20, 0, 172]), (7, 8), None),
    (runs([float(run) for run in RUNS], [12.0, 16.0]), ALL, None),
    (runs("j066000000000n2"), ALL, None),
    (
        runs([4, 5]),
        "annotations[2].segmentation: its run lengths cover 9 pixels, but its image has 192",
        None,
    ),
    (runs([192, 1]), "cover 193 pixels", None),
    (runs([200, -8]), "not all whole numbers", None),
    (runs([191, True]), "not all whole numbers", None),
    (runs([[192]]), "not all whole numbers", None),
    (runs(None), "its run lengths (counts) are None", None),
    (runs("P"), "its run lengths break off", None),
    (runs("é"), "no compressed ones", None),
    (runs("j066000000000n1"), "its run lengths cover", None),
    (runs(RUNS, (16, 12)), "its size is [16, 12]; that of its image, [height, width], is [12, 16]", None),
    (of_one(segmentation={"counts": RUNS}), "its size is None", None),
    (both(at("images", 1, width=10**6), runs(RUNS)), "[height, width], is [12, 1000000]", None),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("channel", ["objects", "class-map"])
def test_each_edit_has_its_verdict(file, reader, channel):
    wrong = []
    for number, (edit, expected, warning) in enumerate(OBJECTS if channel == "objects" else CLASS_MAPS):
        content = valid()
        edit(content)
        file.write_text(json.dumps(content))
        problem, counts, warnings = verdict(READERS[reader], file, channel)
        if isinstance(expected, tuple):  # targets drop what has no mask; own renders keep its box
            expected = expected[reader != "target"]
        if isinstance(expected, str):
            right = expected in problem and problem.startswith(f"{file}: ") and "\n" not in problem
        else:
            right = not problem and counts.used == expected
            right &= (
                any(warning in line for line in warnings) if warning else not warnings or channel != "objects"
            )
        if not right:
            wrong.append(
                f"{number}: {expected!r} {warning!r}: {problem!r} {counts and counts.used} {warnings}"
            )
    assert not wrong, "\n".join(wrong)


def test_boxes_in_percent_are_suspected(file):
    content = valid()
    for row in content["images"]:
        row.update(width=640, height=480)
    content["annotations"] = [row | {"segmentation": [], "area": None} for row in content["annotations"] * 3]
    file.write_text(json.dumps(content))
    for read in READERS.values():
        assert any("are they percentages?" in line for line in verdict(read, file, "objects")[2])


@pytest.mark.parametrize("reader", READERS)
def test_a_class_that_lies_within_another_is_noticed(file, reader):
    content = valid()
    for row in content["annotations"][::2]:  # bolts, now around the nuts
        row.update(bbox=[1, 1, 9, 9], segmentation=[[1, 1, 10, 1, 10, 10, 1, 10]])
    file.write_text(json.dumps(content))
    problem, counts, [warning] = verdict(READERS[reader], file, "class-map")
    assert not problem and counts.unlabelled == {"bolt": [144, 324], "nut": [144, 144]}
    assert "such pixels have no label: nut 100% of their pixels" in warning
    assert verdict(READERS[reader], file, "objects")[2] == []


def test_ids_that_no_tensor_holds_are_numbered(file):
    content = valid()
    ids(lambda number: 2**63 + number)(content)
    file.write_text(json.dumps(content))
    data = read_annotations([file], "objects")
    assert [image["id"] for image in data["images"]] == [1, 2, 3, 4]
    assert [row["image_id"] for row in data["annotations"]] == [1, 1, 2, 2, 3, 3, 4, 4]
