"""Figures of the report, one rule a figure, found by name, with the caption of its name; the paper's claims."""

for figure in names("report.figures"):

    rule:
        name:
            f"figure_{figure.replace('-', '_')}"
        input:
            lambda w, figure=figure: figure_files(w, figure),
        output:
            svg=report(
                f"{figure_path(figure)}.svg",
                caption=f"../report/{figure}.rst",
                category="Fitted law",
                labels={
                    "experiment": "{experiment}",
                    "what": constant("report.figures", figure, "TITLE"),
                },
            ),
            png=f"{figure_path(figure)}.png",
        log:
            f"results/logs/figure-{figure}/{{experiment}}.log",
        params:
            fingerprint=code("figure", figures=figure),
            figure=figure,
            files=lambda w, figure=figure: PLAN.experiments[w.experiment].figure_inputs(figure),
            given=lambda w, figure=figure: given_values(w, needs(figure)),
            methods=lambda w: PLAN.experiments[w.experiment].methods,
        group:
            "answer"
        conda:
            "../../envs/workflow.yaml"
        script:
            "../scripts/figure.py"


rule figure_samples:
    input:
        sampled_shards,
    output:
        report(
            SAMPLES,
            caption="../report/samples.rst",
            category="Images",
            labels={"setting": "{setting}"},
        ),
    log:
        "results/logs/figure-samples/{setting}.log",
    params:
        fingerprint=lambda w: code("figure_samples", channels=channels_of(w)),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/figure_samples.py"


rule paper_sheet:
    input:
        sum((cell["files"] for cell in sheet_cells(PLAN)), []),
    output:
        report(
            PAPER_SHEET,
            caption="../report/paper-sheet.rst",
            category="Answer",
            labels={"experiment": "all", "what": "the paper's figures on one sheet"},
        ),
    log:
        "results/logs/paper-sheet.log",
    params:
        fingerprint=code("paper_sheet"),
        cells=sheet_cells(PLAN),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/paper_sheet.py"


rule claims:
    input:
        lambda w: sum(PLAN.experiments[w.experiment].claim_inputs.values(), []),
    output:
        json=f"{JUDGED}.json",
        csv=f"{JUDGED}.csv",
    log:
        "results/logs/claims/{experiment}.log",
    params:
        fingerprint=lambda w: code("claims", claims=list(claims_of(w))),
        claims=lambda w: list(claims_of(w)),
        files=lambda w: PLAN.experiments[w.experiment].claim_inputs,
        given=lambda w: given_values(w, claim_needs(claims_of(w))),
        measured=lambda w: w.experiment in PLAN.measured,
    group:
        "answer"
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/claims.py"


rule claims_table:
    input:
        judged_files(),
    output:
        markdown=f"{CLAIMS}.md",
        csv=f"{CLAIMS}.csv",
        html=report(
            f"{CLAIMS}.html",
            caption="../report/claims.rst",
            category="Answer",
            labels={"experiment": "all", "what": "the paper's claims"},
        ),
    log:
        "results/logs/claims-table.log",
    params:
        fingerprint=code("claims_table"),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/claims_table.py"
