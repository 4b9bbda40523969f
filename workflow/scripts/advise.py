"""Say in words what an experiment's fits support."""

import pandas as pd
from snakemake.script import snakemake

from syn2real.joblog import job_log
from syn2real.report import write_advice

with job_log(snakemake.log[0]):
    write_advice(
        pd.read_csv(snakemake.input.points),
        snakemake.input.fits,
        snakemake.params.experiment,
        markdown=snakemake.output.markdown,
        html=snakemake.output.html,
    )
