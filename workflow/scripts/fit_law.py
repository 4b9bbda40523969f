"""Fit the law in both sizes, or that of the model's size, to an experiment's points."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import write_json
    from syn2real.laws.api import fit_table

    points = pd.read_csv(snakemake.input[0])
    write_json(snakemake.output[0], fit_table(points, law=snakemake.params.law, allow_unfitted=True))
