"""Draw the errors above the transfer gap (Figures 10 to 12 of the paper)."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import read_json
    from syn2real.report.figures.base import save
    from syn2real.report.figures.linearised import draw_linearised

    fits = read_json(snakemake.input.fits)
    points = pd.read_csv(snakemake.input.points)
    save(draw_linearised(points, fits, stand_ins=snakemake.params.stand_ins), snakemake.output)
