"""Render one shard of a setting."""

from pathlib import Path

from syn2real.files import scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.log import job_log

wildcards, params = snakemake.wildcards, snakemake.params
output = Path(snakemake.output[0])
textures = params.folders["textures"]
scratch = scratch_folder(output, [params.fingerprint, params.rendering])

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.jobs.gpus import use_gpus
    from syn2real.render.job import render_shard

    use_gpus(snakemake.resources.gpu)
    render_shard(
        setting=wildcards.setting,
        rendering=params.rendering,
        split=wildcards.split,
        shard=int(wildcards.shard),
        objects={name: Path(folder) for name, folder in params.folders["objects"].items()},
        textures=Path(textures) if textures else None,
        output=output,
        scratch=scratch,
        fingerprint=params.fingerprint,
        threads=snakemake.threads,
    )
