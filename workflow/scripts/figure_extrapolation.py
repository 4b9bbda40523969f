"""Draw forecasts of larger sizes with and without a gap (Figure 5 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import read_json
    from syn2real.report.figures.base import save
    from syn2real.report.figures.extrapolation import draw_extrapolation

    told = read_json(snakemake.input.told)
    save(draw_extrapolation(pd.read_csv(snakemake.input.points), told), snakemake.output)
