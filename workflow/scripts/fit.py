"""Fit a law to every curve of an experiment by a method; also predict it and list its parameters."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_json, write_text
    from syn2real.laws.api import fit_table, parameter_table
    from syn2real.laws.reading import read_own_csv
    from syn2real.laws.rows import prediction_grid

    points = read_own_csv(snakemake.input[0])
    params = snakemake.params
    at = prediction_grid(points) if params.predict else []
    how = {"method": params.method, "fix_d": params.fix_d}
    fits = fit_table(points, law=params.law, predict_at=at, allow_unfitted=True, **how)
    json, *tables = snakemake.output
    write_json(json, fits)
    for table in tables:
        write_text(table, parameter_table(fits).to_csv(index=False))
