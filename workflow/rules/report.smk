"""Figures of the report; one script a figure, one caption a figure."""


rule figure_curves:
    input:
        points=POINTS,
        fits=rules.fit.output.json,
    output:
        svg=report(
            "results/figures/{experiment}/curves.svg",
            caption="../report/curves.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "error against pre-training size"},
        ),
        png="results/figures/{experiment}/curves.png",
    log:
        "results/logs/figure-curves/{experiment}.log",
    params:
        fingerprint=code("figure_curves"),
        stand_ins=lambda w: PLAN.summary(w.experiment)["stand_ins"],
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_curves.py"


rule figure_parameters:
    input:
        rules.fit.output.json,
    output:
        svg=report(
            "results/figures/{experiment}/parameters.svg",
            caption="../report/parameters.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "pre-training rate and transfer gap"},
        ),
        png="results/figures/{experiment}/parameters.png",
    log:
        "results/logs/figure-parameters/{experiment}.log",
    params:
        fingerprint=code("figure_parameters"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_parameters.py"


rule figure_linearised:
    input:
        points=POINTS,
        fits=rules.fit.output.json,
    output:
        svg=report(
            "results/figures/{experiment}/linearised.svg",
            caption="../report/linearised.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "error above the transfer gap"},
        ),
        png="results/figures/{experiment}/linearised.png",
    log:
        "results/logs/figure-linearised/{experiment}.log",
    params:
        fingerprint=code("figure_linearised"),
        stand_ins=lambda w: PLAN.summary(w.experiment)["stand_ins"],
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_linearised.py"


rule figure_full_law:
    input:
        points=POINTS,
        fits="results/laws/{experiment}/full.json",
    output:
        svg=report(
            "results/figures/{experiment}/full-law.svg",
            caption="../report/full-law.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "the full law in both sizes"},
        ),
        png="results/figures/{experiment}/full-law.png",
    log:
        "results/logs/figure-full-law/{experiment}.log",
    params:
        fingerprint=code("figure_full_law"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_full_law.py"


rule figure_model_size:
    input:
        points=POINTS,
        fits=rules.fit.output.json,
        sizes="results/laws/{experiment}/size.json",
    output:
        svg=report(
            "results/figures/{experiment}/model-size.svg",
            caption="../report/model-size.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "transfer gap against model size"},
        ),
        png="results/figures/{experiment}/model-size.png",
    log:
        "results/logs/figure-model-size/{experiment}.log",
    params:
        fingerprint=code("figure_model_size"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_model_size.py"


rule figure_extrapolation:
    input:
        points=POINTS,
        told=rules.extrapolate.output[0],
    output:
        svg=report(
            "results/figures/{experiment}/extrapolation.svg",
            caption="../report/extrapolation.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "forecast of larger sizes"},
        ),
        png="results/figures/{experiment}/extrapolation.png",
    log:
        "results/logs/figure-extrapolation/{experiment}.log",
    params:
        fingerprint=code("figure_extrapolation"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_extrapolation.py"


rule figure_landscapes:
    input:
        POINTS,
    output:
        svg=report(
            "results/figures/{experiment}/landscapes.svg",
            caption="../report/landscapes.rst",
            category="Fitted law",
            labels={"experiment": "{experiment}", "what": "loss landscapes"},
        ),
        png="results/figures/{experiment}/landscapes.png",
    log:
        "results/logs/figure-landscapes/{experiment}.log",
    params:
        fingerprint=code("figure_landscapes"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_landscapes.py"


rule figure_samples:
    input:
        sampled_shards,
    output:
        report(
            "results/figures/samples/{setting}.png",
            caption="../report/samples.rst",
            category="Images",
            labels={"setting": "{setting}"},
        ),
    log:
        "results/logs/figure-samples/{setting}.log",
    params:
        fingerprint=code("figure_samples"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_samples.py"
