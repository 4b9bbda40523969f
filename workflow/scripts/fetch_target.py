"""Put one of torchvision's data sets in its folder, from archives at hand or by download."""

from syn2real.joblog import job_log

with job_log(snakemake.log[0]):
    from syn2real.config.target import Target
    from syn2real.data.targets import fetch_target

    fetch_target(Target.model_validate(snakemake.params.target))
