"""Draw the loss landscape of every curve (Figures 13 and 14 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.report.figures.base import save
    from syn2real.report.figures.landscapes import draw_landscapes

    save(draw_landscapes(pd.read_csv(snakemake.input[0])), snakemake.output)
