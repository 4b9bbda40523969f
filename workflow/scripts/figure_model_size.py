"""Draw the transfer gap against the model's size (Figure 4 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import read_json
    from syn2real.report.figures.base import save
    from syn2real.report.figures.model_size import draw_model_size

    fits, sizes = read_json(snakemake.input.fits), read_json(snakemake.input.sizes)
    save(draw_model_size(pd.read_csv(snakemake.input.points), fits, sizes), snakemake.output)
