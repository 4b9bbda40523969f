"""A user's annotations are read once, an item at a time, and split so that only changes are reimported."""

import json
import tracemalloc

import pytest

from syn2real.data.coco import stream, tally
from syn2real.data.coco.counts import NO_MASK
from syn2real.data.own_renders import index as own_index
from syn2real.data.own_renders.index import index_folder, read_files, read_part, update_index
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError

OWN = OwnRenders(
    images={"train": "train", "val": "val"},
    annotations={"train": "train.json", "val": "val.json"},
    views=2,
    scenes_per_shard=2,
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def content(images=9, masked=True):
    """Return annotations of so many images, last ones first, one square in each; the ids have holes."""
    mask = {"segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]} if masked else {}
    rows = [{"id": 3 * k, "file_name": f"{k}.png", "width": 8, "height": 8} for k in range(images)][::-1]
    squares = [{"image_id": row["id"], "category_id": 7, "bbox": [1, 1, 4, 4], **mask} for row in rows]
    numbered = [{"id": k + 1, **square} for k, square in enumerate(squares[::-1])][::-1]
    categories = [{"id": 7, "name": "screw"}, {"id": 2, "name": "nut"}]
    return {"info": {"year": 2024}, "images": rows, "annotations": numbered, "categories": categories}


def index(tmp_path, value):
    path = tmp_path / "train.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return update_index("mine", OWN, "train")


def part(digest):
    return read_part(index_folder("mine", "train") / f"{digest}.json")


def test_each_shard_has_its_images_and_annotations(tmp_path):
    found = index(tmp_path, content(9))
    assert (found.images, found.categories) == (9, ["nut", "screw"])
    parts = [part(digest) for digest in found.parts]
    # Two scenes of two views a shard, in the order of the ids; the ninth image makes no whole scene.
    assert [[image["id"] for image in p.images] for p in parts] == [[0, 3, 6, 9], [12, 15, 18, 21]]
    assert [sorted(p.annotations) for p in parts] == [[0, 3, 6, 9], [12, 15, 18, 21]]
    assert parts[0].categories == {2: "nut", 7: "screw"} and parts[0].all_have_masks
    assert [file["file_name"] for file in read_files("mine", "train")] == [f"{k}.png" for k in range(9)]


def test_added_images_change_no_part_that_was_whole(tmp_path):
    before = index(tmp_path, content(8)).parts
    after = index(tmp_path, content(14)).parts
    assert len(before) == 2 and len(after) == 4 and after[:2] == before
    left = {path.stem for path in index_folder("mine", "train").iterdir()}
    assert left == {*after, "index", "files"}


def test_an_edited_annotation_changes_its_part_alone(tmp_path):
    before = index(tmp_path, content(8)).parts
    changed = content(8)
    changed["annotations"][0]["bbox"] = [1, 1, 3, 3]
    after = index(tmp_path, changed).parts
    assert after[0] == before[0] and after[1] != before[1]
    assert index(tmp_path, json.dumps(content(8), indent=1)).parts == before  # spaces mean nothing
    maskless = content(8)
    del maskless["annotations"][0]["segmentation"]
    found = index(tmp_path, maskless)
    # Class maps are painted if all annotations have masks: that concerns every shard.
    assert found.counts["remarks"] == {NO_MASK: [1, 8]} and not set(found.parts) & set(before)
    assert not part(found.parts[0]).all_have_masks


def test_an_unchanged_file_is_not_read_again(tmp_path, monkeypatch):
    first = index(tmp_path, content())
    monkeypatch.setattr(own_index, "AnnotationSplitter", None)
    assert update_index("mine", OWN, "train") == first


def test_what_a_killed_run_left_is_not_used(tmp_path):
    folder = index_folder("mine", "train")
    folder.mkdir(parents=True)
    (folder / "part-000000.jsonl").write_text('{"half')
    assert len(part(index(tmp_path, content()).parts[0]).annotations) == 4


def test_little_memory_gives_the_same_parts(tmp_path, monkeypatch):
    usual = index(tmp_path, content()).parts
    monkeypatch.setattr(own_index, "BUFFER", 100)
    monkeypatch.setattr(stream, "CHUNK", 7)
    (index_folder("mine", "train") / "index.json").unlink()
    assert index(tmp_path, content()).parts == usual


def test_memory_is_a_fraction_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(own_index, "BUFFER", 1 << 16)
    monkeypatch.setattr(stream, "CHUNK", 1 << 16)
    monkeypatch.setattr(tally, "SHOWN", 2)
    index(tmp_path, content())  # what is imported at the first use counts in no file
    value = content(240)
    for annotation in value["annotations"]:
        annotation["segmentation"] = [[1, 1, 5, 1, 5, 5] * 1_500]
    (tmp_path / "train.json").write_text(json.dumps(value))
    size = (tmp_path / "train.json").stat().st_size
    tracemalloc.start()
    update_index("mine", OWN.model_copy(update={"scenes_per_shard": 2}), "train")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 3_500_000 and peak < size / 3, (size, peak)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"^train\.json: there is no such file"):
        update_index("mine", OWN, "train")
