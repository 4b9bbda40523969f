"""Measure how far an experiment's settings are from the photographs of its targets."""

from pathlib import Path

from syn2real.files import file_stamp, scratch_folder, write_json
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

params = snakemake.params
stamps = [file_stamp(path) for path in snakemake.input]
identity = [params.fingerprint, params.model, params.image_size, params.settings, params.targets, stamps]
scratch = scratch_folder(snakemake.output[0], identity)

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.complexity.against import TargetImages, measure_distances
    from syn2real.complexity.images import ShardImages
    from syn2real.data.targets.schema import Target
    from syn2real.jobs.gpus import use_gpus

    use_gpus(snakemake.resources.gpu)
    renders = {
        name: ShardImages([*map(Path, of["shards"])], of["n"], of["pool"])
        for name, of in params.settings.items()
    }
    splits = {name: of["split"] for name, of in params.targets.items()}
    photographs = {}
    for name, of in params.targets.items():
        data = {key: value for key, value in of["data"].items() if key != "labels"}
        photographs[name] = TargetImages(Target.model_validate(data), splits[name])
    weights, options = snakemake.input.weights, {"image_size": params.image_size}
    found = measure_distances(
        renders, photographs, weights, params.model, **options, threads=snakemake.threads
    )
    write_json(snakemake.output[0], {"reference": params.reference, "splits": splits, **found})

leave()
