"""Small data sets in torchvision's own layouts on disk, read by torchvision's own classes.

Only checksums are left out: small files cannot have those of the real ones.
"""

import bz2
import json
import pickle
import shutil
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torchvision
from torchvision import tv_tensors

from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.data.targets.schema import TORCHVISION_CHANNELS, Target
from syn2real.errors import InputError

SPLITS = ("train", "val")


@pytest.fixture(autouse=True)
def without_checksums(monkeypatch):
    for name in ("cifar", "flowers102", "stl10", "imagenet"):
        module = sys.modules[f"torchvision.datasets.{name}"]
        monkeypatch.setattr(module, "check_integrity", lambda path, md5=None: Path(path).is_file())


def named(dataset, path):
    return Target(layout="torchvision", dataset=dataset, path=str(path))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content) if isinstance(content, str) else path.write_bytes(content)


def idx(array):
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def record(value):
    """Return a matlab struct array from a list of dicts."""
    return np.array([tuple(row.values()) for row in value], dtype=[(name, object) for name in value[0]])


# Each writer lays out both splits with one image each of the labels [1, 0], and returns the class names.


def cifar10(root, save_image):
    folder = root / "cifar-10-batches-py"
    for name in (
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ):
        labels = [1, 0] if name in ("data_batch_1", "test_batch") else []
        pixels = np.zeros((len(labels), 3072), dtype=np.uint8)
        write(folder / name, pickle.dumps({"data": pixels, "labels": labels}))
    write(folder / "batches.meta", pickle.dumps({"label_names": ["airplane", "automobile"]}))
    return ["airplane", "automobile"]


def cifar100(root, save_image):
    folder = root / "cifar-100-python"
    for name in ("train", "test"):
        pixels = np.zeros((2, 3072), dtype=np.uint8)
        write(folder / name, pickle.dumps({"data": pixels, "fine_labels": [1, 0], "coarse_labels": [0, 0]}))
    write(folder / "meta", pickle.dumps({"fine_label_names": ["apple", "bear"], "coarse_label_names": ["x"]}))
    return ["apple", "bear"]


def country211(root, save_image):
    for split in ("train", "test"):
        for number, name in enumerate(("AD", "ZW")):
            save_image(root / "country211" / split / name / f"{number}.jpg")
    return ["AD", "ZW"]


