"""A pilot: how short a recipe may be, by labels cut from a target's training set; `snakemake pilot`."""


rule pilot:
    input:
        final_pilots,


rule compare_lengths:
    input:
        lambda w: [run.metrics for run in pilot_runs(PLAN, w.experiment)],
    output:
        markdown=f"{PILOT}.md",
        csv=f"{PILOT}.csv",
    log:
        "results/logs/compare-lengths/{experiment}.log",
    params:
        fingerprint=code("compare_lengths"),
        recipe=lambda w: PLAN.run[w.experiment].recipe,
        lengths=lambda w: pilot_lengths(PLAN.run[w.experiment]),
        asked=lambda w: to_params(PLAN.run[w.experiment].pilot),
    wildcard_constraints:
        experiment=one_of(PLAN.run),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/compare_lengths.py"
