"""Draw the full law over both sizes (Figures 2 and 9 of the paper)."""

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.figures.base import save
    from syn2real.figures.full_law import draw_full_law
    from syn2real.files import read_json

    fits = read_json(snakemake.input.fits)
    save(draw_full_law(pd.read_csv(snakemake.input.points), fits), snakemake.output)
