"""Scenes to shards (paper, Appendix B), or the user's own renders."""


rule render:
    input:
        objects=objects_of,
        textures=textures_of,
    output:
        SHARD,
    log:
        RENDER_LOG,
    params:
        fingerprint=render_code,
        rendering=lambda w: to_params(PLAN.renderings[w.setting]),
        folders=asset_folders,
    wildcard_constraints:
        setting=one_of(PLAN.rendered()),
    threads: 1
    resources:
        mem_mb=render_memory,
        attempt=this_attempt,
        # A machine without a GPU renders on its CPU.
        gpu=1,
    conda:
        "../../envs/render.yaml"
    script:
        "../scripts/render.py"


rule import_renders:
    output:
        SHARD,
    log:
        IMPORT_LOG,
    params:
        fingerprint=lambda w: code("import_renders", channels=channels_of(w)),
        own=lambda w: to_params(PLAN.renderings[w.setting]),
        annotations=part_of,
    wildcard_constraints:
        setting=one_of(PLAN.own_renders()),
    threads: 1
    resources:
        mem_mb=lambda w, attempt: memory(2000, attempt),
        attempt=this_attempt,
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/import_renders.py"
