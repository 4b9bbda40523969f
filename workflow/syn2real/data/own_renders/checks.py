"""Checks of a user's own renders against their setting, without torch and without decoding images."""

from collections.abc import Collection, Mapping
from pathlib import Path

from syn2real.data.coco.counts import Counts
from syn2real.data.findings import Findings
from syn2real.data.own_renders.index import HERE, read_files, update_index
from syn2real.data.own_renders.schema import OwnRenders, own_name
from syn2real.data.targets import layouts
from syn2real.errors import InputError


def check_own_renders(
    setting: str, own: OwnRenders, channels: Collection[str], wanted: Mapping[str, int], root: Path = HERE
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
    categories: list[list[str]] = []
    for split in layouts.SPLITS:
        folder, path = own.images.of(split), own.annotations.of(split)
        layouts.need_folder(folder)
        index = update_index(setting, own, split, root)
        categories.append(index.categories)
        if categories[0] != categories[-1]:
            raise InputError(
                "differ from the training file's; give both files the same", file=path, key="categories"
            )
        Counts(**index.counts).find(found, channels)
        images = read_files(setting, split, root)[: wanted[split]]
        layouts.check_images(folder, images, path)
        for folders in own.channel_folders().values():
            files = [{**image, "file_name": own_name(image["file_name"])} for image in images]
            layouts.need_folder(folders.of(split))
            layouts.check_images(folders.of(split), files, path)
    return found
