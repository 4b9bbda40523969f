"""Draw the full law over both sizes (Figures 2 and 9 of the paper)."""

import json
from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.figures.base import save
    from syn2real.figures.full_law import draw_full_law

    fits = json.loads(Path(snakemake.input.fits).read_text(encoding="utf-8"))
    save(draw_full_law(pd.read_csv(snakemake.input.points), fits), snakemake.output)
