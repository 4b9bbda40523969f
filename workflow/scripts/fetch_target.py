"""Put one of torchvision's data sets in its folder, from archives at hand or by download."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.data.targets.load import fetch_target
    from syn2real.data.targets.schema import Target

    fetch_target(Target.model_validate(snakemake.params.target))
