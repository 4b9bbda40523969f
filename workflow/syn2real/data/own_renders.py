"""Images that a user rendered with other tools, in COCO's format, for pre-training."""

from pathlib import Path

from syn2real.data.annotated import check_whole_scenes
from syn2real.data.targets_coco import CocoImages
from syn2real.errors import InputError

PTASKS = ("mulclass", "objdet", "semseg")


def own_renders(images: Path, annotations: Path, n: int, ptask: str, views: int = 1) -> CocoImages:
    """Return the first n of a user's own renders, as `SyntheticImages` does for ours.

    Parameters
    ----------
    images : Path
        The folder of the images.
    annotations : Path
        The COCO annotation file. Images count in the order of their ids; a scene's views need ids in a
        row.
    n : int
        Images, a whole number of scenes.
    ptask : {"mulclass", "objdet", "semseg"}
        The pre-training task; COCO's format has no surface normals.
    views : int
        Images a scene.

    Returns
    -------
    CocoImages

    Raises
    ------
    InputError
        The task has no annotations in COCO's format, n is no whole number of scenes or more than there are,
        or the file is malformed.
    """
    if ptask not in PTASKS:
        raise InputError(
            f"COCO's format has no annotations for {ptask}; your own renders serve {', '.join(PTASKS)}",
            file=annotations,
            key="ptask",
        )
    check_whole_scenes(n, views)
    return CocoImages(images, annotations, ptask, n=n)
