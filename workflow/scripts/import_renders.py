"""Import one shard of a user's own renders."""

from pathlib import Path

from syn2real.files import scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.log import job_log

wildcards, params = snakemake.wildcards, snakemake.params
output = Path(snakemake.output[0])
scratch = scratch_folder(output, [params.fingerprint, params.own, params.annotations])

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.data.own_renders.importing import import_shard

    import_shard(
        setting=wildcards.setting,
        own=params.own,
        split=wildcards.split,
        shard=int(wildcards.shard),
        annotations=Path(params.annotations),
        output=output,
    )
