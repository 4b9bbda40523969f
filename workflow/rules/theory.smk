"""The theory of §3.2 and Appendix E, worked out and tried: `snakemake theory`."""

from syn2real.config.theory import read_theories

THEORY = "results/theory/{theory}"

try:
    THEORIES = read_theories("config/theory")
except InputError as error:
    refuse([error])


rule theory:
    input:
        expand(f"{THEORY}/{{file}}", theory=THEORIES, file=["exponents.csv", "claims.md"]),


rule run_theory:
    output:
        points=f"{THEORY}/points.csv",
        exponents=f"{THEORY}/exponents.csv",
        fits=f"{THEORY}/fits.json",
    log:
        "results/logs/run-theory/{theory}.log",
    params:
        fingerprint=code("run_theory"),
        theory=lambda w: THEORIES[w.theory].params(),
    wildcard_constraints:
        theory=one_of(THEORIES),
    threads: 1
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/run_theory.py"


rule draw_theory:
    input:
        points=rules.run_theory.output.points,
        exponents=rules.run_theory.output.exponents,
        fits=rules.run_theory.output.fits,
    output:
        **{
            name: report(
                f"{THEORY}/{name}.svg",
                caption="../report/theory.rst",
                category="Theory",
                labels={"experiment": "{theory}", "what": what},
            )
            for name, what in (
                ("laws", "laws against the recursion"),
                ("network", "network against the recursion"),
                ("exponents", "local exponents of the bound"),
            )
        },
        claims=f"{THEORY}/claims.md",
    log:
        "results/logs/draw-theory/{theory}.log",
    params:
        fingerprint=code("draw_theory"),
    wildcard_constraints:
        theory=one_of(THEORIES),
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/draw_theory.py"
