"""Measure the complexity of images (§4.5 of the paper): the entropy H of a Gaussian fitted to the last
activations of a reference backbone, with its standard error over scenes; and how far they are from
photographs. Nothing is trained. Compare folders measured with the same backbone and options, and with equal
numbers of images and scenes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syn2real.commands.base import number
from syn2real.complexity.schema import FLOOR
from syn2real.errors import InputError
from syn2real.files import check_output, require_file, write_json
from syn2real.plugins import unknown

if TYPE_CHECKING:
    from syn2real.complexity.images import FolderImages, SceneImages, ShardImages

HELP = "measure the complexity of a folder of images: entropy of a backbone's features"
EXAMPLE = r"syn2real complexity renders/ --weights resnet50.pth --size 224 --scene '(scene\d+)/' -o H.json"
EXTRA = {"train": ("torch", "torchvision", "safetensors")}
RANGES = {"size": (32, 4096), "threads": (1, 1024)}
"""The smallest and the largest values of options."""
CONFIG = "config/config.yaml"
"""Which names the targets."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the images, the backbone, and how they are measured."""
    parser.add_argument(
        "folder", type=Path, help="a folder of images or shards, searched recursively; or a shard"
    )
    parser.add_argument(
        "--weights",
        help="the backbone's weights, safetensors or torch: of this project's runs (backbone.safetensors), "
        "of torchvision's ResNets or of timm's networks; nothing is downloaded",
    )
    parser.add_argument(
        "--model", default="resnet50", help="the backbone, such as resnet18 (default: %(default)s)"
    )
    parser.add_argument(
        "--activation", choices=("pooled", "map"), default="pooled",
        help="pooled: a vector for each image, the mean over the last stage's map; map: a vector for each "
        "position of the map (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=int, default=640, metavar="PIXELS",
        help="images are resized to squares of this side (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--scene", metavar="REGEX",
        help="finds an image's scene in its path: the first group (default: each image is a scene; shards "
        "know theirs). Images of one scene are not independent; the standard error accounts for that",
    )  # fmt: skip
    parser.add_argument(
        "--images", metavar="GLOB",
        help="which images of a folder, by their name or the end of their path, such as 'rgba_*.png' or "
        "'rgb/*' (default: all; refused where depth, masks or normals lie among them)",
    )  # fmt: skip
    parser.add_argument(
        "--floor", type=number, default=FLOOR,
        help="the variance of the noise added to the activations (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="PHOTOS",
        help="also measure how far the images are from these photographs, at most 1,000 of each: the kernel "
        "distance (KID) of the backbone's pooled features, with its standard error. A folder of images or "
        "shards, or a target of the configuration, whose training images are taken",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, help="write all results as JSON to this file")


def run(arguments: argparse.Namespace) -> int:
    """Measure the images and print the result."""
    _check(arguments)
    if arguments.output is not None:
        check_output(arguments.output, arguments.folder, arguments.weights, key="--output")
    from syn2real.complexity.measure import measure_images
    from syn2real.report.complexity import dead_channels, measured_text
    from syn2real.report.distances import distance_line, doubts

    images = _images(arguments.folder, arguments.scene, arguments.images)
    photographs = None if arguments.against is None else _photographs(arguments.against, images)
    _warn([*images.warnings, *(photographs.warnings if photographs else ())])
    result = measure_images(
        images,
        arguments.weights,
        arguments.model,
        activation=arguments.activation,
        image_size=arguments.size,
        floor=arguments.floor,
        threads=arguments.threads,
    )
    against = {} if photographs is None else _against(arguments, images, photographs)
    if arguments.output:
        source = {"source": str(arguments.folder), "pattern": arguments.images}
        write_json(arguments.output, source | result | ({"against": against} if against else {}))
    print(measured_text(result))
    if against:
        print(distance_line(against["distances"][0]))
    _warn([dead_channels(result), *doubts(against["distances"] if against else [])])
    return 0


def _photographs(name: str, images: "SceneImages") -> "SceneImages":
    """Return what --against names: a folder, a shard or a target; checked before the work begins."""
    from syn2real.complexity.against import Drawn, TargetImages

    if Path(name).exists():
        try:
            photographs: SceneImages = _images(Path(name), None, None)
        except InputError as error:
            if "--images" not in error.problem:
                raise
            problem = "holds images of several kinds; give a folder that holds the photographs alone"
            raise InputError(problem, file=name) from None
    else:
        from syn2real.data.targets.schema import fold_of
        from syn2real.plan.read import load_named

        if not Path(CONFIG).is_file():
            raise InputError(f"there is no such folder, and no {CONFIG} here", file=name)
        targets = {of: value for of, value in load_named(CONFIG).targets.items() if fold_of(of)[1] is None}
        if name not in targets:
            raise InputError(f"{unknown(name, [*targets])} (nor is there such a folder)", key="--against")
        photographs = TargetImages(targets[name], "train")
    for each in (images, photographs):
        Drawn(each)
    return photographs


def _against(
    arguments: argparse.Namespace, images: "SceneImages", photographs: "SceneImages"
) -> dict[str, Any]:
    """Return the distance of the images from the photographs."""
    from syn2real.complexity.against import measure_distances

    return measure_distances(
        {str(arguments.folder): images},
        {arguments.against: photographs},
        arguments.weights,
        arguments.model,
        image_size=arguments.size,
        threads=arguments.threads,
    )


def _warn(warnings: Sequence[str | None]) -> None:
    """Print warnings; None is none."""
    for warning in filter(None, warnings):
        print(f"warning: {warning}", file=sys.stderr)


def _check(arguments: argparse.Namespace) -> None:
    """Raise InputError for what argparse does not check."""
    from syn2real.backbones.schema import require_model  # needs pydantic

    require_model(arguments.model, key="--model")
    if not arguments.weights:
        raise InputError(
            "give the reference backbone's weights: a file (nothing is downloaded), such as the "
            "backbone.safetensors of a run of this project, or torchvision's resnet50-11ad3fa6.pth",
            key="--weights",
        )
    require_file(arguments.weights, "weights file")
    for name, (least, most) in RANGES.items():
        if not least <= (value := getattr(arguments, name)) <= most:
            raise InputError(f"{least} to {most:,} is possible, not {value}", key=f"--{name}")
    if not 0 < arguments.floor < float("inf"):
        raise InputError(f"a positive number is needed, not {arguments.floor}", key="--floor")


def _images(path: Path, scene: str | None, pattern: str | None) -> "FolderImages | ShardImages":
    """Return the images of a shard, of a folder of shards, or of a folder of images."""
    from syn2real.complexity.images import FolderImages, ShardImages
    from syn2real.data.image_files import files_below, is_image

    if path.is_file() and is_image(path.name):
        raise InputError("is one image; give the folder that holds the images", file=path)
    if not path.is_dir():
        require_file(path, "folder of images or shards, or a shard")
    files = [path] if path.is_file() else list(files_below(path))
    shards = [file for file in files if file == path or file.suffix == ".tar"]
    if not shards or (pattern is not None and path.is_dir()):
        return FolderImages(path, scene, pattern)
    if images := sum(is_image(file.name) for file in files):
        problem = (
            f"holds both .tar files ({len(shards):,}) and images ({images:,}); give a folder of either, "
        )
        raise InputError(problem + "or --images '*' to measure the images", file=path)
    if scene is not None or pattern is not None:
        key = "--scene" if scene is not None else "--images"
        raise InputError("shards know their images and scenes; leave this out", key=key)
    return ShardImages(shards)
