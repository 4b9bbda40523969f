"""Draw the estimated pre-training rate and transfer gap of every curve (Figure 8 of the paper)."""

import json
from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    from syn2real.figures.base import save
    from syn2real.figures.parameters import draw_parameters

    fits = json.loads(Path(snakemake.input[0]).read_text(encoding="utf-8"))
    save(draw_parameters(fits), snakemake.output)
