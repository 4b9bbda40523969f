"""Draw the full law over both sizes (Figures 2 and 9 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import read_json
    from syn2real.report.figures.base import save
    from syn2real.report.figures.full_law import draw_full_law

    fits = read_json(snakemake.input.fits)
    save(draw_full_law(pd.read_csv(snakemake.input.points), fits), snakemake.output)
