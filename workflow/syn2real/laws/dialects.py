"""The bytes of a CSV become rows: encodings, separators, blank rows, comments, headers, nameless columns."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from syn2real.errors import InputError
from syn2real.files import require_file

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
FORMATS = {
    b"PK\x03\x04": "is a spreadsheet (XLSX) or a zip file; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet (XLS); save the sheet as CSV",
    b"PAR1": "is a Parquet file; write it as CSV (pandas: read_parquet, then to_csv)",
    b"ARROW1": "is a Feather file; write it as CSV (pandas: read_feather, then to_csv)",
    b"\x89HDF": "is an HDF5 file; write the table as CSV",
    b"SQLite format 3": "is a database; write the table as CSV",
    b"\x1f\x8b": "is compressed (gzip); unpack it",
    b"BZh": "is compressed (bzip2); unpack it",
    b"\xfd7zXZ": "is compressed (xz); unpack it",
    b"(\xb5/\xfd": "is compressed (zstd); unpack it",
    b"%PDF": "is a PDF; save the table as CSV",
}  # what files begin with
ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
EMPTY = "is empty; it needs a header and rows with n and error"
SIZES = ("n", "pretrain.data")  # the column that a header has, of a table of either kind
TRACKED = re.compile(r"(?:params|parameters|config|metrics|summary)[./](.+)|params_(.+)")
"""Names as trackers write them: params.n (MLflow), metrics/error (Neptune), params_n (Optuna)."""
RULE = re.compile(r":?-+:?")  # of the row below a Markdown table's header
LONGEST_FIELD = 2**30
HEADER_WITHIN = 20  # records: so many titles and remarks may stand above a header
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad\x1a"))
NUMBER = re.compile(r"[-+\u2212]?[\d.,' \u2019]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*[kKM%]?")
SPREADSHEET_ERROR = re.compile(r"#(?:[A-Z\u00c0-\u00dc/0]+[!?]|N/?[AV]\b|#+)")  # such as #DIV/0!: no comment

Record = tuple[int, list[str]]
"""The line on which a record begins, counted from 1, and its cells."""


@dataclass
class Rows:
    """The records of a CSV.

    Attributes
    ----------
    names : list of str
        The header's cells.
    cells : list of list of str
        The rows, each as long as `names`; spaces around cells are gone.
    lines : list of int
        The line of the file on which each row begins, counted from 1.
    separator : str
        What stands between the fields.
    notes : list of str
        What was read otherwise than written.
    """

    names: list[str]
    cells: list[list[str]]
    lines: list[int]
    separator: str
    notes: list[str]


def read_rows(path: str | Path) -> Rows:
    """Read the rows of a CSV in any dialect whose meaning is certain.

    Raises
    ------
    InputError
        Where the file is missing, a directory, empty or of another format, rows are longer or shorter than
        the header, or a column with values has no name.
    """
    path = Path(path)
    text, notes = _text(path)
    lines = list(StringIO(text, newline=""))
    marked = re.fullmatch(r'"?sep=([^"])"?[,;]*\s*', lines[0], re.IGNORECASE)  # Excel's
    if marked:
        lines[0] = "\n"
    separator = marked[1] if marked else _separator(lines, path)
    if separator != ",":
        notes.append(f"the fields are separated by {SEPARATORS.get(separator, repr(separator))}")
    records = [(line, row) for line, row in _records(lines, separator, path) if not _is_rule(row)]
    blank = sum(len(row) > 1 and not any(row) for _, row in records)
    notes += [f"{blank} rows without any value are passed over"] if blank else []
    names, rows = _header([(line, row) for line, row in records if any(row)], notes, path)
    rows = _without_comments(rows, len(names), lines, notes, path)
    names, rows = _aligned(names, rows, separator, notes, path)
    names, rows = _named(names, rows, notes, path)
    return Rows(names, [row for _, row in rows], [line for line, _ in rows], separator, notes)


def clean(cell: str) -> str:
    """Return a cell without what cannot be seen: spaces around it, zero-width signs, split accents."""
    return unicodedata.normalize("NFC", cell.translate(INVISIBLE)).replace("\u00a0", " ").strip()


def known_name(cell: str) -> str:
    """Return a column's name as this project writes it: lower case, underscores, no tracker's prefix."""
    name = re.sub(r"[\s-]+", "_", cell.casefold())
    tracked = TRACKED.fullmatch(name)
    return tracked[1] or tracked[2] if tracked else name


def _bytes(path: Path) -> bytes:
    """Return what is in a file or a pipe, such as a shell's `<(…)`; not in a device, which may never end."""
    try:
        if not path.is_fifo():
            require_file(path, "CSV file")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error})", file=path) from None


