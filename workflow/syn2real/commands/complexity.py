"""The command that computes features: `syn2real complexity`."""

import argparse
import sys
from pathlib import Path

from syn2real.complexity.entropy import FLOOR
from syn2real.errors import InputError
from syn2real.files import write_json
from syn2real.report.complexity import measured_text

MODELS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `complexity`; it sets `func`, which takes the arguments and returns an exit code."""
    parser = commands.add_parser(
        "complexity",
        help="the complexity of a folder of images: entropy of a backbone's features",
        description="Measure the complexity of images (§4.5 of the paper): the entropy H of a Gaussian "
        "fitted to the last activations of a reference backbone, with its standard error over scenes. It "
        "costs no training. Compare folders by the same backbone, options, and numbers of images and scenes.",
        epilog="example: syn2real complexity renders/ --weights resnet50.pth --model resnet50 --size 224 "
        r"--scene '(scene\d+)/' -o renders.json",
    )
    parser.add_argument("folder", help="a folder of images or of shards, looked through wholly; or one shard")
    parser.add_argument(
        "--weights",
        help="the backbone's weights, safetensors or torch: of this project's runs "
        "(backbone.safetensors), or any ResNet in torchvision's names; nothing is downloaded",
    )
    parser.add_argument(
        "--model", choices=MODELS, default="resnet50", help="its depth (default: %(default)s)"
    )
    parser.add_argument(
        "--activation", choices=("pooled", "map"), default="pooled",
        help="pooled: a vector an image, the mean over the last stage's map; map: a vector for each position "
        "of the map (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=int, default=640, metavar="PIXELS",
        help="images are resized to squares of this side (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--scene", metavar="REGEX",
        help="what names an image's scene in its path: the first group (default: each image is a scene; "
        "shards know theirs). Images of one scene are not independent, and the standard error minds it",
    )  # fmt: skip
    parser.add_argument(
        "--floor", type=float, default=FLOOR,
        help="variance of the noise that activations are seen with (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, help="write everything as JSON here")
    parser.set_defaults(func=_complexity)


def _complexity(arguments: argparse.Namespace) -> int:
    _check(arguments)
    try:
        from syn2real.complexity.measure import measure_images
    except ModuleNotFoundError as error:
        needed = f"this command needs {error.name}; install syn2real[train]"
        raise InputError(needed, key="syn2real complexity") from None

    told = measure_images(
        _images(Path(arguments.folder), arguments.scene),
        arguments.weights,
        arguments.model,
        activation=arguments.activation,
        image_size=arguments.size,
        floor=arguments.floor,
        threads=arguments.threads,
    )
    if arguments.output:
        write_json(arguments.output, {"source": arguments.folder, **told})
    sys.stdout.write(measured_text(told) + "\n")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raise InputError for what argparse cannot know to be wrong."""
    if not arguments.weights:
        raise InputError(
            "give the reference backbone's weights: a file (nothing is downloaded), such as the "
            "backbone.safetensors of a run of this project, or torchvision's resnet50-11ad3fa6.pth",
            key="--weights",
        )
    if not Path(arguments.weights).is_file():
        raise InputError("there is no such file", file=arguments.weights, key="--weights")
    for name, least in (("size", 32), ("threads", 1)):
        if getattr(arguments, name) < least:
            raise InputError(f"at least {least} is needed, not {getattr(arguments, name)}", key=f"--{name}")
    if not 0 < arguments.floor < float("inf"):
        raise InputError(f"a positive number is needed, not {arguments.floor}", key="--floor")


def _images(path: Path, scene: str | None):  # type: ignore[no-untyped-def]
    """Return the images of a shard, of a folder of shards, or of a folder of images."""
    from syn2real.complexity.images import FolderImages, ShardImages

    shards = [path] if path.is_file() else sorted(path.rglob("*.tar"))
    if not shards:
        return FolderImages(path, scene)
    if scene is not None:
        raise InputError("shards know their scenes; leave this out", key="--scene")
    return ShardImages(shards)
