"""A pilot: which lengths of a recipe, and which rates, suit its arms, by labels cut from *train*."""


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


rule compare_rates:
    input:
        lambda w: [run.metrics for run in rate_runs(PLAN, w.experiment)],
    output:
        markdown=f"{PILOT_RATES}.md",
        csv=f"{PILOT_RATES}.csv",
    log:
        "results/logs/compare-rates/{experiment}.log",
    params:
        fingerprint=code("compare_rates"),
    wildcard_constraints:
        experiment=one_of(PLAN.run),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/compare_rates.py"


rule compare_pretrain_lengths:
    input:
        lambda w: [run.metrics for run in pretrain_length_runs(PLAN, w.experiment)],
    output:
        markdown=f"{PILOT_PRETRAIN}.md",
        csv=f"{PILOT_PRETRAIN}.csv",
    log:
        "results/logs/compare-pretrain-lengths/{experiment}.log",
    params:
        fingerprint=code("compare_pretrain_lengths"),
        recipe=lambda w: PLAN.run[w.experiment].recipe,
        lengths=lambda w: pretrain_lengths(PLAN.run[w.experiment]),
    wildcard_constraints:
        experiment=one_of(PLAN.run),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/compare_pretrain_lengths.py"
