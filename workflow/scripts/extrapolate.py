"""Fit the smaller sizes of an experiment and forecast the larger ones."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import write_json
    from syn2real.laws.extrapolation import extrapolate

    points = pd.read_csv(snakemake.input[0])
    write_json(snakemake.output[0], extrapolate(points, snakemake.params.largest, snakemake.params.laws))
