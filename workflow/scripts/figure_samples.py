"""Draw sample images of a setting with their labels (Figure 7 of the paper)."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.report.contact_sheet import contact_sheet

    first, *others = map(Path, snakemake.input)
    contact_sheet(first, Path(snakemake.output[0]), others=others)
