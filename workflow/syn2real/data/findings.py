"""What a check of data found before any job."""

from dataclasses import dataclass, field
from pathlib import Path

from syn2real.errors import InputError


@dataclass
class Findings:
    """Lines for the person who starts a run; a check adds to them as it goes.

    Attributes
    ----------
    problems : list of str
        What is there and wrong; neither a check nor a run passes.
    missing : list of str
        What is not there yet; a run refuses to start.
    warnings : list of str
        What may be a mistake, with counts; a run starts.
    lines : list of str
        What `syn2real check` prints about the data: counts by split and category.
    """

    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def refusals(self) -> list[str]:
        """What a run refuses to start with."""
        return [*self.missing, *self.problems]

    def add(self, other: "Findings", suffix: str = "") -> None:
        """Take over another check's findings, each once; all but its lines end with `suffix`."""
        for name, end in (("problems", suffix), ("missing", suffix), ("warnings", suffix), ("lines", "")):
            mine, theirs = getattr(self, name), getattr(other, name)
            mine += dict.fromkeys(line + end for line in theirs if line + end not in mine)

    @classmethod
    def of(cls, error: InputError) -> "Findings":
        """Return an error as a finding: its file is not there, or it is wrong."""
        there = error.file is None or Path(error.file).exists()
        return cls(problems=[str(error)]) if there else cls(missing=[str(error)])
