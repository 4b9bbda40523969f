"""From measurements to laws and advice (paper, §3, §4.1 and Appendix D)."""


rule points:
    input:
        lambda w: [run.metrics for run in PLAN.finetunings(w.experiment)],
    output:
        "results/points/{experiment}.csv",
    log:
        "results/logs/points/{experiment}.log",
    params:
        fingerprint=code("points"),
    script:
        "../scripts/points.py"


rule fit:
    input:
        rules.points.output,
    output:
        json="results/laws/{experiment}/fits.json",
        csv="results/laws/{experiment}/fits.csv",
    log:
        "results/logs/fit/{experiment}.log",
    params:
        fingerprint=code("fit"),
    script:
        "../scripts/fit.py"


rule advise:
    input:
        points=rules.points.output[0],
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
    script:
        "../scripts/advise.py"
