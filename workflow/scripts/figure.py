"""Draw a figure of an experiment, which its rule names."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.plugins import load
    from syn2real.report.figures.base import read_input, save

    params = snakemake.params
    inputs = {need: read_input(need, files) for need, files in params.files.items()}
    figure = load("report.figures", params.figure)
    save(figure.draw(**inputs, **params.given), snakemake.output)
