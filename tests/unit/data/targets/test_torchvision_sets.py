"""torchvision's data sets by name, made small in their layouts; Fashion-MNIST itself where Debian has it."""

import gzip
import inspect
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
import torchvision
from PIL import Image
from torchvision import tv_tensors

from syn2real.data.subsets import subset, subset_record
from syn2real.data.targets.load import check_layout, fetch_target, load_splits, load_target
from syn2real.data.targets.schema import TORCHVISION_CHANNELS, Target
from syn2real.data.targets.torchvision_sets import split_arguments
from syn2real.errors import InputError

VOC = """background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike
person pottedplant sheep sofa train tvmonitor"""
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def idx(array):
    """Return an array in MNIST's file format."""
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_mnist(folder, n=20):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for split in ("train", "t10k"):
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (n, 28, 28))))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(idx(np.arange(n) % 10))


def named(dataset, path, **fields):
    return Target(layout="torchvision", dataset=dataset, path=str(path), **fields)


def test_every_known_data_set_has_both_splits():
    for name in TORCHVISION_CHANNELS:
        known = inspect.signature(getattr(torchvision.datasets, name)).parameters
        train, test = (split_arguments(name, split) for split in ("train", "test"))
        assert train != test and (set(train) == set(test) <= set(known) or name == "EMNIST")
    assert split_arguments("CIFAR10", "test") == {"train": False}
    assert split_arguments("DTD", "test") == {"split": "test"}
    assert split_arguments("EMNIST", "test") == {"split": "balanced", "train": False}


def test_fashion_mnist_is_read_as_rgb(tmp_path):
    write_mnist(tmp_path / "FashionMNIST" / "raw")
    target = named("FashionMNIST", tmp_path)
    check_layout(target, "label")
    train, test = load_splits(target, "label")
    assert len(train) == len(test) == 20 and train.classes[9] == "Ankle boot"
    assert train.labels.tolist() == list(range(10)) * 2
    image, label = train[11]
    picture, _ = torchvision.datasets.FashionMNIST(tmp_path)[11]
    assert label == 1 and isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8
    assert image.shape == (3, 28, 28) and (image == torch.from_numpy(np.array(picture))).all()
    with pytest.raises(IndexError):
        train[20]


def test_fetching_takes_local_archives_and_then_does_nothing(tmp_path):
    write_mnist(tmp_path / "archives")
    target = named("MNIST", tmp_path / "made" / "mnist", download=True, archives=str(tmp_path / "archives"))
    check_layout(target, "label")  # may be downloaded, so it is not missing
    fetch_target(target)
    assert len(load_target(target, "train", "label")) == 20
    assert [p.name for p in (tmp_path / "made").iterdir()] == ["mnist"]
    stamp = target.root.stat().st_mtime_ns
    fetch_target(target)
    assert target.root.stat().st_mtime_ns == stamp


def test_a_download_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", refuse)
    target = named("CIFAR10", tmp_path / "cifar", download=True)
    with pytest.raises(InputError, match="no route to host; the download failed"):
        fetch_target(target)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_set_is_refused_with_the_fix(tmp_path):
    target = named("CIFAR10", tmp_path / "cifar")
    with pytest.raises(
        InputError, match="cifar: dataset: torchvision finds no complete CIFAR10.*download: true"
    ):
        check_layout(target, "label")
    with pytest.raises(InputError, match="set download: true"):
        fetch_target(target)
    (tmp_path / "cifar").mkdir()
    half = target.model_copy(update={"download": True})
    with pytest.raises(InputError, match="finds no complete CIFAR10"):
        check_layout(half, "label")


@pytest.fixture
def pets(tmp_path, save_image):
    """Return Pets with three images a split: two breeds, a trimap of one row a value."""
    root = tmp_path / "oxford-iiit-pet"
    trimap = np.repeat(np.array([[1], [2], [3]], dtype=np.uint8), 4, axis=1)
    for split in ("trainval", "test"):
        lines = []
        for i, (breed, label) in enumerate([("Abyssinian", 1), ("american_bulldog", 2), ("Abyssinian", 1)]):
            name = f"{breed}_{split}{i}"
            save_image(root / "images" / f"{name}.jpg", size=(4, 3))
            save_image(root / "annotations" / "trimaps" / f"{name}.png", trimap)
            lines.append(f"{name} {label} 1 1\n")
        (root / "annotations" / f"{split}.txt").write_text("".join(lines))
    return named("OxfordIIITPet", tmp_path)


