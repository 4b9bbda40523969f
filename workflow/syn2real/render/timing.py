"""A few views of a setting, timed in a process of their own (`syn2real check --measure`).

Reads `render_shard`'s arguments as JSON on stdin, without its files; the worker prints images a second.
"""

import json
import sys
import tempfile
from pathlib import Path

from syn2real.jobs.child import die_with_parent
from syn2real.render.job import render_shard

if __name__ == "__main__":
    die_with_parent()
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        render_shard(
            **request, split="train", shard=0, output=Path(folder, "shard-000000.tar"),
            scratch=Path(folder, "scratch"), fingerprint="timing", threads=1,
        )  # fmt: skip
