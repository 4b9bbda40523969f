"""Make one of the demo's object collections in BOP layout."""

from pathlib import Path

from snakemake.script import snakemake

from syn2real.joblog import job_log
from syn2real.render.assets import make_objects

with job_log(snakemake.log[0]):
    make_objects(snakemake.wildcards.collection, Path(snakemake.output[0]))
