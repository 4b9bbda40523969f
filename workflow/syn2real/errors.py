"""Errors that are reported in one line, and that another attempt would meet again."""

from pathlib import Path


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
        place = [str(part) for part in (file, key) if part]
        super().__init__(": ".join([*place, " ".join(problem.split())]))
        self.problem, self.file, self.key = problem, file, key


class TrainingError(RuntimeError):
    """A training that gives no result: it diverged, or its metric is undefined."""
