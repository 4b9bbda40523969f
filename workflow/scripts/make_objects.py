"""Make one of the demo's object collections in BOP layout."""

from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    from syn2real.render.assets import make_objects

    make_objects(snakemake.wildcards.collection, Path(snakemake.output[0]))
