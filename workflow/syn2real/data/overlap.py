"""Images that are in two splits: what is tested on must not be learnt from."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Set
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
    (found.problems if refuse else found.warnings).append(
        f"{path}: this {tested} image is a training image, too, as {other}; "
        f"{_share(same, test, whole)} {tested} images are: take them out of one of the two"
        f"{hint if refuse else ''}"
    )


def check_twice(found: Findings, images: Stats, *, refuse: bool) -> None:
    """Look for images with equal bytes in what is cut into folds: they may come into two parts.

    Parameters
    ----------
    found, refuse
        As in `check_overlap`.
    images : mapping of Path to os.stat_result
        The images of one split, see `file_stats`.
    """
    same, whole = images_twice(images)
    if not same:
        return
    path, other = min(same.items())
    (found.problems if refuse else found.warnings).append(
        f"{path}: this photograph is there twice, also as {other}, and a fold's run may learn from one and "
        f"be tested on the other; {_share(same, images, whole)} photographs are: remove "
        f"{'them' if len(same) > 1 else 'it'}{', or say overlap: warn' if refuse else ''}"
    )


def _share(same: Mapping[Path, Path], images: Stats, whole: bool) -> str:
    """Return how many of some images were found, a lower bound where not all were compared."""
    return f"{'' if whole else 'at least '}{len(same):,} of {len(images):,}"


def images_in_both(train: Stats, test: Stats) -> tuple[dict[Path, Path], bool]:
    """Return each test image that is a training image, with that; and whether all were compared.

    Sizes are compared first, then a piece of each file, and files are read whole only where both agree.
    """
    inodes = {(state.st_dev, state.st_ino): path for path, state in train.items()}
    same = {p: inodes[key] for p, state in test.items() if (key := (state.st_dev, state.st_ino)) in inodes}
    rest = {path: state for path, state in test.items() if path not in same}
    sizes = {state.st_size for state in train.values()} & {state.st_size for state in rest.values()}
    learnt_by, asked_by = _by_piece(train, sizes), _by_piece(rest, sizes)
    left = MOST_BYTES
    for learnt, asked in ((learnt_by[key], asked_by[key]) for key in learnt_by if key in asked_by):
        if left < 0:
            return same, False
        known = {_digest(path): path for path in learnt}
        same |= {path: known[content] for path in asked if (content := _digest(path)) in known}
        left -= sum(table[path].st_size for table, part in ((train, learnt), (test, asked)) for path in part)
    return same, True


def images_twice(images: Stats) -> tuple[dict[Path, Path], bool]:
    """Return each image whose bytes are those of one before it, with that; and whether all were compared."""
    counts = Counter(state.st_size for state in images.values())
    groups = _by_piece(images, {size for size, count in counts.items() if count > 1})
    same: dict[Path, Path] = {}
    left = MOST_BYTES
    for group in groups.values():
        if len(group) == 1:
            continue
        if left < 0:
            return same, False
        first: dict[bytes, Path] = {}
        same |= {path: other for path in group if (other := first.setdefault(_digest(path), path)) != path}
        left -= sum(images[path].st_size for path in group)
    return same, True


def _by_piece(images: Stats, sizes: Set[int]) -> dict[tuple[int, bytes], list[Path]]:
    """Return the images of some sizes, by their size and a piece of theirs."""
    groups: dict[tuple[int, bytes], list[Path]] = defaultdict(list)
    for path, state in images.items():
        if state.st_size in sizes:
            groups[state.st_size, _piece(path, state.st_size)].append(path)
    return groups


def _piece(path: Path, size: int) -> bytes:
    """Return a digest of the middle of a file."""
    with path.open("rb", buffering=0) as stream:
        stream.seek(max(0, (size - PIECE) // 2))
        return hashlib.blake2b(stream.read(PIECE), digest_size=16).digest()


def _digest(path: Path) -> bytes:
    """Return a digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
