"""Make the demo's materials in ambientCG layout."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.assets.demo.make import make_textures

    make_textures(Path(snakemake.output[0]))
