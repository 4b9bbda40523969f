"""What a check of data found before any job."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Lines for the person who starts a run; a check adds to them as it goes.

    Attributes
    ----------
    problems : list of str
        What a real run would fail on; it refuses to start.
    warnings : list of str
        What may be a mistake, with counts; a run starts.
    lines : list of str
        What `syn2real check` prints about the data: counts by split and category.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, other: "Findings", suffix: str = "") -> None:
        """Take over another check's findings; its problems and warnings end with `suffix`, each once."""
        self.problems += [line + suffix for line in other.problems]
        self.warnings += [line + suffix for line in other.warnings if line + suffix not in self.warnings]
        self.lines += [line for line in other.lines if line not in self.lines]
