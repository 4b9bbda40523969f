"""Fetch a published table of measurements and hold it to its checksum."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.assets.download import download, new_session

    path, sha256 = Path(snakemake.output[0]), snakemake.wildcards.sha256
    with new_session() as session:
        source = "the experiment"
        download(session, snakemake.params.url, path, name="measurements", sha256=sha256, source=source)
