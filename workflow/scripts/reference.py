"""Train a reference backbone on a target, from scratch."""

from pathlib import Path

from syn2real.files import scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

params = snakemake.params
identity = [params.fingerprint, params.key, params.recipe, params.target, params.percent]
outputs = {name: Path(path) for name, path in snakemake.output.items()}
scratch = scratch_folder(outputs["metrics"], identity)

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.training.finetune import train_reference
    from syn2real.training.launch import launch

    launch(
        train_reference,
        gpus=snakemake.resources.gpu,
        key=params.key,
        recipe=params.recipe,
        target={key: value for key, value in params.target.items() if key != "labels"},
        percent=params.percent,
        outputs=outputs,
        scratch=scratch,
        threads=snakemake.threads,
    )

leave()
