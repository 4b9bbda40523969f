"""Draw the estimated pre-training rate and transfer gap of every curve (Figure 8 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import read_json
    from syn2real.report.figures.base import save
    from syn2real.report.figures.parameters import draw_parameters

    save(draw_parameters(read_json(snakemake.input[0])), snakemake.output)
