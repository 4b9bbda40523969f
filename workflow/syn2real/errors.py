"""Errors that are reported in one line, and that another attempt would meet again."""

from pathlib import Path

LONGEST = 250
"""Characters of a message's part: a cell or a name in it may have thousands."""


class InputError(ValueError):
    """Bad input, the one error a person can cause: file, key, what is wrong, how to fix it.

    Parameters
    ----------
    problem : str
        What is wrong, and what to do about it.
    file : str or Path, optional
        The file that holds the mistake.
    key : str, optional
        The key, column or line within the file.
    """

    def __init__(self, problem: str, *, file: str | Path | None = None, key: str | None = None) -> None:
        parts = [str(part) for part in (file, key) if part]
        super().__init__(": ".join(one_line(part) for part in [*parts, problem]))
        self.problem, self.file, self.key = problem, file, key


class TrainingError(RuntimeError):
    """A training that gives no result: it diverged, or its metric is undefined."""


class Diverged(TrainingError):
    """A training whose loss is not finite."""


def one_line(text: str) -> str:
    """Return a text as one short line that any terminal can show: long ones lose their middle."""
    text = " ".join(text.split())
    if len(text) > 2 * LONGEST:
        text = f"{text[:LONGEST]} … {text[-LONGEST:]}"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
