"""Measure the complexity of a setting's images by a reference backbone."""

from pathlib import Path

from syn2real.files import file_stamp, scratch_folder, write_json
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

w, params = snakemake.wildcards, snakemake.params
pool = None if params.pool is Ellipsis else params.pool
stamps = [file_stamp(path) for path in snakemake.input]
scratch = scratch_folder(snakemake.output[0], [params.fingerprint, params.model, params.floor, stamps, pool])

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.complexity.images import ShardImages
    from syn2real.complexity.measure import measure_images
    from syn2real.jobs.gpus import use_gpus
    from syn2real.report.complexity import dead_channels

    use_gpus(snakemake.resources.gpu)
    shards = [Path(shard) for shard in snakemake.input.shards]
    measured = measure_images(
        ShardImages(shards, int(w.n), pool["images"] if pool else None),
        snakemake.input.weights,
        params.model,
        activation=w.activation,
        image_size=int(w.image_size),
        floor=params.floor,
        threads=snakemake.threads,
    )
    if warning := dead_channels(measured):
        print(f"warning: {warning}")
    named = {"setting": w.setting, "reference": w.reference} | ({"pool": pool} if pool else {})
    write_json(snakemake.output[0], {**named, **measured})

leave()