def _text(path: Path) -> tuple[str, list[str]]:
    """Return a file's text, and a note on an unusual encoding."""
    data = _bytes(path)
    for mark, problem in FORMATS.items():
        if data.startswith(mark):
            raise InputError(problem, file=path)
    encoding = next((name for mark, name in ENCODINGS.items() if data.startswith(mark)), "utf-8")
    notes = [] if encoding == "utf-8" else [f"the encoding is {encoding.upper()}"]
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError:
            raise InputError(
                "is no text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8", file=path
            ) from None
        notes = ["the text is not UTF-8 and is read as Windows-1252; letters with accents may differ"]
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"line {line} has a NUL byte, as no CSV does; save the table as UTF-8", file=path)
    text = text.removeprefix("\ufeff")
    start = text.lstrip()[:1]
    if not text.strip("".join(SEPARATORS) + '"\r\n'):
        raise InputError(EMPTY, file=path)
    if start in "{[":
        raise InputError("is JSON; write the table as CSV (pandas: read_json, then to_csv)", file=path)
    if start == "<":
        raise InputError("is HTML or XML; save the table as CSV", file=path)
    return text, notes


def _records(lines: Sequence[str], separator: str, path: Path, *, strict: bool = True) -> Iterator[Record]:
    """Yield each record's first line and its cells; a blank line is a record without cells."""
    csv.field_size_limit(LONGEST_FIELD)  # Python's own limit is 128 KiB
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            open_quote = "end of data" in str(error)
            problem = 'a quote (") is opened and not closed' if open_quote else str(error)
            raise InputError(
                f"the record that begins in line {line} is no CSV: {problem}", file=path
            ) from None
        yield line, [clean(cell) for cell in row]
        line = reader.line_num + 1


def _separator(lines: Sequence[str], path: Path) -> str:
    """Return what stands between the fields: of the header that has n, else what gives the most fields."""
    found: list[tuple[bool, int, int, str]] = []
    for rank, separator in enumerate(SEPARATORS):
        records = islice(_records(lines, separator, path, strict=False), HEADER_WITHIN)
        rows = [_uncommented(row) for _, row in records if any(row)]
        header = next((row for row in rows if _is_header(row)), None)
        if separator == " " and (header is None or max(found)[1] > 1):
            continue  # titles and names have spaces too
        found.append((header is not None, len(header or rows[0]) if rows else 0, -rank, separator))
    return max(found)[-1]


def _is_header(row: Sequence[str]) -> bool:
    """Say whether a record names the column of sizes, and holds no number."""
    return any(known_name(cell) in SIZES for cell in row) and not any(map(NUMBER.fullmatch, row))


def _is_rule(row: Sequence[str]) -> bool:
    """Say whether a record is the rule of dashes below a Markdown table's header."""
    cells = [cell for cell in row if cell]
    return len(cells) > 1 and all(map(RULE.fullmatch, cells))


def _uncommented(row: list[str]) -> list[str]:
    """Return a record without the mark that makes it a comment."""
    return [row[0].lstrip("# "), *row[1:]]


