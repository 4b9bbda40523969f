"""The resume state of a run: one file, replaced atomically, removed when the run has succeeded."""

import logging
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from syn2real.files import atomic

logger = logging.getLogger(__name__)


class Checkpoints:
    """Where a run keeps its resume state.

    Snakemake deletes the declared outputs of a failed job, so this folder must not be one of them.

    Parameters
    ----------
    folder : Path
        The run's own scratch folder.
    identity : str
        Digest of what the run is: a state of another identity is not resumed.
    seconds : float
        Save no more often than this, in seconds, and so seldom that saving takes a twentieth of the time
        at most; 0 saves after every step. How often never changes a result.
    """

    def __init__(self, folder: Path, identity: str, seconds: float = 60.0) -> None:
        self.folder, self.identity, self.seconds = Path(folder), identity, seconds
        self.path = self.folder / "state.pt"
        self.saved = time.monotonic()
        self.cost = 0.0

    def due(self) -> bool:
        """Say whether it is time to save again."""
        return time.monotonic() - self.saved >= max(self.seconds, 20 * self.cost if self.seconds else 0)

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; an interruption leaves the one before."""
        started = time.monotonic()
        with atomic(self.path) as temporary:
            torch.save({"identity": self.identity, "state": state}, temporary)
        self.saved = time.monotonic()
        self.cost = self.saved - started

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, or None where there is none for this run."""
        if not self.path.exists():
            return None
        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            logger.warning("%s cannot be read (%s): starting from the beginning", self.path, error)
            return None
        if not isinstance(found, dict) or found.get("identity") != self.identity:
            logger.warning("%s belongs to another run: starting from the beginning", self.path)
            return None
        return found["state"]

    def remove(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
