"""Pre-train a backbone on n images of a setting."""

from pathlib import Path

from syn2real.files import file_stamp, scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

w, params = snakemake.wildcards, snakemake.params
stamps = [file_stamp(path) for path in snakemake.input]
key = {name: w[name] for name in ("recipe", "setting", "ptask", "model")}
key |= {"n": int(w.n), "seed": int(w.seed)} | ({"initial": w.initial.removeprefix("+")} if w.initial else {})
given = {name: value for name, value in params.items() if value is not Ellipsis}
scratch = scratch_folder(snakemake.output.metrics, [key, given, stamps])
head = Path(snakemake.output.backbone).with_name("head.safetensors")

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.training.launch import launch
    from syn2real.training.pretrain import pretrain

    launch(
        pretrain,
        gpus=snakemake.resources.gpu,
        key=key,
        recipe=params.recipe,
        shards=snakemake.input.train,
        val_shards=snakemake.input.val,
        n=int(w.n),
        n_val=params.val_images,
        **{name: given[name] for name in ("pool", "start") if name in given},
        outputs={**dict(snakemake.output.items()), "head": head},
        scratch=scratch,
        threads=snakemake.threads,
    )

leave()
