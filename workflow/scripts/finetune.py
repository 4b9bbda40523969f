"""Fine-tune a pre-trained model, or initial weights, on a share of a target and measure its error."""

from syn2real.files import file_stamp, scratch_folder
from syn2real.jobs.attempts import Attempt
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
from syn2real.jobs.shared import hand_over

hand_over(snakemake)

w, params = snakemake.wildcards, snakemake.params
loaded = {name: [*snakemake.input.get(name, [])] for name in ("backbone", "start", "renders")}
stamps = [file_stamp(path) for paths in loaded.values() for path in paths]
key = {name: w[name] for name in ("recipe", "setting", "ptask", "model", "ftask", "target")}
key |= {"n": int(w.n), "seed": int(w.seed), "s_percent": float(w.percent)}
key |= {name: w[name].removeprefix("+") for name in ("initial", "arm") if w[name]}
key |= {"rate": float(w.rate.removeprefix("+lr"))} if w.rate else {}
given = {name: value for name, value in params.items() if value is not Ellipsis}
scratch = scratch_folder(snakemake.output.metrics, [key, given, stamps])
given |= {"renders": params.renders | {"shards": loaded["renders"]}} if loaded["renders"] else {}

with job_log(snakemake.log[0], Attempt(snakemake.resources.attempt, scratch)):
    from syn2real.training.finetune import finetune
    from syn2real.training.launch import launch

    launch(
        finetune,
        gpus=snakemake.resources.gpu,
        key=key,
        backbone=next(iter(loaded["backbone"]), None),
        percent=key["s_percent"],
        outputs=dict(snakemake.output.items()),
        scratch=scratch,
        threads=snakemake.threads,
        **{name: value for name, value in given.items() if name not in ("fingerprint", "target")},
        target={name: value for name, value in params.target.items() if name != "labels"},
    )

leave()
