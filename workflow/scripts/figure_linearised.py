"""Draw the errors above the transfer gap (Figures 10 to 12 of the paper)."""

import json
from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.figures.base import save
    from syn2real.figures.linearised import draw_linearised

    fits = json.loads(Path(snakemake.input.fits).read_text(encoding="utf-8"))
    points = pd.read_csv(snakemake.input.points)
    stand_ins = snakemake.params.experiment["stand_ins"]
    save(draw_linearised(points, fits, stand_ins=stand_ins), snakemake.output)
