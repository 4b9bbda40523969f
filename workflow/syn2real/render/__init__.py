"""Scene descriptions, and the one module that renders them with Blender."""
