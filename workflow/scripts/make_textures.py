"""Make the demo's materials in ambientCG layout."""

from pathlib import Path

from snakemake.script import snakemake

from syn2real.joblog import job_log
from syn2real.render.assets import make_textures

with job_log(snakemake.log[0]):
    make_textures(Path(snakemake.output[0]))
