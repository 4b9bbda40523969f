"""The table of data that can be fetched: one row an archive, with its provider's version and checksum."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from syn2real.errors import InputError
from syn2real.schema import Name, Section, validate

Layout = Literal["bop", "ambientcg"]


class Archive(Section):
    """One row of config/datasets.tsv. Size and checksum stand here only where the provider publishes them."""

    name: Name = Field(description="the collection; the rows of one name make it together")
    version: str = Field(min_length=1, description="what the provider calls this version")
    layout: Layout = Field(
        description="bop: an archive of objects; ambientcg: a list of materials, which are fetched one by one"
    )
    url: str = Field(pattern=r"^https?://\S+$", description="where it is fetched from")
    licence: str = Field(min_length=1, description="the provider's terms, or where to read them; shown first")
    objects: int | None = Field(default=None, ge=1, description="models it must hold (layout bop)")
    size: int | None = Field(default=None, ge=1, description="published size, bytes")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="published SHA-256")

    @field_validator("url")
    @classmethod
    def _names_a_file(cls, url: str) -> str:
        if _last_part(url) in ("", ".", ".."):
            raise ValueError("its path ends in no file's name")
        return url

    @property
    def file(self) -> str:
        """Return the archive's file name, the last part of its URL's path."""
        return _last_part(self.url)


def _last_part(url: str) -> str:
    """Return the last part of a URL's path."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2]


def read_datasets(path: str | Path) -> dict[str, list[Archive]]:
    """Read a table of archives.

    Parameters
    ----------
    path : str or Path
        Tab-separated values with a header line; an empty cell is a value that is not known.

    Returns
    -------
    dict of str to list of Archive
        The rows of each name, in their order.

    Raises
    ------
    InputError
        Naming the file and the line of the first mistake.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, delimiter="\t", restkey="more cells than columns")
            columns = list(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise InputError("there is no such file; it comes with the workflow", file=path) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the table cannot be read: {error}", file=path) from None
    if len(set(columns)) < len(columns):
        raise InputError("two columns have one name; rename or remove one", file=path, key="line 1")
    datasets: dict[str, list[Archive]] = defaultdict(list)
    for line, row in rows:
        known = {key: cell for key, cell in row.items() if cell not in ("", None)}
        archive = validate(Archive, known, file=path, key=f"line {line}", cells=True)
        if any(other.layout != archive.layout for other in datasets[archive.name]):
            problem = f"'{archive.name}' has another layout in a line above; give both the same"
            raise InputError(problem, file=path, key=f"line {line}.layout")
        if archive.layout == "ambientcg" and datasets[archive.name]:
            problem = f"'{archive.name}' has a list of materials in a line above; keep one"
            raise InputError(problem, file=path, key=f"line {line}.name")
        datasets[archive.name].append(archive)
    return dict(datasets)
