"""Scenes to shards (paper, Appendix B)."""


rule render:
    input:
        objects=objects_of,
        textures=textures_of,
    output:
        "results/renders/{setting}/{split}/shard-{shard}.tar",
    log:
        "results/logs/render/{setting}/{split}/shard-{shard}.log",
    params:
        fingerprint=code("render"),
        rendering=lambda w: plain(PLAN.renderings[w.setting]),
        folders=asset_folders,
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../scripts/render.py"
