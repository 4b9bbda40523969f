"""Object collections and materials from their providers, in the layouts that rendering reads (Appendix B)."""

import csv
import io
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import requests

from syn2real.assets.ambientcg import is_fetchable, material_names, tiles_a_room
from syn2real.assets.archives import Archive
from syn2real.assets.bop import model_folder, model_numbers
from syn2real.assets.download import download, new_session
from syn2real.assets.lockfile import Locked, read_lock, record
from syn2real.assets.unpack import Place, unpack
from syn2real.errors import InputError
from syn2real.files import write_text
from syn2real.jobs.locks import exclusive

logger = logging.getLogger(__name__)

LOCK = "lock.tsv"
"""The lock file's name in the folder of downloads."""
MATERIALS = "materials.tsv"
"""The list of a collection's materials as it was at the first call, beside its archives."""
COLUMNS = ("name", "url", "size")
"""What that list says of each material; the size in bytes."""
MAPS = ("Color", "AmbientOcclusion", "Metalness", "Roughness", "NormalGL", "Normal", "Displacement")
"""The maps of a material that BlenderProc reads; archives hold previews and other programs' files too."""


def fetch_objects(collection: str, archives: Sequence[Archive], folder: Path, downloads: Path) -> None:
    """Fetch an object collection in BOP layout.

    Parameters
    ----------
    collection : str
        Its name.
    archives : sequence of Archive
        Its rows of the table of data sets.
    folder : Path
        The collection's folder (`camera.json`, `models/` …); it appears when it is whole.
    downloads : Path
        Where archives and the lock file are kept; what is there already is not fetched again.

    Raises
    ------
    InputError
        An archive cannot be fetched, is not what it should be, or does not hold the models it should.
    """
    with exclusive(downloads / collection / ".lock"), _whole(folder) as made, new_session() as session:
        for archive in archives:
            logger.info("%s: %s, licence %s", collection, archive.url, archive.licence)
            _fetch(session, archive, downloads, made, lambda path: _within(path, collection))
        expected = sum(archive.objects or 0 for archive in archives)
        found = len(model_numbers(made))
        if expected and found != expected:
            problem = f"the archives hold {found} models, but the table of data sets says {expected}"
            raise InputError(problem, file=model_folder(made))


def fetch_textures(collection: str, listing: Archive, folder: Path, downloads: Path) -> None:
    """Fetch all materials of a collection that can tile a room, in ambientCG's layout.

    The provider's list changes: it is asked for once, and kept as `materials.tsv` beside the archives. With
    that file and the lock file another machine fetches the same materials.

    Parameters
    ----------
    collection : str
        Its name.
    listing : Archive
        Its row of the table: the address of the list, and as version the size and kind of the images.
    folder, downloads : Path
        As for `fetch_objects`.

    Raises
    ------
    InputError
        The list or a material cannot be fetched, or is not what it should be.
    """
    with exclusive(downloads / collection / ".lock"), _whole(folder) as made, new_session() as session:
        materials = _materials(session, listing, downloads)
        fetched = [name for name in materials if tiles_a_room(name)]
        size = sum(materials[name][1] for name in fetched) / 1e9
        logger.info("%s: %d materials, about %.1f GB, %s", collection, len(fetched), size, listing.licence)
        for name in fetched:
            _fetch_material(session, listing, name, materials[name][0], downloads, made)
        _drop_transparent(made)


def fetch_material(collection: str, listing: Archive, material: str, folder: Path, downloads: Path) -> None:
    """Fetch one material of a collection: all that a fixed background needs.

    Parameters
    ----------
    material : str
        Its name, such as Fabric001.
    collection, listing, folder, downloads
        As for `fetch_textures`; `folder` gets one folder, the material's.

    Raises
    ------
    InputError
        There is no such material, no room can be made of it, or as for `fetch_textures`.
    """
    with exclusive(downloads / collection / ".lock"), _whole(folder) as made, new_session() as session:
        materials = _materials(session, listing, downloads)
        if material not in materials:
            path = downloads / collection / MATERIALS
            raise InputError(f"no material '{material}' among {len(materials)}", file=path)
        _fetch_material(session, listing, material, materials[material][0], downloads, made)
        try:
            material_names(made)
        except InputError:
            problem = "is transparent or has no colours; name another `background_material` in the setting"
            raise InputError(problem, file=collection, key=material) from None


