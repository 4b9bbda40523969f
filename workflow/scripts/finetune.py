"""Fine-tune a pre-trained backbone, or initial weights, on a share of a target and measure its error."""

from syn2real.files import file_stamp, scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

w, params = snakemake.wildcards, snakemake.params
backbone = snakemake.input.get("backbone") or None  # without pre-training an empty list
start = None if params.start is Ellipsis else params.start
stamps = [file_stamp(path) for path in [backbone, *snakemake.input.get("start", [])] if path]
key = {name: w[name] for name in ("recipe", "setting", "ptask", "model", "ftask", "target")}
key |= {"n": int(w.n), "seed": int(w.seed), "s_percent": float(w.percent)}
key |= {"initial": w.initial.removeprefix("+")} if w.initial else {}
given = [key, params.fingerprint, params.recipe, params.target, stamps, start]
scratch = scratch_folder(snakemake.output.metrics, given)

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.training.finetune import finetune
    from syn2real.training.launch import launch

    launch(
        finetune,
        gpus=snakemake.resources.gpu,
        key=key,
        recipe=params.recipe,
        target={key: value for key, value in params.target.items() if key != "labels"},
        backbone=backbone,
        start=start,
        percent=key["s_percent"],
        outputs=dict(snakemake.output.items()),
        scratch=scratch,
        threads=snakemake.threads,
    )

leave()
