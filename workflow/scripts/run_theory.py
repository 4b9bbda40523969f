"""Work out and try what a file of config/theory asks for."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.files import write_json, write_text
    from syn2real.theory.experiment import run

    results = run(snakemake.params.theory)
    write_text(snakemake.output.points, results.points.to_csv(index=False))
    write_text(snakemake.output.exponents, results.exponents.to_csv(index=False))
    write_json(snakemake.output.fits, results.fits)
    print(*(f"{part}: {time:.1f} CPU seconds" for part, time in results.seconds.items()), sep="\n")
