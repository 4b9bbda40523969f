"""Fetch the materials of a collection from their provider: all that tile a room, or the one that is named."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.assets.archives import read_datasets
    from syn2real.assets.fetch import fetch_material, fetch_textures
    from syn2real.config.workflow import WorkflowConfig

    config = WorkflowConfig.model_validate(snakemake.config)
    collection, material = snakemake.wildcards.collection, snakemake.wildcards.get("material")
    [listing] = read_datasets(config.datasets)[collection]
    folder, downloads = Path(snakemake.output[0]), Path(config.downloads)
    if material:
        fetch_material(collection, listing, material, folder, downloads)
    else:
        fetch_textures(collection, listing, folder, downloads)
