"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column names the rows; the others hold numbers, aligned right.

    Parameters
    ----------
    header : sequence of str
        Titles of the k columns.
    rows : iterable of sequence of str
        The k cells of each row; a | in a cell, which would end it, becomes a /.
    """
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
