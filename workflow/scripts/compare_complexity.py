"""Order an experiment's settings by complexity: a table in words."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.complexity.ordering import compare
    from syn2real.files import read_json, write_text
    from syn2real.report.complexity import compared_text

    measured = {result["setting"]: result for result in map(read_json, snakemake.input)}
    write_text(snakemake.output[0], compared_text(measured, compare(measured, snakemake.params.levels)))
