"""Make one of the demo's object collections in BOP layout."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.assets.demo.make import make_objects

    make_objects(snakemake.wildcards.collection, Path(snakemake.output[0]))
