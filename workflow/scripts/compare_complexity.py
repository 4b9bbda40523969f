"""Order an experiment's settings by complexity: a table in words."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.complexity.ordering import compare
    from syn2real.files import read_json, write_text
    from syn2real.report.complexity import compared_text
    from syn2real.report.distances import distances_text

    params = snakemake.params
    measured = {result["setting"]: result for result in map(read_json, snakemake.input.complexities)}
    parts = [compared_text(measured, compare(measured, params.levels))]
    parts += [
        distances_text(read_json(file), measured, params.stand_ins) for file in snakemake.input.distances
    ]
    write_text(snakemake.output[0], "\n".join(parts))
