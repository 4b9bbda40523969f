"""Fixtures that several parts of the library are tested with."""

pytest_plugins = ["fixtures.boxes", "fixtures.curves", "fixtures.rendering", "fixtures.shards"]
