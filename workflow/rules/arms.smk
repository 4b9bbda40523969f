"""What each arm of a fine-tuning reads, and its params; those of the default arm are as before arms."""


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
