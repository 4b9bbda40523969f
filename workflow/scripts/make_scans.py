"""Write scikit-learn's scans of handwritten digits as a target."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.data.scans import make_scans

    make_scans(Path(snakemake.output[0]), **snakemake.params.scans)
