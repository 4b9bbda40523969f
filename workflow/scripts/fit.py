"""Fit a law to every curve of an experiment; also predict it over a range of n and list its parameters."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import write_json, write_text
    from syn2real.laws.api import fit_table, parameter_table
    from syn2real.laws.rows import prediction_grid

    points = pd.read_csv(snakemake.input[0])
    at = prediction_grid(points) if snakemake.params.predict else []
    fits = fit_table(points, law=snakemake.params.law, predict_at=at, allow_unfitted=True)
    json, *tables = snakemake.output
    write_json(json, fits)
    for table in tables:
        write_text(table, parameter_table(fits).to_csv(index=False))