def emnist(root, save_image):
    for split in ("train", "test"):
        name = root / "EMNIST" / "raw" / f"emnist-balanced-{split}"
        write(name.with_name(f"{name.name}-images-idx3-ubyte"), idx(np.zeros((2, 28, 28))))
        write(name.with_name(f"{name.name}-labels-idx1-ubyte"), idx(np.array([1, 0])))
    return [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"]


def fgvc_aircraft(root, save_image):
    folder = root / "fgvc-aircraft-2013b" / "data"
    write(folder / "variants.txt", "707-320\nA340 200\n")
    for split in ("trainval", "test"):
        write(folder / f"images_variant_{split}.txt", f"{split}1 A340 200\n{split}0 707-320\n")
        for number in (0, 1):
            save_image(folder / "images" / f"{split}{number}.jpg")
    return ["707-320", "A340 200"]


def flowers102(root, save_image):
    folder = root / "flowers-102"
    scipy.io.savemat(_made(folder) / "setid.mat", {"trnid": [1, 2], "valid": [5, 6], "tstid": [3, 4]})
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": [2, 1, 2, 1, 1, 1]})
    for number in range(1, 5):
        save_image(folder / "jpg" / f"image_{number:05d}.jpg")
    return torchvision.datasets.Flowers102.classes


def food101(root, save_image):
    folder = root / "food-101"
    for split in ("train", "test"):
        names = {"waffles": [f"waffles/{split}1"], "apple_pie": [f"apple_pie/{split}0"]}
        write(folder / "meta" / f"{split}.json", json.dumps(names))
        for name in (name for group in names.values() for name in group):
            save_image(folder / "images" / f"{name}.jpg")
    return ["apple_pie", "waffles"]


def gtsrb(root, save_image):
    folder = root / "gtsrb"
    for number in (0, 1):
        save_image(folder / "GTSRB" / "Training" / f"{number:05d}" / "00000_00000.ppm")
        save_image(folder / "GTSRB" / "Final_Test" / "Images" / f"{number:05d}.ppm")
    rows = ["00001.ppm;53;54;6;5;48;49;1", "00000.ppm;53;54;6;5;48;49;0"]
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
    write(folder / "GT-final_test.csv", "\n".join([head, *rows]) + "\n")
    return ["0", "1"]


def rendered_sst2(root, save_image):
    for split in ("train", "test"):
        for name in ("negative", "positive"):
            save_image(root / "rendered-sst2" / split / name / "1.png")
    return ["negative", "positive"]


def stanford_cars(root, save_image):
    folder = root / "stanford_cars"
    names = np.array(["AM General Hummer", "Acura RL"], dtype=object)
    scipy.io.savemat(_made(folder / "devkit") / "cars_meta.mat", {"class_names": names})
    for split, file in (("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")):
        rows = record([{"class": 2, "fname": "00001.jpg"}, {"class": 1, "fname": "00002.jpg"}])
        scipy.io.savemat(folder / file, {"annotations": rows})
        for number in (1, 2):
            save_image(folder / f"cars_{split}" / f"{number:05d}.jpg")
    return list(names)


def stl10(root, save_image):
    folder = root / "stl10_binary"
    for split in ("train", "test"):
        write(folder / f"{split}_X.bin", bytes(2 * 3 * 96 * 96))
        write(folder / f"{split}_y.bin", bytes([2, 1]))
    write(folder / "unlabeled_X.bin", b"")
    write(folder / "class_names.txt", "airplane\nbird\n")
    return ["airplane", "bird"]


def usps(root, save_image):
    pixels = " ".join(f"{place}:-1" for place in range(1, 257))
    for name in ("usps.bz2", "usps.t.bz2"):
        write(root / name, bz2.compress(f"2 {pixels}\n1 {pixels}\n".encode()))
    return ["0", "1"]


def _made(folder):
    folder.mkdir(parents=True)
    return folder


WRITERS = {
    "CIFAR10": (cifar10, 32),
    "CIFAR100": (cifar100, 32),
    "Country211": (country211, None),
    "EMNIST": (emnist, 28),
    "FGVCAircraft": (fgvc_aircraft, None),
    "Flowers102": (flowers102, None),
    "Food101": (food101, None),
    "GTSRB": (gtsrb, None),
    "RenderedSST2": (rendered_sst2, None),
    "StanfordCars": (stanford_cars, None),
    "STL10": (stl10, 96),
    "USPS": (usps, 16),
}
ELSEWHERE = {"Cityscapes", "DTD", "FashionMNIST", "Imagenette", "KMNIST", "MNIST", "OxfordIIITPet", "SVHN"}
"""Read in this file's other tests or in test_torchvision_sets.py."""


def test_every_known_data_set_is_read_in_a_test():
    assert set(WRITERS) | ELSEWHERE | {"VOCSegmentation"} == set(TORCHVISION_CHANNELS)


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_data_set_is_read_through_torchvision(dataset, tmp_path, save_image):
    writer, side = WRITERS[dataset]
    classes = writer(tmp_path, save_image)
    target = named(dataset, tmp_path)
    check_layout(target, "label")
    for data in load_splits(target, "label"):
        assert data.classes == list(classes)
        assert sorted(data.labels.tolist()) == [0, 1]
        for index, label in enumerate(data.labels):
            image, found = data[index]
            assert isinstance(image, tv_tensors.Image) and isinstance(found, int) and found == label
            assert tuple(image.shape) == ((3, side, side) if side else (3, 12, 16))
        assert len(data.digest()) == 64


@pytest.mark.parametrize("dataset", WRITERS)
def test_an_incomplete_data_set_is_refused(dataset, tmp_path, save_image):
    WRITERS[dataset][0](tmp_path, save_image)
    test_part = {"Flowers102": "setid.mat", "USPS": "usps.t.bz2"}.get(dataset, "*test*")
    for path in list(tmp_path.rglob(test_part)):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    with pytest.raises(InputError, match=f"torchvision finds no complete {dataset}"):
        check_layout(named(dataset, tmp_path), "label")


def test_cityscapes_has_the_nineteen_classes_of_its_benchmark_in_any_order_of_files(tmp_path, save_image):
    names = [f"{city}_00000{i}_000019" for city in ("ulm", "aachen") for i in (1, 0)]
    ids = np.array([[7, 33], [0, 255]], dtype=np.uint8)  # road, bicycle, unlabelled, licence plate
    for split in SPLITS:
        for name in names:
            city = name.split("_")[0]
            save_image(tmp_path / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png", size=(2, 2))
            save_image(tmp_path / "gtFine" / split / city / f"{name}_gtFine_labelIds.png", ids)
    target = named("Cityscapes", tmp_path)
    check_layout(target, "class-map")
    test = load_target(target, "test", "class-map")
    assert len(test.classes) == 19 and (test.classes[0], test.classes[18]) == ("road", "bicycle")
    assert test[0][1].tolist() == [[0, 18], [255, 255]]
    files = [Path(path).name for path in test._images.images]
    assert files == sorted(files) and len(files) == 4
    stems = [file.removesuffix("_leftImg8bit.png") for file in files]
    assert [Path(paths[0]).name for paths in test._images.targets] == [
        f"{s}_gtFine_labelIds.png" for s in stems
    ]


def test_imagenet_as_torchvision_sorts_its_archives(tmp_path, save_image):
    """ILSVRC's own archives: a tar of tars, unsorted validation images, a devkit with their classes."""
    wnids = ["n01440764", "n01443537"]
    for k, wnid in enumerate(wnids):
        for i in range(2):
            save_image(tmp_path / "raw" / wnid / f"{wnid}_{i}.JPEG", (90 * k, 10 * i, 40))
        _tar(tmp_path / "raw" / f"{wnid}.tar", tmp_path / "raw" / wnid)
    _tar(tmp_path / "ILSVRC2012_img_train.tar", tmp_path / "raw", suffix=".tar")
    for i in range(3):
        save_image(tmp_path / "flat" / f"ILSVRC2012_val_0000000{i + 1}.JPEG", (30 * i, 0, 0))
    _tar(tmp_path / "ILSVRC2012_img_val.tar", tmp_path / "flat")
    devkit = tmp_path / "devkit" / "ILSVRC2012_devkit_t12" / "data"
    write(devkit / "ILSVRC2012_validation_ground_truth.txt", "2\n1\n2\n")
    synsets = [
        {
            "ILSVRC2012_ID": k + 1,
            "WNID": wnid,
            "words": f"fish {k}, other name",
            "gloss": "",
            "num_children": 0,
        }
        for k, wnid in enumerate(wnids)
    ]
    synsets.append(
        {"ILSVRC2012_ID": 3, "WNID": "n00001740", "words": "entity", "gloss": "", "num_children": 2}
    )
    scipy.io.savemat(devkit / "meta.mat", {"synsets": record(synsets)})
    _tar(tmp_path / "ILSVRC2012_devkit_t12.tar.gz", tmp_path / "devkit")

    target = Target(layout="imagenet", path=str(tmp_path), counts={"train": 4, "test": 3})
    oracles = [torchvision.datasets.ImageNet(tmp_path, split) for split in SPLITS]  # sorts them
    check_layout(target, "label")
    for data, oracle in zip(load_splits(target, "label"), oracles, strict=True):
        assert data.classes == oracle.wnids == wnids
        assert data.labels.tolist() == oracle.targets
        for (image, _), (picture, _) in zip(data, oracle, strict=True):
            assert (image.permute(1, 2, 0).numpy() == np.array(picture)).all()
    assert load_target(target, "test", "label").labels.tolist() == [0, 1, 1]


def _tar(path, folder, suffix=""):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for entry in sorted(folder.iterdir()):
            if entry.name.endswith(suffix):
                archive.add(entry, entry.name)


def test_a_torchvision_set_is_counted_and_a_damaged_one_is_one_line(tmp_path, save_image):
    cifar10(tmp_path, save_image)
    target = named("CIFAR10", tmp_path)
    whole = target.model_copy(update={"counts": {"train": 2, "test": 2}})
    assert f"{tmp_path}: train has 2 images of 2 classes" in check_layout(whole, "label").lines
    with pytest.raises(InputError, match="counts.test: 2 images here, of 3; unpack the complete set"):
        check_layout(target.model_copy(update={"counts": {"test": 3}}), "label")
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"no pickle")
    with pytest.raises(InputError, match="torchvision finds no complete CIFAR10"):
        check_layout(target, "label")
