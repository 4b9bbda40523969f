"""Join the claims of all experiments to the table that the report opens with."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.report.claim_table import write_claims

    output = snakemake.output
    write_claims(snakemake.input, markdown=output.markdown, html=output.html, csv=output.csv)
