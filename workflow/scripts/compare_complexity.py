"""Order an experiment's settings by complexity: a table in words, and a figure with the laws' parameters."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.complexity.ordering import compare
    from syn2real.files import read_json, write_text
    from syn2real.report.complexity import compared_text
    from syn2real.report.figures.base import save
    from syn2real.report.figures.complexity import draw_complexity

    measured = {told["setting"]: told for told in map(read_json, snakemake.input.measured)}
    fits = read_json(snakemake.input.fits) if snakemake.input.get("fits") else None
    comparison = compare(measured, snakemake.params.levels)
    write_text(snakemake.output.table, compared_text(measured, comparison))
    figures = {kind: snakemake.output[kind] for kind in ("svg", "png")}
    save(draw_complexity(measured, comparison["order"], fits), figures)
