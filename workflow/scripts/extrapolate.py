"""Fit the smaller sizes of an experiment and forecast the larger ones."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_json, write_text
    from syn2real.laws.extrapolation import extrapolate, forecast_table
    from syn2real.laws.reading import read_own_csv

    points = read_own_csv(snakemake.input[0])
    params = snakemake.params
    forecasts = extrapolate(points, params.start, params.laws, paper=params.paper)
    write_json(snakemake.output.json, forecasts)
    write_text(snakemake.output.csv, forecast_table(forecasts).to_csv(index=False))
