"""Draw the contact sheet of the paper's figures."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.report.paper_sheet import draw_sheet

    draw_sheet(snakemake.params.cells, snakemake.output[0])
