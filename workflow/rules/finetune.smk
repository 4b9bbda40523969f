"""Fine-tuning on a share of a target, after a pre-training or without one (paper, §4.1), and other arms."""


rule finetune:
    input:
        backbone=backbone_of,
        renders=renders_of,
        target=target_of,
        start=start_file_of,
    output:
        metrics=f"{FINETUNE}/metrics.json",
    log:
        f"results/logs/{FINETUNE.removeprefix('results/')}.log",
    params:
        fingerprint=lambda w: code("finetune", **learnt(w.ftask, w.model)),
        recipe=finetuned,
        target=lambda w: labelled(w.target),
        start=start_of,
        head=head_of,
        added_iterations=added_iterations,
        classes=classes_of,
        renders=mixed_renders,
    threads: lambda w: PLAN.recipes[w.recipe].threads
    resources:
        mem_mb=lambda w, attempt, threads: training_memory("finetune", w.ftask, w, attempt, threads),
        attempt=this_attempt,
        # A machine without a GPU runs it on its CPU; a profile's set-resources gives a job several.
        gpu=1,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/finetune.py"
