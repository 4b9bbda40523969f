"""Pre-training on n images of a setting (paper, §4.1 and Appendix A)."""


rule pretrain:
    input:
        train=lambda w: PLAN.shards(w.setting, "train", int(w.n)),
        val=lambda w: PLAN.shards(w.setting, "val", val_images(w)),
        start=start_file_of,
    output:
        backbone=f"{PRETRAIN}/backbone.safetensors",
        metrics=f"{PRETRAIN}/metrics.json",
        curve=f"{PRETRAIN}/curve.csv",
    log:
        f"results/logs/{PRETRAIN.removeprefix('results/')}.log",
    params:
        fingerprint=lambda w: code("pretrain", **learnt(w.ptask, w.model)),
        recipe=lambda w: resolved("pretrain", w.ptask, w.model, w.recipe),
        val_images=val_images,
        pool=pool_of,
        start=start_of,
    threads: lambda w: PLAN.recipes[w.recipe].threads
    resources:
        mem_mb=lambda w, attempt, threads: training_memory("pretrain", w.ptask, w, attempt, threads),
        attempt=this_attempt,
        # A machine without a GPU runs it on its CPU; a profile's set-resources gives a job several.
        gpu=1,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/pretrain.py"
