"""Shards: equal content gives equal bytes, access is random, other readers read them, damage is reported."""

import io
import json
import pickle
import shutil
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest
import webdataset
from PIL import Image

from syn2real.data.shards import (
    INDEX,
    META,
    SceneRecord,
    Shard,
    check_size,
    decode_image,
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
    with pytest.raises(InputError, match=r"missing\.tar: there is no such shard"):
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
    meta = {"setting": "a", "split": "train", "classes": [], "first_scene": 0, "n_scenes": 1, "views": 2}
    meta["members"] = ["png", "depth.png", "json"]
    write_shard(tmp_path / "shard.tar", meta, [SceneRecord(0, b"{}", views)])
    shard = Shard(tmp_path / "shard.tar")
    assert [shard.read(key) for key in shard.keys] == views


def tampered(change, at=META):
    """Return a function that writes a shard whose member `at` is changed; the index still fits the others."""

    def write(path):
        write_shard(path, meta(2), [record(5), record(6)])
        stream = io.BytesIO()
        with tarfile.open(path) as old, tarfile.open(fileobj=stream, mode="w") as new:
            for member in old:
                content = old.extractfile(member).read()
                if member.name == at:
                    content = change(content, member)
                    content = content if isinstance(content, bytes) else json.dumps(content).encode()
                    member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        path.write_bytes(stream.getvalue())

    return write


def said(**values):
    return tampered(lambda content, _: json.loads(content) | values)


def typed(kind):
    """Return a function that writes a shard whose first member is a link or device."""

    def write(path):
        with tarfile.open(path, "w") as tar:
            member = tarfile.TarInfo(META)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)

    return write


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return lambda content, member: stream.getvalue()


def header(text):
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    return tampered(lambda *_: content, INDEX)


def with_pax(**values):
    def write(path):
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            member = tarfile.TarInfo(META)
            member.pax_headers = values
            tar.addfile(member)

    return write


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")


FILES = [
    (lambda path: path.mkdir(), "is a folder; give a shard"),
    (lambda path: path.symlink_to("/dev/null"), "is a pipe or device; give a shard"),
    (lambda path: path.write_text("n,error"), "not a readable shard"),
    (lambda path: path.write_bytes(b""), "not a readable shard"),
    (zipped, "not a readable shard"),
    *((typed(kind), f"it has no {META}") for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)),
    *(
        (typed(kind), f"it has no {META}")
        for kind in (tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE)
    ),
    (with_pax(**{"GNU.sparse.size": "x"}), "not a readable shard"),
    (with_pax(size="999999999999"), "not a readable shard"),
    (with_pax(path="/etc/passwd"), f"it has no {META}"),
    (tampered(lambda *_: b"{" * 100_000), "not a readable shard"),
    (tampered(lambda *_: b"[" * 100_000), "not a readable shard"),
    (tampered(lambda *_: b'{"format": ' + b"9" * 5000 + b"}"), "not a readable shard"),
    (tampered(lambda *_: []), f"its {META} is no mapping"),
    (tampered(lambda *_: b" " * (65 << 20)), f"its {META} has 68,157,440 bytes"),
    (said(format=1), "format 1 is not 2; render it again"),
    (said(format=None), "format None is not 2"),
    (said(n_scenes=10**400), "is not of 1"),
    (said(n_scenes=True), f"{META}.n_scenes: is not a whole number from 1 on"),
    (said(n_scenes=0), f"{META}.n_scenes: is not a whole number"),
    (said(n_scenes=3), f"its {INDEX} is not of 3 scenes"),
    (said(views=0), f"{META}.views: is not a whole number from 1 on"),
    (said(views="2"), f"{META}.views: is not a whole number"),
    (said(first_scene=0.5), f"{META}.first_scene: is not a whole number"),
    (said(setting=None), f"{META}.setting: is not a name"),
    (said(classes=["a", "a"]), f"{META}.classes: is not a list of names, each once"),
    (said(members=[["png"]]), f"{META}.members: is not a list of names"),
    (said(resampled=3), f"{META}.resampled: is not a mapping"),
    (said(dropped={"0": "2"}), f"{META}.dropped: is not a mapping to whole numbers"),
    (
        tampered(lambda content, _: {k: v for k, v in json.loads(content).items() if k != "split"}),
        f"{META}.split: is missing",
    ),
    (tampered(npy(np.array([{}], dtype=object)), INDEX), f"its {INDEX} is not of 2 scenes"),
    (tampered(npy(np.full((2, 9, 2), -1)), INDEX), "cut short"),
    (tampered(npy(np.full((2, 9, 2), 2**62)), INDEX), "cut short"),
    (header(b"{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999, 9), }"), "is not of 2 scenes"),
    (header(b"(" * 9000), "is not of 2 scenes"),
]


@pytest.mark.parametrize(("write", "message"), FILES)
def test_what_is_no_shard_is_refused_in_one_line(tmp_path, write, message):
    path = tmp_path / "s.tar"
    write(path)
    with pytest.raises(InputError) as caught:
        Shard(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)


def test_an_image_of_another_kind_or_size_is_named(path):
    shard = Shard(path)
    for mode, size, message in (
        ("L", (4, 4), "no PNG of three channels; the shard is damaged"),
        ("RGB", (4, 5), "is for 4 x 4"),
    ):
        stream = io.BytesIO()
        Image.new(mode, size).save(stream, format="PNG")
        with pytest.raises(InputError, match=message):
            pixels = decode_image(shard, "00000005-00", {"png": stream.getvalue()})
            check_size(shard, "00000005-00", "json", pixels, {"width": 4, "height": 4})
