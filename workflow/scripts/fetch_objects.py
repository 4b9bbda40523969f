"""Fetch one object collection from its provider."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.assets.archives import read_datasets
    from syn2real.assets.fetch import fetch_objects
    from syn2real.config.workflow import WorkflowConfig

    config = WorkflowConfig.model_validate(snakemake.config)
    collection = snakemake.wildcards.collection
    archives = read_datasets(config.datasets)[collection]
    fetch_objects(collection, archives, Path(snakemake.output[0]), Path(config.downloads))
