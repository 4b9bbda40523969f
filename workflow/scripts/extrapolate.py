"""Fit the smaller sizes of an experiment and foretell the larger ones."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import write_json
    from syn2real.laws.extrapolation import extrapolate

    told = extrapolate(pd.read_csv(snakemake.input[0]), snakemake.params.largest)
    write_json(snakemake.output[0], told)
