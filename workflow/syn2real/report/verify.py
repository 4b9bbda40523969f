"""Checking a bundle against the sizes and digests that it records.

The bundle may come from anybody: nothing is unpacked, no file is read beyond the size that is recorded for
it, and one that cannot be checked is a problem.
"""

import hashlib
import json
import stat
import zipfile
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from syn2real.assets.unpack import DAMAGE, leaves_folder
from syn2real.errors import InputError, one_line
from syn2real.files import require_file

METADATA = "ro-crate-metadata.json"
LARGEST_METADATA = 64 << 20
"""Bytes; a description of a hundred thousand files has less."""
CHUNK = 1 << 20
BOMB_BYTES, BOMB_RATIO = 64 << 20, 200
"""What unpacks to more than this, and to so many times its size in the zip, is not unpacked."""


def verify_bundle(path: str | Path) -> tuple[int, list[str]]:
    """Check a bundle against its own digests.

    Parameters
    ----------
    path : str or Path
        A bundle, as `syn2real.report.bundle.write_bundle` wrote it.

    Returns
    -------
    count : int
        Files that it describes.
    problems : list of str
        A line for each file that is missing, changed, not described, no plain file or outside the bundle.

    Raises
    ------
    InputError
        The file is not a bundle, or describes no file.
    """
    require_file(path, "bundle (.zip)")
    try:
        with zipfile.ZipFile(path) as archive:
            described = _described(archive, path)
            entries = {entry.filename: entry for entry in archive.infolist()}
            problems = [_check(archive, entries, entity) for entity in described]
            names = Counter(entity["@id"] for entity in described)
            problems += [f"{name}: is described {count} times" for name, count in names.items() if count > 1]
            problems += _odd_entries(archive, names)
    except DAMAGE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"is not a complete bundle ({str(error) or 'it ends too early'}); get it again",
            file=path,
        ) from None
    return len(described), [one_line(problem) for problem in problems if problem]


def _described(archive: zipfile.ZipFile, path: str | Path) -> list[dict[str, Any]]:
    """Return what the bundle says about its files."""
    names = set(archive.namelist())
    within = [name for name in names if name.endswith(f"/{METADATA}")]
    if METADATA not in names and within:
        folder = within[0].removesuffix(METADATA)
        raise InputError(f"the bundle lies in the folder {folder} of this zip; zip its content", file=path)
    entry = archive.getinfo(METADATA)
    if entry.file_size > LARGEST_METADATA:
        problem = f"has {entry.file_size:,} bytes, which no bundle's description has"
        raise InputError(problem, file=path, key=METADATA)
    if reason := _not_read(entry):
        raise InputError(reason, file=path, key=METADATA)
    try:
        metadata = json.loads(b"".join(_pieces(archive, entry)))
    except RecursionError:
        raise ValueError(f"{METADATA} is nested too deeply") from None
    graph = metadata.get("@graph") if isinstance(metadata, dict) else None
    if not isinstance(graph, list) or not all(isinstance(entity, dict) for entity in graph):
        raise InputError("is not a list of entities; the bundle is damaged", file=path, key="@graph")
    described = [entity for entity in graph if "File" in _types(entity) and not _is_on_the_web(entity)]
    if not described:
        raise InputError(f"{METADATA} describes no file, so nothing can be checked", file=path, key="@graph")
    for entity in described:
        if not isinstance(entity.get("@id"), str):
            raise InputError("a file without a name; the bundle is damaged", file=path, key="@graph.@id")
        if entity["@id"] not in names:
            entity["@id"] = unquote(entity["@id"])  # RO-Crate has %20 for a space
    return described


def _types(entity: dict[str, Any]) -> list[Any]:
    """Return an entity's types, one or more."""
    kind = entity.get("@type")
    return kind if isinstance(kind, list) else [kind]


def _is_on_the_web(entity: dict[str, Any]) -> bool:
    """Return whether an entity is a file that is named by its address and not packed."""
    return str(entity.get("@id")).startswith(("http://", "https://"))


def _odd_entries(archive: zipfile.ZipFile, described: Container[str]) -> list[str]:
    """Return what is wrong with the zip's own list of files."""
    names = Counter(entry.filename for entry in archive.infolist())
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    problems = [f"{name}: is in it {count} times" for name, count in names.items() if count > 1]
    for entry in archive.infolist():
        name = entry.filename
        if name != METADATA and name not in described and not _is_folder(entry):
            problems.append(f"{name}: is not described in {METADATA}")
        if leaves_folder(name):
            problems.append(f"{name}: lies outside the bundle")
        elif not _is_folder(entry) and name in folders:
            problems.append(f"{name}: is both a file and a folder")
        if _kind(entry) not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
            problems.append(f"{name}: is a link, folder or device, no file")
    return problems


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a folder, which holds no bytes of its own."""
    return entry.is_dir() and entry.file_size == 0


def _kind(entry: zipfile.ZipInfo) -> int:
    """Return an entry's Unix file type; 0 where the zip was written elsewhere."""
    return stat.S_IFMT(entry.external_attr >> 16)


def _check(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], entity: dict[str, Any]
) -> str | None:
    """Return what is wrong with one described file, or None."""
    name, size, recorded = entity["@id"], entity.get("contentSize"), entity.get("sha256")
    if leaves_folder(name):
        return f"{name}: lies outside the bundle"
    entry = entries.get(name)
    if entry is None or entry.is_dir():
        return f"{name}: is missing"
    if not isinstance(recorded, str):
        return f"{name}: has no digest"
    if str(entry.file_size) != str(size):
        return f"{name}: has {entry.file_size} bytes, not {size}"
    if problem := _not_read(entry):
        return f"{name}: {problem}"
    try:
        found = _digest(archive, entry)
    except DAMAGE as error:
        return f"{name}: is damaged ({str(error) or 'it ends too early'})"
    return None if found == recorded.lower() else f"{name}: has SHA-256 {found}, not {recorded}"


def _not_read(entry: zipfile.ZipInfo) -> str | None:
    """Return why an entry is not read, or None."""
    if entry.flag_bits & 1:
        return "is encrypted; a bundle's files are not"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that bundles do not use"
    if entry.file_size > max(BOMB_BYTES, BOMB_RATIO * entry.compress_size):
        return f"would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes; it is not read"
    return None


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """Return the SHA-256 of an entry."""
    found = hashlib.sha256()
    for piece in _pieces(archive, entry):
        found.update(piece)
    return found.hexdigest()


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield an entry's content; all at once it may take more memory than there is, as its sizes may lie."""
    size = 0
    with archive.open(entry) as stream:
        while piece := stream.read(CHUNK):
            size += len(piece)
            yield piece
    if size != entry.file_size:
        raise ValueError(f"it has {size} of {entry.file_size} bytes")