def _header(records: list[Record], notes: list[str], path: Path) -> tuple[list[str], list[Record]]:
    """Return the header's cells and the records after it; titles and remarks may stand above."""
    if not records:
        raise InputError(EMPTY, file=path)
    found = (i for i, (_, row) in enumerate(records[:HEADER_WITHIN]) if _is_header(_uncommented(row)))
    first = next((i for i, (_, row) in enumerate(records) if not row[0].startswith("#")), 0)
    place = next(found, first)
    line, names = records[place][0], _uncommented(records[place][1])
    rest = [record for record in records[place + 1 :] if record[1] != records[place][1]]
    again = len(records) - place - 1 - len(rest)
    notes += [f"{again} repeated headers are passed over"] if again else []
    titles = sum(not row[0].startswith("#") for _, row in records[:place])
    notes += [f"{titles} rows above the header are passed over"] if titles else []
    if all(map(NUMBER.fullmatch, filter(None, names))):
        problem = "has numbers where the columns' names should be; begin with a row such as n,error"
        raise InputError(f"line {line} {problem}", file=path)
    return names, rest


def _without_comments(
    records: list[Record], width: int, lines: Sequence[str], notes: list[str], path: Path
) -> list[Record]:
    """Leave out comments; refuse rows of which it is not clear whether they are some."""
    starts = {line: lines[line - 1].lstrip() for line, _ in records}
    marked = {i for i, text in starts.items() if text.startswith("#") and not SPREADSHEET_ERROR.match(text)}
    whole = [line for line, row in records if line in marked and len(row) == width > 1]
    others = [row[0] for line, row in records if line not in marked]
    if whole and not all(map(NUMBER.fullmatch, others)):
        problem = "begins with # and has every field; put a name in quotes, or remove the row"
        raise InputError(f"line {whole[0]} {problem}", file=path)
    if whole:
        notes.append(f"{len(whole)} rows that begin with # are left out (the first: line {whole[0]})")
    return [(line, row) for line, row in records if line not in marked]


def _aligned(
    names: list[str], records: list[Record], separator: str, notes: list[str], path: Path
) -> tuple[list[str], list[Record]]:
    """Make every row as long as the header: extra fields must be empty, and no field may be missing."""
    width = len(names)
    least = max((i + 1 for i, name in enumerate(names) if name), default=0)
    if records and all(len(row) == width + 1 for _, row in records) and _counts([r[0] for _, r in records]):
        names, width, least = ["", *names], width + 1, least + 1  # R's row names have no header
    out = []
    for line, row in records:
        if len(row) < least or any(row[width:]):
            hint = "fill or remove the row"
            if len(row) > width and separator == ",":
                hint = "a comma within a name or a number needs quotes around both"
            raise InputError(f"line {line} has {len(row)} fields and the header {width}; {hint}", file=path)
        out.append((line, [*row[:width], *[""] * (width - len(row))]))
    return names, out


def _named(
    names: list[str], records: list[Record], notes: list[str], path: Path
) -> tuple[list[str], list[Record]]:
    """Leave out empty columns, and a first one that numbers the rows; every other one needs a name."""
    keep: list[int] = []
    for i, name in enumerate(names):
        values = [row[i] for _, row in records]
        nameless = not name or re.fullmatch(r"Unnamed: \d+(\.\d+)?", name) is not None
        if nameless and not any(values):
            continue
        if nameless and not keep and all(map(str.isdigit, values)) and len({*values}) == len(values):
            notes.append("the first column has no name and another value in each row: an index, left out")
            continue
        if nameless:
            raise InputError(f"column {i + 1} has values and no name; name or remove it", file=path)
        keep.append(i)
    return [names[i] for i in keep], [(line, [row[i] for i in keep]) for line, row in records]


def _counts(values: Sequence[str]) -> bool:
    """Say whether values number the rows, from 0 or from 1."""
    return len(values) > 1 and any(
        list(values) == [str(i) for i in range(first, first + len(values))] for first in (0, 1)
    )
