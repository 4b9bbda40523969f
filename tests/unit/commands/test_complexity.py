"""`syn2real complexity`: any folder of images, shards, and what is refused in one line with code 2."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from syn2real.backbones.base import build_backbone, save_backbone
from syn2real.cli import main
from syn2real.complexity.distance import kernel_distance
from syn2real.complexity.features import features, load_reference
from syn2real.complexity.images import FolderImages

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_backbone(path, build_backbone("resnet18").state(), {})
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """Three scenes of two images each, of several shapes and kinds, in folders of their own."""
    random = np.random.default_rng(0)
    for scene in range(3):
        place = tmp_path / "images" / f"scene{scene}"
        place.mkdir(parents=True)
        for name, shape in (("0.png", (30, 40, 3)), ("1.JPG", (50, 20, 3))):
            Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(place / name)
    (tmp_path / "images" / "notes.txt").write_text("no image")
    return tmp_path / "images"


def run(capsys, *arguments):
    code = main(["complexity", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_folder_is_measured_and_written_as_json(folder, weights, tmp_path, capsys) -> None:
    options = ["--weights", weights, "--model", "resnet18", "--size", 32, "--threads", 1]
    code, out, _ = run(capsys, folder, *options, "-o", tmp_path / "result.json")
    result = json.loads((tmp_path / "result.json").read_text())
    assert code == 0 and f"H = {result['entropy']:.1f} nats" in out
    assert (result["images"], result["scenes"], result["source"]) == (6, 6, str(folder))
    assert "no more vectors than dimensions" in out and "-∞, as the covariance has rank 5 of 512" in out
    code, out, _ = run(capsys, folder, *options, "--scene", r"(scene\d+)/", "--activation", "map")
    assert code == 0 and "images 6, scenes 3, vectors 6 (map, 32 pixels)" in out


def test_shards_know_their_scenes(shards, weights, capsys) -> None:
    options = ["--weights", weights, "--model", "resnet18", "--size", 32]
    for place in (shards[0][0], shards[0][0].parent):
        code, out, _ = run(capsys, place, *options)
        assert code == 0 and "images 16, scenes 8" in out
    code, _, error = run(capsys, shards[0][0], *options, "--scene", "(.)")
    assert code == 2 and "shards know their images and scenes" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--weights: give the reference backbone's weights"),
        (["--weights", "none.pth"], "none.pth: there is no such weights file"),
        (["--weights", "W", "--size", "3"], "--size: 32 to 4,096 is possible, not 3"),
        (["--weights", "W", "--size", "4097"], "--size: 32 to 4,096 is possible, not 4097"),
        (["--weights", "/dev/null"], "/dev/null: is a pipe or device; give a weights file"),
        (["--model", "resnet19"], "--model: 'resnet19' is not defined; did you mean 'resnet1"),
        (["--weights", "W", "--floor", "0"], "--floor: a positive number"),
        (["--weights", "W", "--model", "resnet34"], "does not fit a resnet34"),
        (["--weights", "W", "--model", "resnet18", "--scene", "scene"], "has no group"),
        (["--weights", "W", "--model", "resnet18", "--scene", "("], "is not a valid regular expression"),
        (["--weights", "W", "--model", "resnet18", "--scene", "(room)"], "does not fit this name"),
    ],
)
def test_wrong_options_are_one_line(folder, weights, options, message, capsys) -> None:
    code, out, error = run(capsys, folder, *[weights if option == "W" else option for option in options])
    lines = [line for line in error.splitlines() if not line.startswith("warning: ")]
    assert (code, out, len(lines)) == (2, "", 1)
    assert lines[0].startswith("error: ") and message in lines[0]


def test_a_folder_without_images_and_a_broken_image_are_one_line(folder, weights, tmp_path, capsys) -> None:
    options = ["--weights", weights, "--model", "resnet18", "--size", 32]
    (tmp_path / "empty").mkdir()
    (folder / "scene1" / "2.png").write_bytes(b"\x89PNG broken")
    for place, message in (
        (tmp_path / "empty", "no image below this folder"),
        (tmp_path / "none", "there is no such folder"),
        (folder / "notes.txt", "not a readable shard"),
        (Path("/dev/null"), "is a pipe or device"),
        (folder / "scene1" / "0.png", "is one image; give the folder"),
        (folder, "scene1/2.png: the image cannot be read"),
    ):
        code, _, error = run(capsys, place, *options)
        assert code == 2 and len(error.splitlines()) == 1 and message in error, (place, error)


def kubric(folder, kinds):
    """Write frames as Kubric, BlenderProc or BOP do: a file a kind, name to mode."""
    random = np.random.default_rng(1)
    for k in range(3):
        for name, mode in kinds.items():
            path = folder / name.replace("#", f"{k:05d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 255, (8, 8, 4), dtype=np.uint8)
            if mode in ("F", "I;16"):
                Image.fromarray(pixels[..., 0].astype(np.float32 if mode == "F" else np.uint16)).save(path)
            else:
                Image.fromarray(pixels).convert(mode).save(path)


RGB, MIXED = {"a_#.png": "RGB"}, {"a_#.png": "RGB", "b_#.png": "L"}
KUBRIC = {"0/rgba_#.png": "RGBA", "0/depth_#.tiff": "F", "0/segmentation_#.png": "P", "0/normal_#.png": "RGB"}
BOP = {"rgb/#.png": "RGB", "depth/#.png": "I;16", "mask_visib/#.png": "L"}


@pytest.mark.parametrize(
    ("kinds", "pattern", "images", "message"),
    [
        (RGB, None, 3, ""),
        (MIXED, None, 6, "warning: images differ in Pillow's mode (3 RGB, 3 L)"),
        ({"a_#.png": "RGB", "b_#.jpg": "L", "c_#.png": "RGBA"}, None, 9, ""),
        (MIXED, "a_*", 3, ""),
        (MIXED | {".hidden/#.png": "L", "._a_#.png": "L"}, "*", 6, "images differ"),
        (KUBRIC, None, None, "3 #/depth_#.tiff (F), 3 #/normal_#.png (RGB), 3 #/rgba_#.png (RGBA), "),
        (KUBRIC, None, None, "choose with --images, such as --images 'rgba_*.png' ('*' takes all)"),
        (KUBRIC, "rgba_*.png", 3, ""),
        (KUBRIC, "*", None, "depth_00000.tiff: this image has Pillow's mode F, floats of unknown scale"),
        (BOP, None, None, "such as --images 'rgb/*.png'"),
        (BOP, "rgb/*", 3, ""),
        ({"a_#.png": "RGB", "mask/#.png": "RGB"}, None, None, "3 mask/#.png (RGB)"),
        ({"a_#.png": "RGB", "mask/#.png": "RGB"}, "*", 6, ""),
        ({"depth_#.png": "L"}, None, 3, ""),
        (RGB, "b_*", None, "--images: 'b_*' matches none of the 3 images, such as 'a_00000.png'"),
        (RGB, " ", None, "--images: ' ' matches none"),
        (RGB | {"c_#.tar": "RGB"}, None, None, "holds both .tar files (3) and images (3)"),
        (RGB | {"c_#.tar": "RGB"}, "*", 3, "3 files of F are not read as images: .tar (3)"),
    ],
)
def test_depth_and_masks_are_not_taken_for_images(
    tmp_path, weights, kinds, pattern, images, message, capsys
) -> None:
    folder = tmp_path / "F"
    kubric(folder, {name: mode for name, mode in kinds.items() if ".tar" not in name})
    for name in (name for name in kinds if ".tar" in name):
        for k in range(3):
            (folder / name.replace("#", str(k))).write_bytes(b"")
    options = ["--weights", weights, "--model", "resnet18", "--size", 32, "--threads", 1]
    code, out, error = run(capsys, folder, *options, *(["--images", pattern] if pattern else []))
    error = error.replace(str(folder), "F")
    assert code == (2 if images is None else 0) and message in error, error
    assert images is None or f"images {images}, " in out
    assert code == 0 or (out, len(error.splitlines())) == ("", 1)


def test_a_file_of_several_images_is_warned_of(folder, weights, capsys) -> None:
    frames = [Image.new("RGB", (8, 8), (90 * k, 0, 0)) for k in range(3)]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    options = ["--weights", weights, "--model", "resnet18", "--size", 32]
    code, out, error = run(capsys, folder, *options)
    assert code == 0 and "images 7, " in out
    assert "warning: 1 file holds several images; the first of each is measured" in error


def test_dead_channels_are_warned_of_and_images_that_are_all_alike_refused(
    folder, weights, tmp_path, capsys
) -> None:
    state = load_file(weights)
    state["layer4.1.bn2.weight"][:256], state["layer4.1.bn2.bias"][:256] = 0, -1e6
    save_file(state, tmp_path / "half.safetensors")
    state["layer4.1.bn2.weight"][:], state["layer4.1.bn2.bias"][:] = 0, -1e6
    save_file(state, tmp_path / "none.safetensors")
    state["layer4.1.bn2.bias"][:] = 3e38
    state["layer4.1.bn2.weight"][:] = 3e38
    save_file(state, tmp_path / "huge.safetensors")
    options = ["--model", "resnet18", "--size", 32, "--threads", 1]
    code, _, error = run(capsys, folder, "--weights", tmp_path / "half.safetensors", *options)
    assert code == 0 and "of 512 channels" in error and "are the same for all images" in error
    code, _, error = run(capsys, folder, "--weights", tmp_path / "none.safetensors", *options)
    assert code == 2 and "none of 512 channels differs between the 6 images" in error.splitlines()[-1]
    code, _, error = run(capsys, folder, "--weights", tmp_path / "huge.safetensors", *options)
    assert code == 2 and "its features are not finite" in error.splitlines()[-1]


def photographs(folder, count=4):
    """Write photographs of other shapes, brighter than the images."""
    random = np.random.default_rng(2)
    folder.mkdir(parents=True)
    for k in range(count):
        Image.fromarray(random.integers(100, 255, (24, 32, 3), dtype=np.uint8)).save(folder / f"{k}.jpg")
    return folder


def test_the_distance_from_photographs_is_that_of_their_pooled_features(
    folder, weights, tmp_path, capsys
) -> None:
    options = ["--weights", weights, "--model", "resnet18", "--size", 32, "--threads", 1]
    photos, file = photographs(tmp_path / "photos"), tmp_path / "result.json"
    code, out, _ = run(capsys, folder, *options, "--scene", r"(scene\d+)/", "--against", photos, "-o", file)
    result = json.loads(file.read_text())["against"]
    [row] = result["distances"]
    assert code == 0 and (row["images"], row["scenes"], row["photographs"]) == (6, 3, 4)
    assert out.splitlines()[-1].startswith(f"distance from {photos}: {row['distance']:.3g}, standard error ")
    backbone = load_reference(weights, "resnet18")
    sets = [FolderImages(folder, r"(scene\d+)/"), FolderImages(photos)]
    vectors = [
        np.concatenate([block for _, block in features(
            images, backbone, activation="pooled", image_size=32, device=torch.device("cpu")
        )])
        for images in sets
    ]  # fmt: skip
    found = kernel_distance(*vectors, sets[0].scenes)
    assert (row["distance"], row["standard_error"]) == (found.value, found.standard_error)
    assert result["dimensions"] == 512 and {*result["inputs"]} == {"images", "photographs", "weights"}


def test_a_target_of_the_configuration_has_photographs(
    folder, weights, tmp_path, capsys, monkeypatch
) -> None:
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            photographs(tmp_path / "data" / split / name, 3 if split == "train" else 1)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    written = {key: str(ROOT / config[key]) for key in ("renderings", "recipes", "datasets")}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/targets.yaml").write_text(
        yaml.safe_dump({"mine": {"layout": "image-folder", "path": "data"}})
    )
    smoke = str(ROOT / "config/experiments/smoke.yaml")
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(config | written | {"experiments": [smoke]}))
    monkeypatch.chdir(tmp_path)
    options = ["--weights", weights, "--model", "resnet18", "--size", 32, "--threads", 1]
    code, out, error = run(capsys, folder, *options, "--against", "mine")
    assert code == 0 and "6 images of 6 scenes, 6 photographs" in out, error
    assert "or mine is of 6 scenes or photographs, too few" in error
    for name, message in (
        ("mime", "--against: 'mime' is not defined; did you mean 'mine'"),
        ("x", "choose from mine, smoke-stand-in-ade20k, smoke-stand-in-coco, smoke-stand-in-imagenet (nor"),
        ("smoke-stand-in-coco", "smoke-stand-in"),
    ):
        code, out, error = run(capsys, folder, *options, "--against", name)
        assert (code, out, len(error.splitlines())) == (2, "", 1) and message in error, error


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: photographs(place, 1), "two scenes or more, not 1 of one; give more"),
        (lambda place: place.mkdir(), "no image below this folder"),
        (lambda place: None, "there is no such folder, and no config/config.yaml here"),
        (
            lambda place: (photographs(place) / "9.jpg").write_bytes(b"\xff\xd8 broken"),
            "9.jpg: the image cannot be read",
        ),
        (
            lambda place: kubric(photographs(place), KUBRIC),
            "holds images of several kinds; give a folder that holds the photographs alone",
        ),
    ],
)
def test_photographs_that_cannot_be_compared_are_one_line(
    folder, weights, tmp_path, make, message, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "photos")
    options = ["--weights", weights, "--model", "resnet18", "--size", 32, "--threads", 1]
    code, out, error = run(capsys, folder, *options, "--against", "photos")
    assert (code, out, len(error.splitlines())) == (2, "", 1) and message in error, error
