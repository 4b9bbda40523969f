"""Whether photographs can be cut into folds: which of them are of one scene, and which are there twice."""

import re
from collections.abc import Sequence

from syn2real.data.findings import Findings
from syn2real.data.overlap import Stats, check_twice
from syn2real.data.targets.schema import SPLITS, Target
from syn2real.sentences import counted


def check_folds(target: Target, names: Sequence[str], splits: Sequence[Stats], found: Findings) -> None:
    """Check before any job what the runs on a target's folds need; without folds its `scene` alone.

    Parameters
    ----------
    target : Target
        The target.
    names : sequence of str
        The photographs, as `scenes_of` is given them when they are cut.
    splits : sequence of mapping of Path to os.stat_result
        The images of `train` and of `test`, see `file_stats`.
    found : Findings
        Takes fewer scenes than folds, a `scene` that no name matches, and photographs that a split has twice:
        those of two splits are `check_overlap`'s.
    """
    what, scenes = "photographs", len(names)
    if target.scene is not None:
        scenes = len(set(scenes_of(names, target.scene)))
        what += f" of {counted(scenes, 'scene')}"
        others = [name for name in names if not re.search(target.scene, name)]
        if others and len(others) == len(names):
            problem = (
                f"{target.path}: scene: {target.scene!r} matches no photograph's name, such as {names[0]}"
            )
            found.problems.append(f"{problem}; correct it or remove it")
        elif others:
            found.warnings.append(
                f"{target.path}: scene: {target.scene!r} does not match {len(others):,} of {len(names):,} "
                f"photographs' names, such as {others[0]}: each of them is a scene of its own"
            )
    if target.folds is None:  # a pilot cuts by scenes, too
        return
    found.lines.append(f"{target.path}: {len(names):,} {what} in {target.folds} folds")
    if scenes < target.folds:
        problem = f"{target.path}: folds: {len(names):,} {what} make no {target.folds} folds"
        found.problems.append(
            f"{problem}; give fewer folds{', or correct scene' if target.scene is not None else ''}"
        )
    for images in splits:
        check_twice(found, images, refuse=target.overlap == "refuse")


def after_split(names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of both splits' photographs, each after its split's."""
    return [f"{split}/{name}" for split, of in zip(SPLITS, names, strict=True) for name in of]


def scenes_of(names: Sequence[str], pattern: str) -> list[str]:
    """Return the scene of each photograph: what the pattern finds in its name; without a match its own.

    Parameters
    ----------
    names : sequence of str
        COCO's `file_name`s, or files within the split's folder, after the split's name.
    pattern : str
        A regular expression; its first group, if it has one, is the scene.
    """
    found = [re.search(pattern, name) for name in names]
    return [
        ((match.re.groups and match[1]) or match[0]) if match else f"\0{name}"
        for name, match in zip(names, found, strict=True)
    ]
