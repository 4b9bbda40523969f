"""Cells become numbers, with decimal commas, thousands separators, 64k; or one line asks which it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from syn2real.errors import InputError

COUNTS = ("n", "s", "n_params", "pretrain.data")  # whose numbers may have thousands separators, k and M
REALS = ("error", "value", "weight", "s_percent", "fratio", "nparam")
OTHER = {",": ".", ".": ","}
NAMES = {",": "comma", ".": "point"}

_SHAPE = re.compile(r"([-+]?)([0-9.,]*[0-9][0-9.,]*)(?:[eE]([-+]?[0-9]+))? ?([kKM]?) ?(%?)")
_SPACED = re.compile(r"[-+]?[0-9]{1,3}(?:(['\u2019_ ])[0-9]{3})(?:\1[0-9]{3})*(?![0-9])")
_GROUPED = {mark: re.compile(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ",."}
_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full width
_ASCII |= {0x2212: ord("-"), **dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F), ord(" "))}
_SCALE = {"": 0, "k": 3, "K": 3, "M": 6}

Column = Sequence[tuple[int, str]]
"""Of each row its line in the file, and the cell."""


@dataclass(frozen=True)
class Written:
    """A number as it is written: sign, digits with their marks, exponent, and a percent sign or none."""

    sign: str
    digits: str
    exponent: int
    percent: str

    def grouped(self, mark: str) -> bool:
        """Say whether the digits may be in groups of three, such as 64,000, with this mark."""
        return _GROUPED[mark].fullmatch(self.digits) is not None

    def decimal(self) -> str | None:
        """Return the mark that can only be the decimal one, or None where there is none."""
        marks = [sign for sign in self.digits if sign in ",."]
        if not marks or self.grouped(marks[0]):
            return None
        return marks[-1] if marks.count(marks[-1]) == 1 else None

    def plain(self, decimal: str) -> str | None:
        """Return the number as Python writes it, where its decimal mark is known; None if it is none."""
        whole, _, part = self.digits.partition(decimal)
        mark = OTHER[decimal]
        if mark in whole and not _GROUPED[mark].fullmatch(whole):
            return None
        if mark in part or decimal in part:
            return None
        digits = whole.replace(mark, "") + ("." + part if part else "")
        return self.sign + digits + (f"e{self.exponent}" if self.exponent else "") + self.percent


def written(cell: str) -> Written | None:
    """Take a cell apart, or return None where it is no number."""
    text = cell.translate(_ASCII).strip()
    spaced = _SPACED.match(text)
    if spaced:
        text = re.sub(r"['\u2019_ ]", "", spaced[0]) + text[spaced.end() :]
    found = _SHAPE.fullmatch(text)
    if not found:
        return None
    sign, digits, exponent, scale, percent = found.groups()
    if exponent and len(exponent) > 6:
        return None
    return Written(sign, digits, int(exponent or 0) + _SCALE[scale], percent)


def plain_numbers(
    columns: Mapping[str, Column], separator: str, file: str | Path
) -> tuple[dict[str, list[str]], list[str]]:
    """Write the numbers of a table's columns as Python does; what is no number stays as it is.

    Parameters
    ----------
    columns : dict of str to sequence of (int, str)
        Those of `COUNTS` and `REALS` that the table has.
    separator : str
        What stands between the fields of the file.
    file : str or Path
        Named in messages.

    Returns
    -------
    columns : dict of str to list of str
    notes : list of str
        Decimal commas and thousands separators that were read.

    Raises
    ------
    InputError
        Where decimal commas and decimal points are mixed, or "1.000" may be 1 or 1000.
    """
    votes = _votes(columns, file)
    decimal = next(iter(votes), "," if separator == ";" and _has(columns, REALS, ",") else ".")
    out, notes = {}, ["numbers have decimal commas"] if decimal == "," else []
    for name, column in columns.items():
        if name in COUNTS:
            out[name] = _counts(name, column, decimal, bool(votes), separator == ",", file)
        else:
            out[name] = _reals(name, column, decimal, file)
        pairs = zip((cell for _, cell in column), out[name], strict=True)
        changed = [(cell, new) for cell, new in pairs if not _same(cell, new) and not new.endswith("%")]
        if name in COUNTS and changed:
            cell, new = changed[0]
            notes.append(f"{name}: {cell!r} is read as {float(new):.15g}")
    return out, notes


def _same(cell: str, new: str) -> bool:
    """Say whether Python reads a cell as the same number as its new form."""
    try:
        return cell == new or (cell.isascii() and float(cell) == float(new))
    except ValueError:
        return False


def _votes(columns: Mapping[str, Column], file: str | Path) -> dict[str, str]:
    """Return the decimal mark of a file with a cell that shows it, or nothing where no cell does."""
    votes: dict[str, str] = {}
    for name, column in columns.items():
        for line, cell in column:
            number = written(cell)
            mark = number.decimal() if number else None
            if mark:
                votes.setdefault(mark, f"{name} {cell!r} in line {line}")
    if len(votes) > 1:
        problem = f"{votes[',']} has a decimal comma and {votes['.']} a decimal point; write a point in both"
        raise InputError(problem, file=file)
    return votes


def _has(columns: Mapping[str, Column], names: Sequence[str], mark: str) -> bool:
    """Say whether any cell of some columns holds a mark."""
    return any(mark in cell for name in names for _, cell in columns.get(name, ()))


def _reals(name: str, column: Column, decimal: str, file: str | Path) -> list[str]:
    """Return the cells of a column of measured numbers, in which a single mark is the decimal one."""
    out = []
    for line, cell in column:
        number = written(cell)
        if number and number.grouped(OTHER[decimal]) and len(number.digits) < 8:
            _ask(name, line, cell, number, file)
        out.append((number and number.plain(decimal)) or cell)
    return out


def _counts(
    name: str, column: Column, decimal: str, known: bool, commas: bool, file: str | Path
) -> list[str]:
    """Return the cells of a column of whole numbers, in which a mark may also separate thousands.

    Parameters
    ----------
    known : bool
        A cell of the file shows its decimal mark.
    commas : bool
        The fields are separated by commas, so that a comma in a field was put in quotes on purpose.
    """
    numbers = [written(cell) for _, cell in column]
    there = [number for number in numbers if number is not None]
    grouping = {m for m in ",." if any(x.grouped(m) and x.digits.count(m) > 1 for x in there)}
    with_decimals = any(number.decimal() == decimal for number in there)
    if known or commas:
        grouping |= {OTHER[decimal]} if known or decimal == "." else set()
    out = []
    for (line, cell), number in zip(column, numbers, strict=True):
        if number is None:
            out.append(cell)
            continue
        mark = next((m for m in ",." if number.grouped(m)), None)
        clear = mark is None or mark in grouping or (mark == decimal and (with_decimals or number.exponent))
        if not clear:
            _ask(name, line, cell, number, file)
        out.append(number.plain(OTHER[mark] if mark in grouping else decimal) or cell)  # type: ignore[index]
    return out


def _ask(name: str, line: int, cell: str, number: Written, file: str | Path) -> None:
    """Refuse a number of which it is not clear whether its mark separates thousands."""
    mark = next(m for m in ",." if m in number.digits)
    small, large = number.digits.replace(mark, "."), number.digits.replace(mark, "")
    problem = f"{cell!r} in line {line} may be {float(small):g} or {large}; write one of these"
    raise InputError(problem, file=file, key=name)
