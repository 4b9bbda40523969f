"""Gather an experiment's measurements into one table."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.training.points import read_points, write_points

    write_points(read_points(snakemake.input), snakemake.output[0])
