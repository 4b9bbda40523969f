"""Images per second of one loading process, against torchvision's reference data sets.

Question: how many workers does a GPU need?
Cost: two minutes on one core (``--rounds 3`` for a glance).
Expected: at least 2.5 times the reference's images per second in every task. Of the images that an H100
learns from in a second (docs/benchmarks.md) one process beside it gave all of objdet (263), half of mulclass
(270) and of normal (99), and two thirds of semseg (115).

Both read the same encoded bytes (the PNGs of a shard, which the reference finds as files, with a COCO file
beside them) at 640² and augment them by the paper's recipe: objdet and mulclass 640² and flip; semseg shorter
edge 260 to 1040, crop 480 and flip; normal the same without flip. The reference is what torchvision's
references/ do with ``--use-v2``, their faster way: CocoDetection, Pillow, `wrap_dataset_for_transforms_v2`
with the keys a task needs, Pillow's resizing, float32 at the end. For normals, which they have not, it is
their segmentation with the packed normals in the mask's place. One process, one thread, in turns, by the
CPU time of the process; the ratio is the mean over the rounds, with its standard error.

Run it with ``python workflow/benchmarks/loader.py``; ``--shard`` takes a shard of renders instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import torch
import torchvision
import yaml
from PIL import Image
from scenes import draw_shard
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision import tv_tensors
from torchvision.transforms import v2

from syn2real.channels.normals import unpack
from syn2real.config.recipe import Recipe
from syn2real.data.rendered import RenderedImages
from syn2real.data.shards import Shard
from syn2real.tasks.base import task_class
from syn2real.tasks.common.images import MEAN, STD
from syn2real.tasks.schema import channel_of, read_section
from syn2real.training.batches import annotated, training_batches

RECIPE = Path(__file__).parents[2] / "config" / "recipes" / "paper.yaml"
BATCH = 8
PTASKS = ("mulclass", "objdet", "semseg", "normal")
"""The tasks that torchvision has a reference for, or nearly: for normals, its segmentation's."""


def ours(shard: Path, name: str) -> Iterator[Any]:
    """Yield the training loop's batches, as it takes them from `training_batches`."""
    recipe = Recipe.model_validate(yaml.safe_load(RECIPE.read_text(encoding="utf-8")))
    numbers = recipe.resolve("pretrain", name, "resnet50")
    section = read_section(name, numbers | {"batch_size": BATCH, "norm_batch_size": None, "workers": 0})
    data = RenderedImages([shard], len(Shard(shard)), channel_of(name))
    task = task_class(name)(section, data.classes)
    return training_batches(annotated(data, task), task, 0, 0, torch.device("cpu"))


def reference(folder: Path, task: str) -> Iterator[Any]:
    """Yield batches of torchvision's reference, without end."""
    wrap = torchvision.datasets.wrap_dataset_for_transforms_v2
    kinds = {torch.Tensor: torch.float32, tv_tensors.Mask: torch.int64, "others": None}
    scale, pure = v2.ToDtype(kinds, scale=True), v2.ToPureTensor()
    normalise, flip = v2.Normalize(MEAN, STD), v2.RandomHorizontalFlip(0.5)
    square = v2.Resize((640, 640), antialias=True)
    crop = [
        v2.RandomShortestSize(list(range(260, 1041)), antialias=True),
        *([flip] if task == "semseg" else []),
        v2.RandomCrop(480, pad_if_needed=True, fill={tv_tensors.Mask: 255, "others": 0}),
        v2.PILToTensor(),
    ]
    collate: Callable[[Any], Any] = lambda batch: tuple(zip(*batch, strict=True))  # noqa: E731 (as theirs)
    data: Dataset[Any]
    if task == "objdet":
        boxes = [v2.ConvertBoundingBoxFormat("XYXY"), v2.SanitizeBoundingBoxes()]
        steps = v2.Compose([square, flip, v2.PILToTensor(), scale, *boxes, pure])
        data = wrap(coco(folder, transforms=steps), target_keys={"boxes", "labels", "image_id"})
    elif task == "mulclass":
        steps = v2.Compose([square, flip, v2.PILToTensor(), scale, normalise, pure])
        data, collate = coco(folder, transform=steps, target_transform=MultiHot(173)), default_collate
    elif task == "semseg":
        steps = v2.Compose([ToClassMap(), *crop, scale, normalise, pure])
        data = wrap(coco(folder, transforms=steps), target_keys={"masks", "labels"})
        collate = default_collate
    else:
        data = NormalFiles(folder, v2.Compose([*crop, scale, normalise, pure]))
        collate = default_collate
    while True:
        yield from DataLoader(data, BATCH, shuffle=True, drop_last=True, collate_fn=collate)


def coco(folder: Path, **transforms: Any) -> torchvision.datasets.CocoDetection:
    """Return torchvision's data set of the folder."""
    images, annotations = str(folder / "png"), str(folder / "instances.json")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        return torchvision.datasets.CocoDetection(images, annotations, **transforms)


