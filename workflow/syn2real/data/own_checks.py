"""Are a user's own renders what their setting claims? Answered without torch and without decoding images."""

import re
from collections.abc import Collection, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path

from syn2real.config.own_renders import OwnRenders
from syn2real.data import layouts
from syn2real.data.own_renders import normal_name, read_own
from syn2real.errors import InputError


def count_images(path: Path) -> int:
    """Return how many images an annotation file names, without parsing it: it may be of hundreds of MB.

    In COCO's format images alone have a `file_name`.
    """
    if not path.stat().st_size:
        return 0
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return sum(1 for _ in re.finditer(rb'"file_name"\s*:', content))


def check_own_renders(own: OwnRenders, ptasks: Collection[str], wanted: Mapping[str, int]) -> None:
    """Check that own renders lie where their setting says, with what the pre-training tasks need.

    Of large annotation files only the ends are looked at, as of a target's.

    Parameters
    ----------
    own : OwnRenders
        The setting.
    ptasks : collection of str
        The pre-training tasks it shall serve: semseg needs masks, normal needs normals.
    wanted : mapping of {"train", "val"} to int
        How many images of each split are used; further ones need not be there.

    Raises
    ------
    InputError
        Naming the first file or folder that is missing or malformed.
    """
    categories: list[dict[int, str]] = []
    for split in layouts.SPLITS:
        folder, path = own.images.of(split), own.annotations.of(split)
        layouts.need_folder(folder)
        if path.is_file() and path.stat().st_size > layouts.FULL_CHECK_BYTES:
            layouts.check_json_ends(path)
            continue
        found = read_own(path)
        categories.append(found.categories)
        if categories[0] != categories[-1]:
            raise InputError(
                "not the categories of the training file; give both the same", file=path, key="categories"
            )
        if "semseg" in ptasks and found.without_mask is not None:
            raise InputError(
                f"annotation {found.without_mask} has no mask; semseg needs one for each, as polygons or RLE",
                file=path,
                key="annotations.segmentation",
            )
        images = found.images[: wanted[split]]
        layouts.check_images(folder, images, path)
        if own.normals is not None:
            normals = [{**image, "file_name": normal_name(image["file_name"])} for image in images]
            layouts.need_folder(own.normals.of(split))
            layouts.check_images(own.normals.of(split), normals, path)
