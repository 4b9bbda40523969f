"""Data that rendering and fine-tuning start from: objects, materials, target data sets."""


rule make_objects:
    output:
        directory("results/assets/objects/{collection}"),
    log:
        "results/logs/make-objects/{collection}.log",
    params:
        fingerprint=code("make_objects"),
    script:
        "../scripts/make_objects.py"


rule make_textures:
    output:
        directory("results/assets/textures/{collection}"),
    log:
        "results/logs/make-textures/{collection}.log",
    params:
        fingerprint=code("make_textures"),
    script:
        "../scripts/make_textures.py"


rule export_stand_in:
    input:
        train=lambda w: stand_in_shards(w, "train"),
        val=lambda w: stand_in_shards(w, "val"),
    output:
        directory("results/targets/{stand_in}"),
    log:
        "results/logs/export-stand-in/{stand_in}.log",
    params:
        fingerprint=code("export_stand_in"),
        train_images=lambda w: PLAN.stand_ins[w.stand_in].train_images,
        val_images=lambda w: PLAN.stand_ins[w.stand_in].val_images,
    script:
        "../scripts/export_stand_in.py"


rule fetch_target:
    output:
        touch("results/targets/{target}.fetched"),
    log:
        "results/logs/fetch-target/{target}.log",
    params:
        target=lambda w: plain(PLAN.targets[w.target]),
    script:
        "../scripts/fetch_target.py"
