"""Set the errors of pre-trainings on renders beside those of their fine-tunings on photographs."""

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.training.both_errors import both_errors, write_both

    found = both_errors(snakemake.input.pretrainings, snakemake.input.finetunings)
    write_both(found, snakemake.output[0])
