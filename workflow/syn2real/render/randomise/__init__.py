"""The aspects of a scene that a setting decides and that are drawn at random; one module each.

Every scene has objects, a room, lights, a placement and a camera. Every other module here is off unless a
setting has its key. A module sets

- `LEVEL`: what it changes: each "object", the "scene", the scene before each "view", or each "image";
- `Section`: what a setting says of it, pydantic alone (what else the module needs is imported in functions);
- `draw(random, section, scene)`: the JSON values of one object, scene, view or image;
- `apply(target, drawn)`: makes it so. The target is a `SceneObject`, the `Stage` (scene and view), or the
  finished image, RGB, uint8 of shape (H, W, 3), of which the changed one is returned;
- optionally `STREAM`, the name of its random numbers (else its own name), and `ORDER`, its place among those
  of its level (else 0).
"""
