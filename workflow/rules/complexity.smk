"""Complexity of settings by a reference backbone's features (paper, §4.5 and Figure 6), and their distance from photographs."""


rule reference:
    input:
        lambda w: target_files(PLAN.references[w.reference].target),
    output:
        backbone=f"{REFERENCE}/backbone.safetensors",
        metrics=f"{REFERENCE}/metrics.json",
    log:
        "results/logs/reference/{reference}.log",
    params:
        fingerprint=lambda w: code(
            "reference", **learnt(PLAN.references[w.reference].ftask, PLAN.references[w.reference].model)
        ),
        key=lambda w: reference_key(w.reference),
        recipe=lambda w: dict(sorted(PLAN.reference_recipe(w.reference).items())),
        target=lambda w: labelled(PLAN.references[w.reference].target),
        percent=lambda w: PLAN.references[w.reference].percent,
    wildcard_constraints:
        reference=one_of(PLAN.trained_references()),
    threads: lambda w: PLAN.recipes[PLAN.references[w.reference].recipe].threads
    resources:
        mem_mb=lambda w, attempt, threads: training_memory(
            "finetune", PLAN.references[w.reference].ftask, PLAN.references[w.reference], attempt, threads
        ),
        attempt=this_attempt,
        gpu=1,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/reference.py"


rule complexity:
    input:
        shards=lambda w: PLAN.shards(w.setting, "train", int(w.n)),
        weights=lambda w: PLAN.reference_weights(w.reference),
    output:
        COMPLEXITY,
    log:
        "results/logs/complexity/{reference}/{activation}-{image_size}px/n{n}/{setting}.log",
    params:
        fingerprint=lambda w: code("complexity", backbones=family_of(PLAN.references[w.reference].model)),
        model=lambda w: PLAN.references[w.reference].model,
        floor=lambda w: PLAN.references[w.reference].floor,
        pool=pool_of,
    threads: 1
    resources:
        # The network, and 20 covariances of 2,048 dimensions.
        mem_mb=lambda w, attempt: memory(4000, attempt),
        attempt=this_attempt,
        gpu=1,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/complexity.py"


rule distances:
    input:
        shards=lambda w: sorted({shard for of in distant_settings(w).values() for shard in of["shards"]}),
        weights=lambda w: PLAN.reference_weights(reference_of(w)[0]),
        targets=lambda w: [file for target in distant_targets(w) if (file := target_files(target))],
    output:
        DISTANCES,
    log:
        "results/logs/distances/{experiment}.log",
    params:
        fingerprint=lambda w: code("distances", backbones=family_of(reference_of(w)[1].model)),
        reference=lambda w: reference_of(w)[0],
        model=lambda w: reference_of(w)[1].model,
        image_size=lambda w: PLAN.experiments[w.experiment].asked.complexity.image_size,
        settings=distant_settings,
        targets=distant_targets,
    threads: 1
    resources:
        mem_mb=lambda w, attempt: memory(4000, attempt),
        attempt=this_attempt,
        gpu=1,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/distances.py"


rule compare_complexity:
    input:
        complexities=lambda w: PLAN.experiments[w.experiment].complexities,
        distances=lambda w: PLAN.experiments[w.experiment].distances,
    output:
        COMPARISON,
    log:
        "results/logs/compare-complexity/{experiment}.log",
    params:
        fingerprint=code("compare_complexity"),
        levels=lambda w: dict(sorted(PLAN.levels(w.experiment).items())),
        stand_ins=lambda w: [t for t in distant_targets(w) if PLAN.targets[t].stand_in],
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/compare_complexity.py"


rule gaps_by_distance:
    input:
        points=POINTS,
        distances=DISTANCES,
    output:
        GAPS,
    log:
        "results/logs/gaps-by-distance/{experiment}.log",
    params:
        fingerprint=code("gaps_by_distance"),
    group:
        "answer"
    conda:
        "../../envs/workflow.yaml"
    script:
        "../scripts/gaps_by_distance.py"
