"""Pydantic models of an experiment, a rendering setting, a recipe and a target."""
