"""Fine-tuning on a share of a target, after a pre-training or without one (paper, §4.1), and other arms."""


def backbone_of(wildcards):
    starts = int(wildcards.n) and not arm_of(wildcards.arm).longer
    return [f"{PRETRAIN}/backbone.safetensors"] if starts else []


def head_of(wildcards):
    """The pre-trained model's other weights, as params of an arm that loads them; its backbone is the input.

    An output that a rule did not have before would hide from Snakemake what changed of runs made until then.
    """
    return f"{PRETRAIN}/head.safetensors".format(**wildcards) if arm_of(wildcards.arm).whole else ...


def renders_of(wildcards):
    """The shards that are mixed with the photographs."""
    mixed = arm_of(wildcards.arm).share
    return PLAN.shards(wildcards.setting, "train", int(wildcards.n)) if mixed else []


def mixed_renders(wildcards):
    """How many renders are mixed with the photographs, and their pool, as params; Ellipsis where none are.

    So are all params of arms: runs without them keep the params that they were made with.
    """
    n = int(wildcards.n)
    return {"n": n, "pool": PLAN.pool(wildcards.setting, n)} if arm_of(wildcards.arm).share else ...


def added_iterations(wildcards):
    """The steps of a pre-training that an arm trains besides its own, as params."""
    named = (wildcards.recipe, wildcards.ptask, wildcards.model)
    return PLAN.updates(*named) if arm_of(wildcards.arm).longer else ...


def classes_of(wildcards):
    """The classes of the photographs by the renders' names, as params of an arm that needs them."""
    if not arm_of(wildcards.arm).needs_labels_on_renders:
        return ...
    target, *_ = fold_of(wildcards.target)
    return dict(sorted(PLAN.classes[wildcards.ftask, target].items()))


def finetuned(wildcards):
    """What a recipe says of a fine-tuning, its learning rate times the run's."""
    section = resolved("finetune", wildcards.ftask, wildcards.model, wildcards.recipe)
    return {**section, "lr": section["lr"] * rate_of(wildcards.rate)}


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
