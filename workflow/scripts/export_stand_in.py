"""Write a rendered stand-in target in the layouts of ImageNet, COCO and ADE20K."""

from pathlib import Path

from syn2real.jobs.log import job_log

with job_log(snakemake.log[0]):
    from syn2real.data.export import export_target

    export_target(
        {split: [Path(shard) for shard in snakemake.input[split]] for split in ("train", "test")},
        Path(snakemake.output[0]),
        images={"train": snakemake.params.train_images, "test": snakemake.params.test_images},
    )
