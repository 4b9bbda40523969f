"""Fixtures that several parts of the library are tested with."""

import os

# Several processes test at once: with more threads than cores they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["fixtures.boxes", "fixtures.curves", "fixtures.rendering", "fixtures.shards"]
