"""What a person sees of a run: a progress bar, log lines, TensorBoard curves."""

import logging
import shutil
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

logger = logging.getLogger(__name__)


class Progress:
    """Report a run's progress; nothing here changes a result.

    A bar on a terminal's stderr; a log line about every `seconds`; scalars for TensorBoard.

    Parameters
    ----------
    title : str
        Names the run in the bar.
    total : int
        Length of the run in steps.
    batch_size : int
        Images a step, over all devices.
    folder : Path or None
        Folder of the TensorBoard curves; None for none.
    seconds : float
        Time between log lines, in seconds.
    silent : bool
        Show nothing: of several processes one is enough.
    """

    def __init__(
        self,
        title: str,
        total: int,
        batch_size: int,
        folder: Path | None,
        seconds: float = 15.0,
        silent: bool = False,
    ) -> None:
        self.total, self.batch_size, self.seconds = total, batch_size, seconds
        self.folder = None if silent else folder
        self.writer: SummaryWriter | None = None
        # A job's stderr is its log file: `tail -f` shows the bar there, redrawn now and then.
        interval = 0.1 if sys.stderr.isatty() else 10.0
        self.bar = tqdm(total=total, desc=title, unit="it", mininterval=interval, disable=silent)
        self.waited = 0.0
        self.steps = 0
        self.logged = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
        if self.writer:
            self.writer.close()

    def resumed(self, iteration: int) -> None:
        """Start where the run continues, or from the beginning; curves to be drawn again are removed."""
        self.bar.update(iteration - self.bar.n)
        if iteration:
            logger.info("resumed at iteration %d of %d", iteration, self.total)
        if self.folder:
            if not iteration:
                shutil.rmtree(self.folder, ignore_errors=True)
            self.writer = SummaryWriter(self.folder, purge_step=iteration + 1)

    def step(self, waited: float) -> None:
        """Count a step that waited some seconds for its data."""
        self.bar.update()
        self.steps += 1
        self.waited += waited

    def logging_due(self, iteration: int) -> bool:
        """Say whether it is time for a log line."""
        return iteration == self.total or time.monotonic() - self.logged >= self.seconds

    def log_line(self, iteration: int, loss: float, lr: float) -> None:
        """Log iteration, loss, learning rate, images a second, and the time spent waiting for data."""
        now = time.monotonic()
        elapsed = max(now - self.logged, 1e-9)
        logger.info(
            "iteration %d/%d, loss %.4g, lr %.4g, %.1f images/s, %.0f %% of the time waiting for data",
            *(iteration, self.total, loss, lr),
            *(self.steps * self.batch_size / elapsed, 100 * self.waited / elapsed),
        )
        self.steps, self.waited, self.logged = 0, 0.0, now

    def scalars(self, iteration: int, values: dict[str, float]) -> None:
        """Add points to TensorBoard's curves."""
        if self.writer:
            for name, value in values.items():
                self.writer.add_scalar(name, value, iteration)
