"""`syn2real complexity`: any folder of images, shards, and what is refused in one line with code 2."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from syn2real.backbones.base import build_backbone, save_backbone
from syn2real.cli import main


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
    assert code == 2 and "shards know their scenes" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--weights: give the reference backbone's weights"),
        (["--weights", "none.pth"], "none.pth: --weights: there is no such file"),
        (["--weights", "W", "--size", "3"], "--size: at least 32"),
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
    assert (code, out) == (2, "") and len(error.splitlines()) == 1
    assert error.startswith("error: ") and message in error


def test_a_folder_without_images_and_a_broken_image_are_one_line(folder, weights, tmp_path, capsys) -> None:
    options = ["--weights", weights, "--model", "resnet18", "--size", 32]
    (tmp_path / "empty").mkdir()
    (folder / "scene1" / "2.png").write_bytes(b"\x89PNG broken")
    for place, message in (
        (tmp_path / "empty", "no image below this folder"),
        (tmp_path / "none", "there is no such folder"),
        (folder / "notes.txt", "not a readable shard"),
        (folder, "scene1/2.png: the image cannot be read"),
    ):
        code, _, error = run(capsys, place, *options)
        assert code == 2 and len(error.splitlines()) == 1 and message in error, (place, error)