class MultiHot:
    """Turn an image's COCO annotations into a multi-hot vector."""

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def __call__(self, annotations: list[dict[str, Any]]) -> torch.Tensor:
        """Return float32 [K]."""
        visible = torch.zeros(self.classes)
        visible[[annotation["category_id"] - 1 for annotation in annotations]] = 1
        return visible


class ToClassMap(v2.Transform):
    """Merge instances' masks into a class map, in the steps of torchvision's reference for segmentation."""

    def forward(self, *sample: Any) -> Any:
        """Return (image, class map); what several instances claim is 255."""
        image, target = sample
        if "masks" not in target:
            return image, tv_tensors.Mask(torch.zeros(v2.functional.get_size(image), dtype=torch.uint8))
        masks = target["masks"].to(torch.uint8)
        classes, _ = (masks * target["labels"].to(torch.uint8).reshape(-1, 1, 1)).max(dim=0)
        classes[masks.sum(dim=0) > 1] = 255
        return image, tv_tensors.Mask(classes)


class NormalFiles(Dataset[Any]):
    """Images and packed normals as files, read by Pillow, unpacked at the end."""

    def __init__(self, folder: Path, transforms: Any) -> None:
        self.paths, self.transforms = sorted((folder / "png").iterdir()), transforms

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        path = self.paths[index]
        image = Image.open(path).convert("RGB")
        packed = v2.functional.pil_to_tensor(Image.open(path.parents[1] / "normal.png" / path.name))
        image, packed = self.transforms(image, tv_tensors.Mask(packed))
        normals, valid = unpack(packed.permute(1, 2, 0).byte().numpy())
        return image, torch.from_numpy(normals).permute(2, 0, 1), torch.from_numpy(valid)


def write_files(shard: Path, folder: Path) -> str:
    """Write a shard's images and normals as files and its annotations as COCO's; say how large they are."""
    source = Shard(shard)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    sizes = {"png": 0, "seg.png": 0, "normal.png": 0, "json": 0}
    for number, key in enumerate(source.keys, start=1):
        members = source.read(key)
        sizes = {extension: size + len(members[extension]) for extension, size in sizes.items()}
        for extension in ("png", "normal.png"):
            (folder / extension).mkdir(exist_ok=True)
            (folder / extension / f"{key}.png").write_bytes(members[extension])
        view = json.loads(members["json"])
        images.append({"id": number, "file_name": f"{key}.png", **{k: view[k] for k in ("width", "height")}})
        for thing in view["objects"]:
            shown = {key: thing[key] for key in ("bbox", "area", "segmentation")}
            shown |= {"category_id": thing["class"] + 1, "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, "image_id": number, **shown})
    categories = [{"id": k, "name": name} for k, name in enumerate(source.meta["classes"], start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    each = ", ".join(f"{extension} {size / len(source) / 1000:.0f} kB" for extension, size in sizes.items())
    return f"{len(source)} images of {images[0]['width']}²: {each} an image"


def seconds(batches: Iterator[Any], count: int) -> float:
    """Return the CPU seconds that some batches take: other programs on the machine do not count."""
    began = time.process_time()
    for _ in range(count):
        next(batches)
    return time.process_time() - began


def compare(
    shard: Path, folder: Path, task: str, rounds: int, batches: int
) -> tuple[list[float], list[float]]:
    """Return images per second of ours and of the reference, and the ratios of the rounds."""
    pair = ours(shard, task), reference(folder, task)
    for side in pair:
        next(side)
    times = [[seconds(side, batches) for side in pair] for _ in range(rounds)]
    speeds = [batches * BATCH / statistics.median(column) for column in zip(*times, strict=True)]
    return speeds, [theirs / own for own, theirs in times]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="measurements of each side (default: %(default)s)"
    )
    parser.add_argument("--batches", type=int, default=2, help="of 8 images in each (default: %(default)s)")
    parser.add_argument(
        "--shard", type=Path, help="of renders with masks and normals (default: drawn scenes)"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shard = args.shard or draw_shard(folder / "shard-000000.tar", images=24, size=640)
        print(write_files(shard, folder))
        print(
            f"{'task':10}{'ours':>12}{'reference':>12}{'ratio':>15}   images/s of one process with one thread"
        )
        ratios = []
        for task in PTASKS:
            (own, theirs), each = compare(shard, folder, task, args.rounds, args.batches)
            ratios.append(statistics.mean(each))
            error = statistics.stdev(each) / math.sqrt(len(each))
            print(f"{task:10}{own:12.1f}{theirs:12.1f}{ratios[-1]:8.2f} ± {error:.2f}", flush=True)
        print(f"{'geometric mean':34}{math.prod(ratios) ** (1 / len(ratios)):8.2f}")


if __name__ == "__main__":
    main()