def _fetch_material(
    session: requests.Session, listing: Archive, name: str, url: str, downloads: Path, made: Path
) -> None:
    """Fetch one material's archive and unpack its maps."""
    archive = listing.model_copy(update={"url": url})
    suffixes = tuple(f"_{kind}.jpg" for kind in (*MAPS, "Opacity"))

    def place(path: PurePosixPath) -> PurePosixPath | None:
        return PurePosixPath(name, path.name) if path.name.endswith(suffixes) else None

    _fetch(session, archive, downloads, made, place, file=f"{name}_{listing.version}.zip")


def _fetch(
    session: requests.Session, archive: Archive, downloads: Path, made: Path, place: Place, file: str = ""
) -> None:
    """Fetch an archive, hold it to its published or recorded checksum, and unpack it."""
    name = f"{archive.name}/{file or archive.file}"
    path, lock = downloads / name, downloads / LOCK
    locked = read_lock(lock).get(name)
    size, sha256, source = archive.size, archive.sha256, "the table of data sets"
    if not sha256 and locked and locked.url == archive.url:
        size, sha256, source = locked.size, locked.sha256, str(lock)
    size, sha256 = download(
        session, archive.url, path, name=archive.name, size=size, sha256=sha256, source=source
    )
    try:
        unpack(path, made, place)
    except InputError as error:
        path.unlink()
        problem = f"{error.problem}. It came from {archive.url} and was removed"
        raise InputError(problem, file=error.file, key=error.key) from None
    except OSError as error:
        problem = f"cannot be written ({error.strerror}); {path} is kept: free space and call again"
        raise InputError(problem, file=error.filename) from None
    if locked != (found := Locked(name, archive.url, size, sha256)):
        record(lock, found)


def _materials(session: requests.Session, listing: Archive, downloads: Path) -> dict[str, tuple[str, int]]:
    """Return (address, bytes) of each material's archive by name, from the kept list or the provider's.

    Raises
    ------
    InputError
        A line of the kept list is malformed, or as for `fetch_textures`; names the file and the line.
    """
    path = downloads / listing.name / MATERIALS
    if not path.is_file():
        source = path.with_name("listing.csv")
        source.unlink(missing_ok=True)
        download(session, listing.url, source, name=listing.name)
        write_text(path, _table(source, listing.version))
        source.unlink()
    with path.open(newline="", encoding="utf-8", errors="replace") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    fix = "fix it, or remove the file: then the provider's list of that day is fetched"
    materials = {}
    for line, row in enumerate(rows, start=2):
        try:
            name, url, size = (str(row[column] or "") for column in COLUMNS)
            if not is_fetchable(name) or not url:
                raise ValueError(name)
            materials[name] = url, int(size)
        except (KeyError, ValueError):
            problem = f"needs {', '.join(COLUMNS)} with tabs between them; {fix}"
            raise InputError(problem, file=path, key=f"line {line}") from None
    if not materials:
        raise InputError(f"lists no material; {fix}", file=path)
    return materials


def _table(source: Path, version: str) -> str:
    """Turn the provider's list of downloads into a table of the materials in one size and kind."""
    with source.open(newline="", encoding="utf-8", errors="replace") as stream:
        rows = list(csv.DictReader(stream))
    try:
        found = {
            row["assetId"]: (row["downloadLink"], int(row["size"] or 0))
            for row in rows
            if (row["downloadAttribute"], row["filetype"]) == (version, "zip")
            and is_fetchable(row["assetId"])
        }
    except (KeyError, AttributeError, ValueError) as error:
        raise InputError(f"no list of ambientCG's downloads ({error})", file=source) from None
    if not found:
        raise InputError(f"lists no material as {version}", file=source)
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([name, *found[name]] for name in sorted(found))
    return text.getvalue()


def _drop_transparent(folder: Path) -> None:
    """Remove materials with an opacity map: a room's wall that can be seen through is none."""
    for path in sorted(folder.glob("*/*_Opacity.jpg")):
        logger.info("%s is transparent, so no room is made of it", path.parent.name)
        shutil.rmtree(path.parent)


def _within(path: PurePosixPath, collection: str) -> PurePosixPath:
    """Return a member's path within its collection: some archives begin with the collection's folder."""
    return path.relative_to(collection) if path.parts[0] == collection else path


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Give a hidden folder beside `folder` that takes its place when the block succeeds."""
    made = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(made, ignore_errors=True)  # a killed job's
    made.mkdir(parents=True)
    yield made
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
