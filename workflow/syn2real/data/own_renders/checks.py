"""Checks of a user's own renders against their setting, without torch and without decoding images."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from syn2real import plugins
from syn2real.data.coco.counts import Counts, listed
from syn2real.data.coco.records import need_same_categories
from syn2real.data.coco_format import classes_of
from syn2real.data.findings import Findings
from syn2real.data.image_checks import Annotated, check_annotated, ends_and_middle, file_stats
from syn2real.data.overlap import check_overlap
from syn2real.data.own_renders.index import HERE, read_files, update_index
from syn2real.data.own_renders.schema import SPLITS, OwnRenders, own_name
from syn2real.data.pairing import Pairing, warn_unnamed
from syn2real.errors import InputError


def check_own_renders(
    setting: str,
    own: OwnRenders,
    channels: Collection[str],
    wanted: Mapping[str, int],
    root: Path = HERE,
    sizes: Sequence[int] = (),
) -> Findings:
    """Check that own renders are where their setting says, with the labels that are needed.

    Parameters
    ----------
    setting : str
        The setting's name.
    own : OwnRenders
        The setting.
    channels : collection of str
        What the images must be labelled with.
    wanted : mapping of {"train", "val"} to int
        How many images of each split are used; the files of later ones may be missing.
    root : Path
        See `update_index`.
    sizes : sequence of int
        The numbers of images that are trained on.

    Returns
    -------
    Findings
        Warnings, and lines for `syn2real check`.

    Raises
    ------
    InputError
        Naming the first file or folder that is missing or malformed.
    """
    found = Findings()
    categories: list[dict[int, str]] = []
    pairings, stats = [], []
    for split in SPLITS:
        folders, paths = own.folders(own.images, split), own.annotations.paths(split)
        pairings.append(Pairing(folders, paths))
        index = update_index(setting, own, split, root)
        categories.append(dict(enumerate(index.categories, start=1)))
        need_same_categories(categories[-1], categories[0], paths[0], own.annotations.paths("train")[0])
        counts = Counts(**index.counts)
        counts.find(found, channels)
        if "class-map" in channels:
            classes_of("class-map", index.categories, paths[0])
        if split == "train":
            found.warnings += _late_classes(counts, sizes)
        images = read_files(setting, split, root)
        matched = pairings[-1].match(images[: wanted[split]])
        stats.append(check_annotated(matched, own.exif, folders[0], found))
        pairings[-1].name(images[wanted[split] :])
        for name, of_channel in own.channel_folders().items():
            files = [
                {**image, "file_name": own_name(image["file_name"])} for image in images[: wanted[split]]
            ]
            of_files = Pairing(own.folders(of_channel, split), paths).match(files)
            _check_channel(name, of_files, of_channel.options(), found)
    warn_unnamed(pairings, found)
    check_overlap(found, *stats, tested="validation", hint="")
    return found


def _check_channel(
    name: str, files: Sequence[Annotated], options: Mapping[str, Any], found: Findings
) -> None:
    """Read the first, the middle and the last file of a channel as the import does, and check them."""
    file_stats([file.path for file in files])
    try:
        channel = plugins.load("channels", name)
    except ModuleNotFoundError:
        return  # Snakemake alone is installed: the import checks each file
    values = [channel.read(path, size, **options) for path, size in ends_and_middle(files)]
    if not values or not hasattr(channel, "check"):
        return
    folder, looked = files[0].path.parent, f"({len(values)} files looked at)"
    try:
        found.warnings += [f"{folder}: {line} {looked}" for line in channel.check(values)]
    except ValueError as error:
        raise InputError(f"{error} {looked}", file=folder) from None


def _late_classes(counts: Counts, sizes: Sequence[int]) -> list[str]:
    """Return a warning where the fewest images that are trained on lack a class that later ones have."""
    n = min((size for size in sizes if size), default=0)
    late = [name for name, _, first, _ in counts.classes if first is not None and first >= n]
    if not n or not late or n >= counts.images:
        return []
    return [
        f"{counts.file}: the first {n:,} of {counts.images:,} images (n = {n}) have no {listed(late, 'or')}: "
        "the curve measures classes met as much as images; number the images in random order, "
        "or draw from a pool of all of them (subset: images)"
    ]
