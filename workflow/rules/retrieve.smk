"""Data that rendering and training start from: objects, materials, target data sets, published weights."""


# Downloads run where Snakemake runs: a cluster's nodes often reach no provider. They have no conda environment:
# a newer package in it would fetch, render and train everything again.
localrules:
    fetch_objects,
    fetch_textures,
    fetch_material,
    fetch_target,
    fetch_weights,
    fetch_measurements,


rule make_objects:
    output:
        directory(OBJECTS),
    log:
        "results/logs/make-objects/{collection}.log",
    params:
        fingerprint=code("make_objects"),
    wildcard_constraints:
        collection=one_of(MADE_OBJECTS),
    conda:
        "../../envs/render.yaml"
    script:
        "../scripts/make_objects.py"


rule make_textures:
    output:
        directory(TEXTURES),
    log:
        "results/logs/make-textures/{collection}.log",
    params:
        fingerprint=code("make_textures"),
    wildcard_constraints:
        collection=one_of(MADE_TEXTURES),
    conda:
        "../../envs/render.yaml"
    script:
        "../scripts/make_textures.py"


# What is fetched depends on addresses alone: another way to fetch the same bytes must re-render nothing.
rule fetch_objects:
    output:
        directory(OBJECTS),
    log:
        "results/logs/fetch-objects/{collection}.log",
    params:
        addresses=addresses_of,
    wildcard_constraints:
        collection=one_of(assets.fetched(PLAN, "bop")),
    script:
        "../scripts/fetch_objects.py"


rule fetch_textures:
    output:
        directory(TEXTURES),
    log:
        "results/logs/fetch-textures/{collection}.log",
    params:
        addresses=addresses_of,
    wildcard_constraints:
        collection=one_of(assets.fetched(PLAN, "ambientcg")),
    script:
        "../scripts/fetch_textures.py"


rule fetch_material:
    output:
        directory(MATERIAL),
    log:
        "results/logs/fetch-material/{collection}/{material}.log",
    params:
        addresses=addresses_of,
    wildcard_constraints:
        collection=one_of(assets.fetched(PLAN, "ambientcg")),
        material="[A-Za-z0-9]+",
    script:
        "../scripts/fetch_textures.py"


rule export_stand_in:
    input:
        train=lambda w: stand_in_shards(w.stand_in, "train"),
        test=lambda w: stand_in_shards(w.stand_in, "test"),
    output:
        directory(STAND_IN),
    log:
        "results/logs/export-stand-in/{stand_in}.log",
    params:
        fingerprint=code("export_stand_in"),
        train_images=lambda w: PLAN.stand_ins[w.stand_in].train_images,
        test_images=lambda w: PLAN.stand_ins[w.stand_in].test_images,
    conda:
        "../../envs/render.yaml"
    script:
        "../scripts/export_stand_in.py"


rule make_scans:
    output:
        directory(SCANS),
    log:
        "results/logs/make-scans/{target}.log",
    params:
        fingerprint=code("make_scans"),
        scans=lambda w: to_params(PLAN.targets[w.target].scans),
    wildcard_constraints:
        target=one_of(name for name, target in PLAN.targets.items() if target.scans),
    conda:
        "../../envs/render.yaml"
    script:
        "../scripts/make_scans.py"


rule fetch_target:
    output:
        touch(FETCHED_TARGET),
    log:
        "results/logs/fetch-target/{target}.log",
    params:
        target=lambda w: to_params(PLAN.targets[w.target]),
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/fetch_target.py"


rule fetch_weights:
    output:
        INITIAL,
    log:
        "results/logs/fetch-weights/{model}+{initial}.log",
    wildcard_constraints:
        initial="[a-z0-9-]+",
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/fetch_weights.py"


rule fetch_measurements:
    output:
        MEASUREMENTS,
    log:
        "results/logs/fetch-measurements/{sha256}.log",
    params:
        url=address_of_measurements,
    wildcard_constraints:
        sha256="[0-9a-f]{64}",
    script:
        "../scripts/fetch_measurements.py"
