"""Labels that change are seen; what decides no number is not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from syn2real.data.targets.labels import FOLDER, labels_digest
from syn2real.data.targets.schema import Target

TARGETS = {
    "folders": Target(layout="image-folder", path="data"),
    "coco": Target(
        layout="coco",
        path="data",
        images={"train": "train", "test": "val"},
        annotations={"train": "train.json", "test": "val.json"},
    ),
    "several": Target(
        layout="coco",
        path="data",
        images={"train": "train", "test": "val"},
        annotations={"train": ["train.json"], "test": ["val.json", "more.json"]},
    ),
    "ade20k": Target(layout="ade20k", path="data"),
    "torchvision": Target(layout="torchvision", path="data", dataset="CIFAR10"),
}
ADE = "data/ADEChallengeData2016"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All layouts in one folder, each with its own files."""
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        _write(f"data/{split}/bolt/1.png", "1")
        _write(f"data/{split}/nut/deep/2.png", "2")
        _write(f"data/{split}.json", "{}")
    _write("data/more.json", "{}")
    for split in ("training", "validation"):
        _write(f"{ADE}/images/{split}/1.jpg", "1")
        _write(f"{ADE}/annotations/{split}/1.png", "1")
    _write(f"{ADE}/objectInfo150.txt", "1")
    return tmp_path / "data"


@pytest.mark.parametrize(("kind", "known"), [("folders", "6782f3354ea52daf"), ("ade20k", "af6c466d789a32c3")])
def test_the_digests_of_earlier_versions_stay(kind: str, known: str, data: Path) -> None:
    """They called the test split `val`."""
    assert labels_digest(kind, TARGETS[kind], keep=False) == known


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def _move(old: str, new: str) -> None:
    Path(old).rename(new)


@pytest.mark.parametrize(
    ("kind", "change", "seen"),
    [
        ("folders", lambda: _move("data/val/nut/deep/2.png", "data/val/bolt/2.png"), True),
        ("folders", lambda: _move("data/val/nut", "data/val/washer"), True),
        ("folders", lambda: _write("data/train/nut/deep/3.png", "3"), True),
        ("folders", lambda: Path("data/train/nut/deep/2.png").unlink(), True),
        ("folders", lambda: _write("data/train/nut/notes.txt", "3"), False),
        ("folders", lambda: _write("data/train/nut/._2.png", "3"), False),
        ("folders", lambda: _write("data/val.json", "[]"), False),
        ("coco", lambda: _write("data/val.json", "[]"), True),
        ("coco", lambda: _write("data/train.json", "{ }"), True),
        ("coco", lambda: os.utime("data/val.json", (1, 1)), False),
        ("coco", lambda: _write("data/val/bolt/9.png", "a picture that is not labelled"), False),
        ("several", lambda: _write("data/more.json", "[]"), True),
        ("ade20k", lambda: _write(f"{ADE}/annotations/validation/1.png", "2"), True),
        ("ade20k", lambda: _write(f"{ADE}/images/validation/2.jpg", "2"), True),
        ("ade20k", lambda: _write(f"{ADE}/objectInfo150.txt", "2"), True),
    ],
)
def test_a_change_of_labels_is_seen(data: Path, kind: str, change: Callable[[], None], seen: bool) -> None:
    target = TARGETS[kind]
    before = labels_digest(kind, target)
    assert before == labels_digest(kind, target) == labels_digest(kind, target, look=False)
    for path in data.rglob("*"):
        os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))  # a change in the same tick is a change
    assert labels_digest(kind, target) == before
    change()
    assert labels_digest(kind, target, look=False) == before  # a job is given what planned it
    assert (labels_digest(kind, target) != before) == seen


def test_a_dry_run_writes_nothing(data: Path) -> None:
    assert labels_digest("coco", TARGETS["coco"], keep=False)
    assert not FOLDER.exists()


def test_data_that_was_removed_keeps_its_digest(data: Path) -> None:
    before = labels_digest("coco", TARGETS["coco"])
    (data / "val.json").unlink()
    assert labels_digest("coco", TARGETS["coco"]) == before
    assert labels_digest("other", TARGETS["coco"]) is None


def test_a_damaged_record_is_made_again(data: Path) -> None:
    before = labels_digest("coco", TARGETS["coco"])
    for text in ("", "{}", "[1]", '{"digest": "x", "stamps": {"data/val.json": [0, 0]}}'):
        (FOLDER / "coco.json").write_text(text)
        assert labels_digest("coco", TARGETS["coco"]) == before
    assert labels_digest("torchvision", TARGETS["torchvision"]) is None
