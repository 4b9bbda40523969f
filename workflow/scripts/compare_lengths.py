"""Compare the errors of a pilot's lengths, and say which one to use."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_text
    from syn2real.report.pilot import compare_lengths, pilot_text

    params = snakemake.params
    tolerance, parts = params.asked["tolerance"], params.asked["parts"]
    table = compare_lengths(snakemake.input, params.lengths, tolerance)
    write_text(snakemake.output.csv, table.to_csv(index=False))
    text = pilot_text(table, snakemake.wildcards.experiment, params.recipe, tolerance, parts)
    write_text(snakemake.output.markdown, text)