def test_pets_serve_two_tasks(pets):
    train, test = load_splits(pets, "label")
    assert train.classes == ["Abyssinian", "American Bulldog"] and train.labels.tolist() == [0, 1, 0]
    train, test = load_splits(pets, "class-map")
    assert train.classes == ["background", "pet"] and train.labels is None
    image, mask = test[1]
    assert image.shape == (3, 3, 4) and mask.dtype == np.uint8
    assert mask[:, 0].tolist() == [1, 0, 255]
    with pytest.raises(InputError, match="it has label, class-map"):
        check_layout(pets, "objects")


def test_a_missing_picture_is_reported_when_read(pets):
    next((pets.root / "oxford-iiit-pet" / "images").glob("*test2.jpg")).unlink()
    with pytest.raises(InputError, match="image 2 cannot be read"):
        load_target(pets, "test", "label")[2]


def test_vocs_borders_have_no_label(tmp_path, save_image):
    root = tmp_path / "VOCdevkit" / "VOC2012"
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    palette = Image.fromarray(np.array([[0, 20], [255, 1]], dtype=np.uint8), "P")
    palette.putpalette([i // 3 for i in range(768)])
    for split in ("train", "val"):
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text(f"{split}_1\n")
        save_image(root / "JPEGImages" / f"{split}_1.jpg", size=(2, 2))
        save_image(root / "SegmentationClass" / f"{split}_1.png", palette)
    target = named("VOCSegmentation", tmp_path)
    check_layout(target, "class-map")
    test = load_target(target, "test", "class-map")
    assert test.classes == VOC.split()
    assert test[0][1].tolist() == [[0, 20], [255, 1]] and test[0][1].dtype == np.uint8
    save_image(root / "SegmentationClass" / "val_1.png", palette.convert("RGB"))
    assert load_target(target, "test", "class-map")[0][1].tolist() == [[0, 20], [255, 1]]  # one number thrice
    save_image(root / "SegmentationClass" / "val_1.png", size=(2, 2))
    with pytest.raises(InputError, match="SegmentationClass/val_1.png: this mask holds colours"):
        check_layout(target, "class-map")


def test_dtd_and_imagenette(tmp_path, save_image):
    dtd = tmp_path / "dtd" / "dtd"
    (dtd / "labels").mkdir(parents=True)
    for split in ("train", "test"):
        (dtd / "labels" / f"{split}1.txt").write_text("banded/1.jpg\ndotted/2.jpg\n")
    for name in ("banded/1.jpg", "dotted/2.jpg"):
        save_image(dtd / "images" / name)
    test = load_target(named("DTD", tmp_path), "test", "label")
    assert test.classes == ["banded", "dotted"] and test.labels.tolist() == [0, 1] and test[1][1] == 1
    for split in ("train", "val"):
        for wnid in ("n01440764", "n02102040"):
            save_image(tmp_path / "imagenette2" / split / wnid / "1.JPEG")
    train = load_target(named("Imagenette", tmp_path), "train", "label")
    assert train.classes == ["tench, Tinca tinca", "English springer, English springer spaniel"]
    assert train.labels.tolist() == [0, 1]


def test_svhns_classes_are_its_digits(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets.SVHN, "_check_integrity", lambda self: True)
    for split in ("train", "test"):
        pictures = np.zeros((32, 32, 3, 12), dtype=np.uint8)
        scipy.io.savemat(
            tmp_path / f"{split}_32x32.mat", {"X": pictures, "y": np.arange(12)[:, None] % 10 + 1}
        )
    train = load_target(named("SVHN", tmp_path), "train", "label")
    assert train.classes == [str(digit) for digit in range(10)] and train.labels[9] == 0


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_fashion_mnist_itself(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("the archives are at hand")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    target = named("FashionMNIST", tmp_path / "f", download=True, archives=str(DEBIAN))
    fetch_target(target)
    train, test = load_splits(target, "label")
    assert (len(train), len(test), len(train.classes)) == (60_000, 10_000, 10)
    with gzip.open(DEBIAN / "t10k-images-idx3-ubyte.gz") as stream:
        pictures = np.frombuffer(stream.read()[16:], dtype=np.uint8).reshape(-1, 28, 28)
    with gzip.open(DEBIAN / "t10k-labels-idx1-ubyte.gz") as stream:
        labels = np.frombuffer(stream.read()[8:], dtype=np.uint8)
    assert (test.labels == labels).all()
    for i in (0, 17, 9_999):
        assert (test[i][0].numpy() == pictures[i]).all() and test[i][1] == labels[i]
    drawn = subset(train.labels, 1, 0)
    assert len(drawn) == 600 and (np.bincount(train.labels[drawn]) == 60).all()
    assert subset_record(train.labels, drawn, 1)["shortfall"] == {}
