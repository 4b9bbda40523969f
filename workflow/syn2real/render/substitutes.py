"""Modules that take the place of what BlenderProc would install by itself, or load without need."""

import sys
import types
from pathlib import Path
from typing import Any

from syn2real.assets.bop import model_folder


def substitute() -> None:
    """Register all of the modules; before BlenderProc is imported."""
    substitute_installed()
    # These two, unused here, load scikit-learn, pandas and pyplot: four fifths of BlenderProc's start.
    slicer = dict.fromkeys(("FaceSlicer", "extract_floor", "slice_faces_with_normals"))
    _register("blenderproc.python.object.FaceSlicer", **slicer)
    _register("blenderproc.python.writer.GifWriterUtility", write_gif_animation=None)


def substitute_installed() -> None:
    """Register those without which BlenderProc would install packages."""
    nothing = {"setup": staticmethod(lambda *_, **__: []), "setup_pip": staticmethod(lambda *_, **__: "")}
    setup = type("SetupUtility", (), nothing)
    _register("blenderproc.python.utility.SetupUtility", SetupUtility=setup)

    def model_parameters(folder: str, name: str, **_: Any) -> dict[str, Any]:
        return {"model_tpath": str(model_folder(Path(folder) / name) / "obj_{obj_id:06d}.ply")}

    # BOP's toolkit knows a fixed list of data sets; this reads any folder in BOP layout.
    parameters = _register("bop_toolkit_lib.dataset_params", get_model_params=model_parameters)
    _register("bop_toolkit_lib", dataset_params=parameters)


def _register(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__dict__.update(contents)
    sys.modules[name] = module
    return module
