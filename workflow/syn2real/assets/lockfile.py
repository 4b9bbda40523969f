"""The user's own lock file: what was fetched first is what every later download must be."""

import csv
import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from syn2real.errors import InputError
from syn2real.files import write_text
from syn2real.jobs.locks import exclusive


@dataclass(frozen=True)
class Locked:
    """What a first download was.

    Attributes
    ----------
    archive : str
        `<collection>/<file>`, the archive's path within the folder of downloads.
    url : str
        Where it was fetched from; another address of the same archive is another first download.
    size : int
        Bytes.
    sha256 : str
        Hexadecimal digits.
    """

    archive: str
    url: str
    size: int
    sha256: str


COLUMNS = [field.name for field in fields(Locked)]


def read_lock(path: Path) -> dict[str, Locked]:
    """Return the recorded archives by name; none where there is no file yet.

    Raises
    ------
    InputError
        A line is malformed; names the file and the line.
    """
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    found = {}
    for line, row in enumerate(rows, start=2):
        try:
            found[row["archive"]] = Locked(row["archive"], row["url"], int(row["size"]), row["sha256"])
        except (KeyError, TypeError, ValueError):
            problem = f"needs the columns {', '.join(COLUMNS)}; fix the line or remove it"
            raise InputError(problem, file=path, key=f"line {line}") from None
    return found


def record(path: Path, locked: Locked) -> None:
    """Add an archive to the lock file, or replace its line; other processes may do so too."""
    with exclusive(path.with_name(f".{path.name}")):
        rows = read_lock(path) | {locked.archive: locked}
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(rows[name]) for name in sorted(rows))
        write_text(path, text.getvalue())
