"""Figures of the report; one script a figure, one caption a figure."""


rule figure_curves:
    input:
        points=rules.points.output[0],
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
        experiment=lambda w: PLAN.summary(w.experiment),
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
    script:
        "../scripts/figure_parameters.py"


rule figure_samples:
    input:
        "results/renders/{setting}/train/shard-000000.tar",
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
    script:
        "../scripts/figure_samples.py"
