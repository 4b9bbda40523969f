"""syn2real: render, pre-train, fine-tune, measure, fit the law, advise."""

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/configuration.smk"


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


# Built from envs/syn2real.def, used with `--sdm apptainer`.
container: "envs/syn2real.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/arms.smk"
include: "workflow/rules/retrieve.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/laws.smk"
include: "workflow/rules/pilot.smk"
include: "workflow/rules/complexity.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/theory.smk"


rule all:
    input:
        final_output(),
    default_target: True
