"""Gather an experiment's measurements into one table."""

from snakemake.script import snakemake

from syn2real.joblog import job_log
from syn2real.points import read_points, write_points

with job_log(snakemake.log[0]):
    write_points(read_points(snakemake.input), snakemake.output[0])
