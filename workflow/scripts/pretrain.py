"""Pre-train a backbone on n images of a setting."""

from pathlib import Path

from syn2real.files import file_stamp, scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

w, params = snakemake.wildcards, snakemake.params
outputs = {name: Path(path) for name, path in snakemake.output.items()}
stamps = [file_stamp(path) for path in snakemake.input]
key = {name: w[name] for name in ("recipe", "setting", "ptask", "model")}
key |= {name: int(w[name]) for name in ("n", "seed")}
key |= {"initial": w.initial.removeprefix("+")} if w.initial else {}
pool, start = (None if given is Ellipsis else given for given in (params.pool, params.start))
scratch = scratch_folder(outputs["metrics"], [key, params.fingerprint, params.recipe, stamps, pool, start])

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.training.launch import launch
    from syn2real.training.pretrain import pretrain

    launch(
        pretrain,
        gpus=snakemake.resources.gpu,
        key=key,
        recipe=params.recipe,
        shards=[Path(path) for path in snakemake.input.train],
        val_shards=[Path(path) for path in snakemake.input.val],
        n=int(w.n),
        n_val=params.val_images,
        pool=pool,
        start=start,
        outputs=outputs,
        scratch=scratch,
        threads=snakemake.threads,
    )

leave()
