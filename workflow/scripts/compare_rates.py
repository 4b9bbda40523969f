"""Compare the errors of the learning rates that a pilot tried, and say which one each arm is to have."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_text
    from syn2real.report.rates import compare_rates, rates_text

    table = compare_rates(snakemake.input)
    write_text(snakemake.output.csv, table.to_csv(index=False))
    write_text(snakemake.output.markdown, rates_text(table, snakemake.wildcards.experiment))
