"""Scenes: what a setting says of them, their descriptions, and rendering them with Blender."""
