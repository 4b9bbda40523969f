"""COCO's format, one table: an edit of a valid file, and what both of its readers make of it.

The readers are those of targets (`count_annotations`, `read_annotations`) and of own renders
(`update_index`).
"""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from syn2real.data.coco import stream
from syn2real.data.coco.counts import Counts
from syn2real.data.coco.painting import instance_mask
from syn2real.data.coco.stream import Rows
from syn2real.data.coco_format import count_annotations, read_annotations
from syn2real.data.findings import Findings
from syn2real.data.own_renders.index import index_folder, read_part, update_index
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError

HEIGHT, WIDTH = 12, 16
POLYGON = [2, 2, 8, 2, 8, 8, 2, 8]
RUNS = [26, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 100]
"""Of the same square."""


def valid():
    """Return a file of four images with two squares each, of two classes."""
    images = [{"id": k, "file_name": f"{k}.png", "width": WIDTH, "height": HEIGHT} for k in range(4)]
    rows = [
        {
            "id": k + 1,
            "image_id": k // 2,
            "category_id": 1 + k % 2,
            "bbox": [2, 2, 6, 6] if k % 2 else [9, 3, 5, 5],
            "area": 36 if k % 2 else 25,
            "iscrowd": 0,
            "segmentation": [list(POLYGON)] if k % 2 else [[9, 3, 14, 3, 14, 8, 9, 8]],
        }
        for k in range(8)
    ]
    categories = [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    return {"info": {}, "images": images, "annotations": rows, "categories": categories}


def target_reader(path, channel):
    _, counts = count_annotations([path], channel)
    return counts


def own_reader(path, channel):
    own = OwnRenders(images={"train": "t", "val": "v"}, annotations={"train": str(path), "val": "v.json"})
    return Counts(**update_index("mine", own, "train").counts)


READERS = {"target": target_reader, "own renders": own_reader}


def verdict(read, path, channel):
    """Return the problem, or the counts and the warnings."""
    found = Findings()
    try:
        counts = read(path, channel)
        counts.find(found, [channel])
    except InputError as error:
        return str(error), None, []
    return " | ".join(found.problems), counts, found.warnings


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


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "train.json"


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


DAMAGED = {
    b"": "this file is empty",
    b"\x1f\x8b\x08\x00": "this file is compressed; unpack it",
    b"<annotation></annotation>": "this is XML, not JSON",
    b'[{"image_id": 1, "score": 0.5}]': "a list of detections (COCO's format of results)",
    b"[]": "this is a list, not a mapping",
    b"3": "this is not a JSON mapping",
    b'{"images": [': "not valid JSON (",
    b'{"info": [{"id": 1}': "not valid JSON (Expecting",
    b'{"images": [{"id": }]}': """not valid JSON (Expecting value near '{"images": [{"id": }]}')""",
    b'{"a": 1} {"b": 2}': "not valid JSON (more text behind the closing bracket)",
    b'{"annotations": [{"id": 1},]}': "not valid JSON (Expecting value near",
    b'{"a": 1,}': "not valid JSON (",
    b'{"a": 1 "b": 2}': "not valid JSON (',' is missing near",
    b'{"a": "\xff"}': "not valid JSON ('utf-8' codec can't decode byte 0xff",
    b'{"a": ' + b"9" * 5000 + b"}": "not valid JSON (Exceeds the limit (4300 digits)",
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "nested too deeply",
    b'{"images": [{"id": 1, "id": 2}]}': "not valid JSON (the key 'id' stands twice",
    b'{"annotations": [], "annotations": []}': "annotations: this key stands twice",
}


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_refused_in_one_line(file, reader):
    for content, problem in DAMAGED.items():
        file.write_bytes(content)
        found, _, _ = verdict(READERS[reader], file, "objects")
        assert found.startswith(f"{file}: ") and problem in found and "\n" not in found, (content[:50], found)
    file.unlink()
    assert "there is no such file" in verdict(READERS[reader], file, "objects")[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_are_seen(file, encoding):
    file.write_text(json.dumps(valid()), encoding=encoding)
    for read in READERS.values():
        assert verdict(read, file, "objects")[1].used == ALL


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


whole = st.integers(-(2**63) + 1, 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(value=values, extra=values, chunk=st.integers(1, 9), indent=st.none() | st.integers(0, 3))
def test_rows_are_what_json_reads(tmp_path_factory, value, extra, chunk, indent):
    path = tmp_path_factory.mktemp("json") / "a.json"
    content = {"extra": extra, "images": [{"value": value}, {}], "more": extra, "annotations": [{"b": 1}]}
    path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK", chunk)
        rows = [(table, row) for table, _, row in Rows(path).read()]
    read = json.loads(path.read_text(encoding="utf-8"))
    assert repr(rows) == repr([(table, row) for table in ("images", "annotations") for row in read[table]])


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
    # Where every corner lies in 0–1, the file is refused: its polygons may be shares of the image.
    assume(not drawn or any(abs(side) > 1 for shape in drawn for point in shape for side in point))
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
    index = update_index("mine", own, "train")
    part = read_part(index_folder("mine", "train") / f"{index.parts[0]}.json")
    return {"target": target, "own renders": {k: rows[0] for k, rows in part.annotations.items()}}


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
