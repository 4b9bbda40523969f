"""What a check finds in image files before any job, one line a case."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from syn2real.data import overlap
from syn2real.data.findings import Findings
from syn2real.data.image_checks import Annotated, check_sizes, file_stats, look, sample
from syn2real.data.overlap import check_overlap
from syn2real.data.targets.load import check_layout, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError

NOISE = np.random.default_rng(0).integers(16, 256, (12, 16, 3), dtype=np.uint8)


def picture(path, pixels=NOISE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return {"exif": data, "quality": 95}


def animated(path):
    frames = [Image.fromarray(NOISE // np.uint8(k)) for k in (2, 3)]
    Image.fromarray(NOISE).save(path, save_all=True, append_images=frames)


LOOKS = {
    "plain": (lambda f: picture(f / "a.png"), None),
    "opaque alpha": (lambda f: Image.fromarray(NOISE).convert("RGBA").save(f / "a.png"), None),
    "transparent": (
        lambda f: picture(f / "a.png", np.dstack([NOISE, NOISE[..., 0]])),
        "1 of the 1 images of {} looked at are transparent in places: they are laid on black",
    ),
    "GIF": (
        lambda f: animated(f / "a.gif"),
        "1 of the 1 images of {} looked at have several frames or pages",
    ),
    "TIFF": (lambda f: animated(f / "a.tif"), "several frames or pages: the first is read"),
    "WebP": (lambda f: animated(f / "a.webp"), "several frames or pages"),
    "12 bits in 16": (
        lambda f: picture(f / "a.png", NOISE[..., 0].astype(np.uint16) << 4),
        "no pixel of the 1 images of {} looked at is above 1/16 of full scale",
    ),
    "0 to 1": (lambda f: picture(f / "a.png", NOISE // 128), "write them with the full range"),
    "floats": (lambda f: picture(f / "a.tif", NOISE[..., 0] / np.float32(255)), InputError("mode F")),
    "cut": (lambda f: os.truncate(picture(f / "a.png"), 300), InputError("truncated")),
}


@pytest.mark.parametrize("name", LOOKS)
def test_odd_pixels(name, tmp_path):
    make, expected = LOOKS[name]
    make(tmp_path)
    found = Findings()
    paths = sorted(tmp_path.iterdir())
    if isinstance(expected, InputError):
        with pytest.raises(InputError, match=f"{paths[0].name}: .*{expected}"):
            look(paths, tmp_path, found)
        return
    look(paths, tmp_path, found)
    assert len(found.warnings) == (expected is not None)
    assert expected is None or expected.format(tmp_path) in found.warnings[0]


FILES = {
    "an empty file": (lambda path: path.touch(), "the file is empty"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere.jpg"), "this link leads to no file"),
    "a pipe": (os.mkfifo, "this is no file"),
    "nothing": (lambda path: None, "No such file or directory"),
}


@pytest.mark.parametrize("name", FILES)
def test_odd_files(name, tmp_path):
    make, problem = FILES[name]
    make(tmp_path / "a.jpg")
    with pytest.raises(InputError, match=f"a.jpg: .*{problem}"):
        file_stats([tmp_path / "a.jpg"])


@pytest.mark.parametrize(
    ("orientation", "pixels", "size", "key", "said"),
    [
        (1, NOISE, (12, 16), None, None),
        (
            3,
            NOISE,
            (12, 16),
            None,
            "warning: 1 of the 1 .*; for 1 of them no size .* set exif: apply",
        ),
        (3, NOISE, (12, 16), "apply", None),
        (3, NOISE, (12, 16), "ignore", None),
        (6, NOISE[:, :12], (12, 12), None, "warning: 1 of the 1 .*; for 1 of them no size"),
        (6, NOISE, (16, 12), None, "line: 1 of the 1 .*; the sizes of their annotations show which way"),
        (6, NOISE, (12, 16), None, "line: 1 of the 1 "),
        (
            6,
            NOISE,
            (12, 16),
            "apply",
            "error: the image is 12 x 16 pixels, but .* 16 x 12",
        ),
        (
            6,
            NOISE,
            (16, 12),
            "ignore",
            "error: the image is 16 x 12 pixels, but .* 12 x 16",
        ),
        (1, NOISE, (16, 12), None, "error: the image is 16 x 12 pixels, but .* 12 x 16"),
    ],
)
def test_sizes_and_exif_orientations(orientation, pixels, size, key, said, tmp_path):
    path = picture(tmp_path / "a.jpg", pixels, **exif(orientation))
    found, kind, text = Findings(), *(said or ": ").split(": ", 1)
    if kind == "error":
        with pytest.raises(InputError, match=f"a.jpg: {text}"):
            check_sizes([Annotated(path, size)], key, tmp_path, found)
        return
    check_sizes([Annotated(path, size)], key, tmp_path, found)
    assert [len(found.warnings), len(found.lines)] == [kind == "warning", kind == "line"]
    for line in found.warnings + found.lines:
        assert Path(tmp_path).name in line
        assert re.match(text, line)


def noise(folder, count, seed):
    rng = np.random.default_rng(seed)
    return [
        picture(folder / f"{seed}-{k}.ppm", rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        for k in range(count)
    ]


OVERLAPS = {
    "none": (lambda train, test: None, None),
    "equal sizes and middles": (
        lambda train, test: test[0].write_bytes(train[1].read_bytes()[:-1] + b"#"),
        None,
    ),
    "a copy": (lambda train, test: test[0].write_bytes(train[1].read_bytes()), "1 of 3"),
    "a hard link": (lambda train, test: (test[2].unlink(), test[2].hardlink_to(train[0])), "1 of 3"),
    "a symbolic link": (lambda train, test: (test[2].unlink(), test[2].symlink_to(train[0])), "1 of 3"),
    "copies alone": (
        lambda train, test: [b.write_bytes(a.read_bytes()) for a, b in zip(train, test, strict=False)],
        "3 of 3",
    ),
    "links alone": (
        lambda train, test: [(b.unlink(), b.hardlink_to(a)) for a, b in zip(train, test, strict=False)],
        "3 of 3",
    ),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_images_in_both_splits(name, tmp_path):
    make, counted = OVERLAPS[name]
    train, test = noise(tmp_path / "train", 5, 1), noise(tmp_path / "val", 3, 2)
    make(train, test)
    refused, warned = Findings(), Findings()
    check_overlap(refused, file_stats(train), file_stats(test))
    check_overlap(warned, file_stats(train), file_stats(test), refuse=False)
    assert [len(refused.problems), len(warned.warnings)] == [counted is not None] * 2
    for line in refused.problems + warned.warnings:
        assert re.search(f"/val/.* is a training image, too, as .*/train/1-.*; {counted} test images", line)


def test_of_many_equal_files_some_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(overlap, "MOST_BYTES", 100)
    train, test = noise(tmp_path / "train", 30, 1), noise(tmp_path / "val", 30, 2)
    for a, b in zip(train, test, strict=True):
        b.write_bytes(a.read_bytes())
    found = Findings()
    check_overlap(found, file_stats(train), file_stats(test))
    assert re.search("; at least [123] of 30 test images", found.problems[0])


def test_a_sample_has_both_ends_and_the_middle_and_is_always_the_same():
    drawn = sample(range(1_000), 20)
    assert drawn == sample(range(1_000), 20) == sorted({*drawn}) and {0, 500, 999} <= {*drawn}
    assert len(drawn) <= 20 and sample(range(5), 20) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("layout", ["imagenet", "coco", "ade20k"])
def test_a_layouts_images_are_looked_at(layout, request, save_image):
    target, channel = request.getfixturevalue(layout), {"coco": "objects", "ade20k": "class-map"}
    folder = target.image_folder("train")
    last = sorted(path for path in folder.rglob("*") if path.is_file())[-1]
    content = last.read_bytes()
    for broken, problem in ((content[:-40], "[Tt]runcated"), (b"", "the file is empty")):
        last.write_bytes(broken)
        with pytest.raises(InputError, match=f"{last.name}: .*{problem}"):
            check_layout(target, channel.get(layout, "label"))


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_key_exif_decides_what_is_read(split, ade20k, save_image):
    pixels = np.zeros((12, 16, 3), dtype=np.uint8)
    pixels[:, :8] = 200
    image = next(ade20k.image_folder(split).iterdir())
    save_image(image, Image.fromarray(pixels), **exif(3))
    for key, left in ((None, 0), ("apply", 0), ("ignore", 200)):
        target = ade20k.model_copy(update={"exif": key})
        warnings = [line for line in check_layout(target, "class-map").warnings if "exif: apply" in line]
        assert len(warnings) == (key is None)
        shown = {path.name: k for k, path in enumerate(sorted(ade20k.image_folder(split).iterdir()))}
        read = load_target(target, split, "class-map")[shown[image.name]][0]
        assert abs(int(read[0, 6, 2]) - left) < 9


def test_a_key_that_is_not_given_is_in_no_params():
    plain = Target(layout="ade20k", path="x")
    assert "exif" not in plain.model_dump(mode="json")
    assert plain.model_copy(update={"exif": "apply"}).model_dump(mode="json")["exif"] == "apply"
