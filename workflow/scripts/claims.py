"""Judge the paper's claims that an experiment names by its results."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.report.claim_table import judge_claims, read_needs, write_judged

    params = snakemake.params
    found = judge_claims(params.claims, {**read_needs(params.files), **params.given})
    files = {"json": snakemake.output.json, "csv": snakemake.output.csv}
    write_judged(snakemake.wildcards.experiment, found, given=params.measured, **files)
