"""Write a picture of a shard's first views: each image with its boxes, masks and normals."""

import argparse
from pathlib import Path

from syn2real.errors import InputError

HELP = "write a contact sheet of a shard: image, boxes, masks, normals"
EXAMPLE = "syn2real show results/renders/smoke/train/shard-000000.tar -o smoke.png"
EXTRA = {"workflow": ("PIL", "pycocotools")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shard and the picture."""
    parser.add_argument("shard", type=Path, help="a shard (.tar)")
    parser.add_argument(
        "-o", "--output", type=Path, help="the picture to write (default: the shard's name with .png)"
    )
    parser.add_argument("--views", type=int, default=8, help="how many views (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Write the contact sheet, and print what the shard holds."""
    from syn2real.files import check_output
    from syn2real.report.contact_sheet import contact_sheet

    if arguments.views < 1:
        raise InputError(f"at least 1 view is needed, not {arguments.views}", key="--views")
    output = arguments.output or Path(arguments.shard.with_suffix(".png").name)
    check_output(output, arguments.shard, key="--output")
    print(contact_sheet(arguments.shard, output, views=arguments.views))
    print(f"written to {output}")
    return 0
