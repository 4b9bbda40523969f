"""Draw forecasts of larger sizes with and without a gap (Figure 5 of the paper)."""

import json
from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.figures.base import save
    from syn2real.figures.extrapolation import draw_extrapolation

    told = json.loads(Path(snakemake.input.told).read_text(encoding="utf-8"))
    save(draw_extrapolation(pd.read_csv(snakemake.input.points), told), snakemake.output)
