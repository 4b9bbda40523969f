"""Fetch the published weights of a backbone by its library's own loader."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.backbones.base import fetch_published, save_backbone

    w = snakemake.wildcards
    state, about = fetch_published(w.model, w.initial)
    save_backbone(snakemake.output[0], state, {"model": w.model, "initial": w.initial, **about})
