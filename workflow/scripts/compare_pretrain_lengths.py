"""Compare the errors of the lengths of pre-training that a pilot tried, and say which one to use."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_text
    from syn2real.report.pretrain_lengths import compare_pretrain_lengths, pretrain_lengths_text

    params = snakemake.params
    table = compare_pretrain_lengths(snakemake.input, params.lengths)
    write_text(snakemake.output.csv, table.to_csv(index=False))
    text = pretrain_lengths_text(table, snakemake.wildcards.experiment, params.recipe)
    write_text(snakemake.output.markdown, text)
