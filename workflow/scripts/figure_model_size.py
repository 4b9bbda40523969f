"""Draw the transfer gap against the model's size (Figure 4 of the paper)."""

import json
from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.figures.base import save
    from syn2real.figures.model_size import draw_model_size

    paths = (snakemake.input.fits, snakemake.input.sizes)
    fits, sizes = (json.loads(Path(path).read_text(encoding="utf-8")) for path in paths)
    save(draw_model_size(pd.read_csv(snakemake.input.points), fits, sizes), snakemake.output)
