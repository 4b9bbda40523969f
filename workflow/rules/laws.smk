"""From measurements to laws and advice (paper, §3, §4.1 and Appendix D)."""

from syn2real.laws.forms.schema import GENERAL, law_names, method_of
from syn2real.plan.plan import PAPER_LAWS

EXTRAPOLATED = ["simple", "power"]
"""The laws whose forecasts are compared by least squares: with a transfer gap, and without (§4.4)."""


rule points:
    input:
        lambda w: [run.metrics for run in PLAN.experiments[w.experiment].finetunings],
    output:
        POINTS,
    log:
        "results/logs/points/{experiment}.log",
    params:
        fingerprint=code("points"),
    wildcard_constraints:
        experiment=one_of(PLAN.run),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/points.py"


rule both_errors:
    input:
        pretrainings=lambda w: [run.metrics for run in PLAN.experiments[w.experiment].pretrainings],
        finetunings=lambda w: [
            run.metrics for run in PLAN.experiments[w.experiment].finetunings if run.is_pretrained
        ],
    output:
        report(
            BOTH_ERRORS,
            caption="../report/both-errors.rst",
            category="Answer",
            labels={"experiment": "{experiment}", "what": "errors on renders and on photographs"},
        ),
    log:
        "results/logs/both-errors/{experiment}.log",
    params:
        fingerprint=code("both_errors"),
    wildcard_constraints:
        experiment=one_of(PLAN.run),
    group:
        "answer"
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/both_errors.py"


rule measured_points:
    input:
        measurements_of,
    output:
        POINTS,
    log:
        "results/logs/measured-points/{experiment}.log",
    params:
        fingerprint=code("measured_points"),
        select=lambda w: to_params(PLAN.measured[w.experiment].measurements)["select"],
        ignore=lambda w: to_params(PLAN.measured[w.experiment].measurements)["ignore"],
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
        json=FITS,
        csv=FITS_TABLE,
    log:
        "results/logs/fit/{experiment}.log",
    params:
        fingerprint=code("fit", forms="simple", methods=method_of("simple")),
        law="simple",
        method="default",
        fix_d=None,
        predict=True,
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/fit.py"


rule fit_law:
    input:
        POINTS,
    output:
        LAW,
    log:
        "results/logs/fit-law/{experiment}/{law}.log",
    params:
        fingerprint=lambda w: code("fit", forms=w.law, methods=method_of(w.law)),
        law=lambda w: w.law,
        method="default",
        fix_d=None,
        predict=False,
    wildcard_constraints:
        law=one_of(law_names()),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/fit.py"


rule fit_paper:
    input:
        POINTS,
    output:
        json=PAPER_LAW,
        csv=PAPER_TABLE,
    log:
        "results/logs/fit-paper/{experiment}/{law}.log",
    params:
        fingerprint=lambda w: code("fit", forms=w.law, methods="paper"),
        law=lambda w: w.law,
        method="paper",
        fix_d=lambda w: PLAN.experiments[w.experiment].fix_d(w.law),
        predict=lambda w: w.law == "simple",
    wildcard_constraints:
        law=one_of(PAPER_LAWS),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/fit.py"


rule extrapolate:
    input:
        POINTS,
    output:
        json=EXTRAPOLATION,
        csv=EXTRAPOLATION_TABLE,
    log:
        "results/logs/extrapolate/{experiment}.log",
    params:
        fingerprint=lambda w: code(
            "extrapolate",
            forms=EXTRAPOLATED,
            methods=[GENERAL, method_of(EXTRAPOLATED[0]), *(["paper"] if paper_method(w) else [])],
        ),
        laws=EXTRAPOLATED,
        start=lambda w: PLAN.experiments[w.experiment].asked.extrapolate_from,
        paper=paper_method,
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/extrapolate.py"


rule advise:
    input:
        points=POINTS,
        fits=rules.fit.output.json,
    output:
        markdown=f"{ADVICE}.md",
        data=f"{ADVICE}.json",
        html=report(
            f"{ADVICE}.html",
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
