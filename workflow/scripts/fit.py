"""Fit the simple law to every curve of an experiment."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import write_json, write_text
    from syn2real.laws.api import fit_table
    from syn2real.laws.summary import parameter_table, prediction_grid

    points = pd.read_csv(snakemake.input[0])
    fits = fit_table(points, predict_at=prediction_grid(points), allow_unfitted=True)
    write_json(snakemake.output.json, fits)
    write_text(snakemake.output.csv, parameter_table(fits).to_csv(index=False))
