"""Images that are in two splits: what is tested on must not be learnt from."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from syn2real.data.findings import Findings

Stats = Mapping[Path, os.stat_result]

PIECE = 4096
"""Bytes from the middle of a file that are compared before two files are read whole."""
MOST_BYTES = 2**29
"""Bytes of files that are read whole; with more the count is a lower bound."""


def check_overlap(
    found: Findings,
    train: Stats,
    test: Stats,
    *,
    refuse: bool = True,
    tested: str = "test",
    hint: str = ", or say overlap: warn",
) -> None:
    """Look for images that a model is both trained and tested on: one file under two names, or equal bytes.

    Parameters
    ----------
    found : Findings
        Takes one of them and the count, as a problem or as a warning.
    train, test : mapping of Path to os.stat_result
        Images, see `file_stats`.
    refuse : bool
        Make it a problem.
    tested : str
        What the images of `test` are called.
    hint : str
        What else to do about a problem.
    """
    same, whole = images_in_both(train, test)
    if not same:
        return
    path, other = min(same.items())
    counted = f"{'' if whole else 'at least '}{len(same):,} of {len(test):,} {tested} images are"
    (found.problems if refuse else found.warnings).append(
        f"{path}: this {tested} image is a training image, too, as {other}; {counted}: take them out of one "
        f"of the two{hint if refuse else ''}"
    )


def images_in_both(train: Stats, test: Stats) -> tuple[dict[Path, Path], bool]:
    """Return each test image that is a training image, with that; and whether all were compared.

    Sizes are compared first, then a piece of each file, and files are read whole only where both agree.
    """
    inodes = {(state.st_dev, state.st_ino): path for path, state in train.items()}
    same = {p: inodes[key] for p, state in test.items() if (key := (state.st_dev, state.st_ino)) in inodes}
    left = MOST_BYTES
    for learnt, asked in _alike(train, {p: state for p, state in test.items() if p not in same}):
        if left < 0:
            return same, False
        known = {_digest(path): path for path in learnt}
        same |= {path: known[content] for path in asked if (content := _digest(path)) in known}
        left -= sum(table[path].st_size for table, part in ((train, learnt), (test, asked)) for path in part)
    return same, True


def images_twice(images: Stats) -> tuple[dict[Path, Path], bool]:
    """Return each image whose bytes are those of one before it, with that; and whether all were compared."""
    same: dict[Path, Path] = {}
    left = MOST_BYTES
    for group, _ in _alike(images, images):
        if len(group) == 1:
            continue
        if left < 0:
            return same, False
        first: dict[bytes, Path] = {}
        same |= {path: other for path in group if (other := first.setdefault(_digest(path), path)) != path}
        left -= sum(images[path].st_size for path in group)
    return same, True


def _alike(train: Stats, test: Stats) -> list[tuple[list[Path], list[Path]]]:
    """Return groups of training and of test images of one size that agree in a piece, too."""
    sizes = {state.st_size for state in train.values()} & {state.st_size for state in test.values()}
    groups: dict[tuple[int, bytes], tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    for side, images in enumerate((train, test)):
        for path, state in images.items():
            if state.st_size in sizes:
                groups[state.st_size, _piece(path, state.st_size)][side].append(path)
    return [(learnt, asked) for learnt, asked in groups.values() if learnt and asked]


def _piece(path: Path, size: int) -> bytes:
    """Return a digest of the middle of a file."""
    with path.open("rb", buffering=0) as stream:
        stream.seek(max(0, (size - PIECE) // 2))
        return hashlib.blake2b(stream.read(PIECE), digest_size=16).digest()


def _digest(path: Path) -> bytes:
    """Return a digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
