"""Are a user's own renders what their setting claims? Answered without torch and without decoding images."""

from collections.abc import Collection, Mapping
from pathlib import Path

from syn2real.data.own_renders.dataset import normal_name
from syn2real.data.own_renders.index import HERE, read_files, update_index
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.data.targets import layouts
from syn2real.errors import InputError


def check_own_renders(
    setting: str, own: OwnRenders, ptasks: Collection[str], wanted: Mapping[str, int], root: Path = HERE
) -> None:
    """Check that own renders lie where their setting says, with what the pre-training tasks need.

    Parameters
    ----------
    setting : str
        The setting's name.
    own : OwnRenders
        The setting.
    ptasks : collection of str
        The pre-training tasks it shall serve: semseg needs masks, normal needs normals.
    wanted : mapping of {"train", "val"} to int
        How many images of each split are used; further ones need not be there.
    root : Path
        See `update_index`.

    Raises
    ------
    InputError
        Naming the first file or folder that is missing or malformed.
    """
    categories: list[list[str]] = []
    for split in layouts.SPLITS:
        folder, path = own.images.of(split), own.annotations.of(split)
        layouts.need_folder(folder)
        index = update_index(setting, own, split, root)
        categories.append(index.categories)
        if categories[0] != categories[-1]:
            raise InputError(
                "not the categories of the training file; give both the same", file=path, key="categories"
            )
        if "semseg" in ptasks and index.without_mask is not None:
            raise InputError(
                f"annotation {index.without_mask} has no mask; semseg needs one for each, as polygons or RLE",
                file=path,
                key="annotations.segmentation",
            )
        images = read_files(setting, split, root)[: wanted[split]]
        layouts.check_images(folder, images, path)
        if own.normals is not None:
            normals = [{**image, "file_name": normal_name(image["file_name"])} for image in images]
            layouts.need_folder(own.normals.of(split))
            layouts.check_images(own.normals.of(split), normals, path)
