"""Train a reference backbone on a target, from scratch."""

from pathlib import Path

from syn2real.files import scratch_folder
from syn2real.joblog import job_log

params = snakemake.params
identity = [params.fingerprint, params.key, params.recipe, params.target, params.percent]
outputs = {name: Path(path) for name, path in snakemake.output.items()}

with job_log(snakemake.log[0]):
    from syn2real.training.launch import launch
    from syn2real.training.reference import train_reference

    launch(
        train_reference,
        gpus=snakemake.resources.gpu,
        nodes=snakemake.resources.get("nodes", 1),
        key=params.key,
        recipe=params.recipe,
        target=params.target,
        percent=params.percent,
        outputs=outputs,
        scratch=scratch_folder(outputs["metrics"], identity),
        threads=snakemake.threads,
    )
