"""Draw a figure of an experiment, which its rule names."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.plugins import load
    from syn2real.report.figures.base import read_input, save

    figure = load("report.figures", snakemake.params.figure)
    inputs = {need: read_input(files) for need, files in snakemake.input.items()}
    save(figure.draw(**inputs, **snakemake.params.given), snakemake.output)
