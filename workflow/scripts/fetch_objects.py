"""Fetch one object collection from its provider."""

from pathlib import Path

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    from syn2real.config.datasets import read_datasets
    from syn2real.config.workflow import WorkflowConfig
    from syn2real.data.assets import fetch_objects

    config = WorkflowConfig.model_validate(snakemake.config)
    collection = snakemake.wildcards.collection
    archives = read_datasets(config.datasets)[collection]
    fetch_objects(collection, archives, Path(snakemake.output[0]), Path(config.downloads))
