"""From measurements to laws and advice (paper, §3, §4.1 and Appendix D)."""


rule points:
    input:
        lambda w: [run.metrics for run in PLAN.finetunings(w.experiment)],
    output:
        POINTS,
    log:
        "results/logs/points/{experiment}.log",
    params:
        fingerprint=code("points"),
    wildcard_constraints:
        experiment=one_of(PLAN.experiments),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/points.py"


rule measured_points:
    input:
        measurements_of,
    output:
        POINTS,
    log:
        "results/logs/measured-points/{experiment}.log",
    params:
        fingerprint=code("measured_points"),
        select=lambda w: plain(PLAN.measured[w.experiment].measurements)["select"],
        ignore=lambda w: plain(PLAN.measured[w.experiment].measurements)["ignore"],
    wildcard_constraints:
        experiment=one_of(PLAN.measured),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/measured_points.py"


rule fit:
    input:
        POINTS,
    output:
        json="results/laws/{experiment}/fits.json",
        csv="results/laws/{experiment}/fits.csv",
    log:
        "results/logs/fit/{experiment}.log",
    params:
        fingerprint=code("fit"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/fit.py"


rule fit_law:
    input:
        POINTS,
    output:
        "results/laws/{experiment}/{law}.json",
    log:
        "results/logs/fit-law/{experiment}/{law}.log",
    params:
        fingerprint=code("fit_law"),
        law=lambda w: w.law,
    wildcard_constraints:
        law="full|size",
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/fit_law.py"


rule extrapolate:
    input:
        POINTS,
    output:
        "results/laws/{experiment}/extrapolation.json",
    log:
        "results/logs/extrapolate/{experiment}.log",
    params:
        fingerprint=code("extrapolate"),
        largest=lambda w: PLAN.questions()[w.experiment].extrapolate_from,
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/extrapolate.py"


rule advise:
    input:
        points=POINTS,
        fits=rules.fit.output.json,
    output:
        markdown="results/laws/{experiment}/advice.md",
        html=report(
            "results/laws/{experiment}/advice.html",
            caption="../report/advice.rst",
            category="Answer",
            labels={"experiment": "{experiment}", "what": "advice in words"},
        ),
    log:
        "results/logs/advise/{experiment}.log",
    params:
        fingerprint=code("advise"),
        experiment=lambda w: PLAN.summary(w.experiment),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/advise.py"
