"""Shards: equal content gives equal bytes, access is random, other readers read them, damage is reported."""

import io
import json
import pickle
import shutil
import subprocess

import pytest
import webdataset
from PIL import Image

from syn2real.data.shards import (
    SceneRecord,
    Shard,
    view_key,
    write_shard,
)
from syn2real.errors import InputError
from syn2real.files import canonical_json


def png(level: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (level, 0, 0)).save(stream, format="PNG")
    return stream.getvalue()


def record(scene: int, views: int = 2) -> SceneRecord:
    contents = [
        {
            "png": png(10 * scene + view),
            "seg.png": png(1),
            "normal.png": png(2),
            "json": canonical_json({"scene": scene, "view": view}),
        }
        for view in range(views)
    ]
    return SceneRecord(scene, canonical_json({"scene": scene}), contents)


def meta(scenes: int, views: int = 2) -> dict:
    place = {"setting": "a", "split": "train", "first_scene": 5, "n_scenes": scenes, "views": views}
    return place | {"classes": ["c/obj_000001"], "members": ["png", "seg.png", "normal.png", "json"]}


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "shard-000000.tar"
    write_shard(target, meta(3), (record(scene) for scene in (5, 6, 7)))
    return target


def test_members_come_back_in_order(path):
    shard = Shard(path)
    assert shard.keys == [view_key(s, v) for s in (5, 6, 7) for v in (0, 1)]
    assert list(shard.scenes) == [5, 6, 7]
    assert len(shard) == 6
    assert shard.meta["setting"] == "a"
    assert shard.meta["format"] == 2
    assert json.loads(shard.read("00000006")["scene.json"]) == {"scene": 6}


def test_access_is_random(path):
    shard = Shard(path)
    for key in reversed(shard.keys):
        scene, view = map(int, key.split("-"))
        contents = shard.read(key)
        assert list(contents) == ["png", "seg.png", "normal.png", "json"]
        assert contents["png"] == png(10 * scene + view)
        assert json.loads(contents["json"]) == {"scene": scene, "view": view}


def test_equal_content_gives_equal_bytes(path, tmp_path):
    other = tmp_path / "elsewhere" / "other.tar"
    write_shard(other, dict(reversed(meta(3).items())), [record(scene) for scene in (5, 6, 7)])
    assert other.read_bytes() == path.read_bytes()


def test_a_pickle_carries_no_open_file(path):
    shard = Shard(path)
    shard.read(shard.keys[0])
    copy = pickle.loads(pickle.dumps(shard))
    assert copy.read(copy.keys[3]) == shard.read(shard.keys[3])
    shard.close()
    assert shard.read(shard.keys[0])["png"] == png(50)


def test_webdataset_reads_it(path):
    samples = {s["__key__"]: s for s in webdataset.WebDataset(str(path), shardshuffle=False)}
    assert [key for key, sample in samples.items() if "png" in sample] == Shard(path).keys
    sample = samples["00000006-01"]
    assert sample["png"] == png(61)
    assert {"seg.png", "normal.png", "json"} < set(sample)


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar")
def test_tar_lists_and_extracts_it(path):
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True).stdout.split()
    assert listed[:4] == ["__shard__.json", "__shard__.index.npy", "00000005.scene.json", "00000005-00.png"]
    assert len(listed) == 2 + 3 * (1 + 2 * 4)
    command = ["tar", "xOf", path, "00000006-01.png"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == png(61)


def test_a_failed_write_leaves_nothing(tmp_path):
    def scenes():
        yield record(0)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_shard(tmp_path / "s.tar", meta(2), scenes())
    assert list(tmp_path.iterdir()) == []


def test_a_shard_cut_short_is_refused(path):
    content = path.read_bytes()
    for length in (0, 700, len(content) // 2, len(content) - 12_000):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"shard-000000\.tar"):
            Shard(path)


def test_a_shard_that_is_cut_after_it_was_opened_is_named_with_its_member(path):
    shard = Shard(path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"00000007-01.json") + 512 + 5])
    assert shard.read("00000005-00")["png"] == png(50)
    with pytest.raises(InputError, match=r"shard-000000\.tar: 00000007-01\.json: cut short; render it again"):
        shard.read("00000007-01")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="not a readable shard"):
        Shard(tmp_path / "missing.tar")
    write_shard(tmp_path / "s.tar", {**meta(0), "format": 99}, [])
    with pytest.raises(InputError, match=r"s\.tar: __shard__\.json: format 99 is not 2"):
        Shard(tmp_path / "s.tar")


def test_fewer_scenes_than_told_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_shard(tmp_path / "s.tar", meta(3), [record(5), record(6)])
    assert list(tmp_path.iterdir()) == []


def test_members_are_read_one_by_one(path):
    shard = Shard(path)
    assert list(shard.read("00000006-01", ("json", "png"))) == ["png", "json"]
    assert shard.read("00000006-01", ("txt",)) == {}


def test_a_shard_is_opened_without_reading_its_members(path):
    """All but the first two members may be anything, of the same length: only reading would tell."""
    content = path.read_bytes()
    first = content.index(b"00000005.scene.json")
    path.write_bytes(content[:first] + bytes(len(content) - first))
    assert len(Shard(path)) == 6


def test_a_shard_that_lists_no_members_has_those_of_the_first_release(path, tmp_path):
    """Results of older code stay readable: the list is newer than the format."""
    listed = Shard(path)
    assert listed.meta["members"] == ["png", "seg.png", "normal.png", "json"]
    records = [SceneRecord(s, b"{}", [listed.read(view_key(s, v)) for v in range(2)]) for s in listed.scenes]
    meta = {key: value for key, value in listed.meta.items() if key not in ("members", "format")}
    write_shard(tmp_path / "older.tar", meta, records)
    older = Shard(tmp_path / "older.tar")
    assert "members" not in older.meta
    assert [older.read(key) for key in older.keys] == [listed.read(key) for key in listed.keys]


def test_other_members_are_found_by_their_names(tmp_path):
    views = [{"png": b"image", "depth.png": b"far", "json": b"{}"}, {"png": b"other", "json": b"{}"}]
    meta = {"first_scene": 0, "n_scenes": 1, "views": 2, "members": ["png", "depth.png", "json"]}
    write_shard(tmp_path / "shard.tar", meta, [SceneRecord(0, b"{}", views)])
    shard = Shard(tmp_path / "shard.tar")
    assert [shard.read(key) for key in shard.keys] == views
