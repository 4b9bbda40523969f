"""Draw what a theory experiment found, and write its claims with their numbers."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    import pandas as pd

    from syn2real.files import read_json, write_text
    from syn2real.report.theory.claims import claims_text
    from syn2real.report.theory.figures import save_figures

    files = snakemake.input
    fits = read_json(files.fits)
    figures = {name: path for name, path in snakemake.output.items() if name != "claims"}
    save_figures(pd.read_csv(files.points), fits, figures)
    text = claims_text(snakemake.wildcards.theory, pd.read_csv(files.exponents), fits)
    write_text(snakemake.output.claims, text)
