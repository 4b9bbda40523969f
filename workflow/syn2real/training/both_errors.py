"""The error of a pre-training on renders beside that of its fine-tunings on photographs."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from syn2real.data.arms import BACKBONE, Arm
from syn2real.errors import InputError
from syn2real.files import write_text
from syn2real.training.metrics import RunKey, read_metrics
from syn2real.training.points import KEY

COLUMNS = (*KEY, "metric", "error_on_renders", "error", "difference", "note")


def both_errors(pretrainings: Iterable[str | Path], finetunings: Iterable[str | Path]) -> pd.DataFrame:
    """Return the error of each fine-tuning, that of its pre-training, and their difference.

    Parameters
    ----------
    pretrainings, finetunings : iterable of str or Path
        metrics.json files; fine-tunings without pre-training are passed over, one on a mixture of renders
        and photographs too.

    Returns
    -------
    pandas.DataFrame
        A row a fine-tuning with `COLUMNS`. `error_on_renders` is that of the pre-training's best evaluation
        on synthetic validation images, `error` that on the target, `difference` the second less the first:
        NaN where they are errors of different tasks, which `note` says.

    Raises
    ------
    InputError
        A file is not a complete metrics file, or a pre-training's is missing.
    """
    before = {_start(metrics.key): metrics for metrics in map(read_metrics, pretrainings)}
    rows = []
    for path in finetunings:
        after = read_metrics(path)
        if not after.key.n or Arm.named(after.key.arm).longer:
            continue
        if (start := before.get(_start(after.key))) is None:
            raise InputError("the metrics of its pre-training are missing; run it again", file=path)
        alike = (start.key.ptask, start.metric) == (after.key.ftask, after.metric)
        rows.append(
            {key: getattr(after.key, key) for key in KEY}
            | {
                "metric": after.metric,
                "error_on_renders": start.error,
                "error": after.error,
                "difference": after.error - start.error if alike else float("nan"),
                "note": "" if alike else f"not comparable: {start.metric} of {start.key.ptask}",
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(list(KEY), ignore_index=True)


def write_both(frame: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV, and print a line a run."""
    for row in frame.to_dict("records"):
        tasks = f"{row['ptask']} -> {row['ftask']} on {row['target']}, {row['s_percent']:g} %"
        end = row["note"] or f"difference {row['difference']:+.3f}"
        arm = "" if (row["arm"], row["rate"]) == (BACKBONE, 1) else f", {row['arm']} at rate {row['rate']:g}"
        run = f"{row['setting']}, {tasks}, {row['model']} ({row['initial']}){arm}, n = {row['n']:,}"
        print(
            f"{run}, seed {row['seed']}: error {row['error_on_renders']:.3f} on renders, {row['error']:.3f} "
            f"on the target; {end}"
        )
    write_text(path, frame.to_csv(index=False))


def _start(key: RunKey) -> tuple[str, str, str, str, str, int, int]:
    """Return what names a pre-training."""
    return key.recipe, key.setting, key.ptask, key.model, key.initial, key.n, key.seed
