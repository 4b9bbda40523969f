"""Say in words what an experiment's fits support."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.report.page import write_advice

    write_advice(
        pd.read_csv(snakemake.input.points),
        snakemake.input.fits,
        snakemake.params.experiment,
        markdown=snakemake.output.markdown,
        html=snakemake.output.html,
    )
