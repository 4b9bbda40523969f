"""Say in words what an experiment's fits support."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.laws.reading import read_own_csv
    from syn2real.report.page import write_advice

    write_advice(
        read_own_csv(snakemake.input.points),
        snakemake.input.fits,
        snakemake.params.experiment,
        markdown=snakemake.output.markdown,
        html=snakemake.output.html,
        data=snakemake.output.data,
    )
