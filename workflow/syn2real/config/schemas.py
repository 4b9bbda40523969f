"""JSON schemas of all files a person writes or reads, generated from the models: `make schemas`.

Editors use them to complete and to check YAML; a test fails when they drift from the models.
"""

import json
from pathlib import Path

from pydantic import BaseModel

from syn2real.assets.archives import Archive
from syn2real.config.experiment import AnyRendering, Experiment, Measured
from syn2real.config.recipe import Recipe
from syn2real.config.theory import Theory
from syn2real.config.workflow import WorkflowConfig
from syn2real.data.own_renders.schema import AnyOwnRenders
from syn2real.data.pools import Pool
from syn2real.data.targets.schema import Target
from syn2real.files import write_text
from syn2real.training.metrics import Metrics

FOLDER = Path(__file__).resolve().parents[2] / "schemas"

MODELS: dict[str, type[BaseModel]] = {
    "archive": Archive,
    "config": WorkflowConfig,
    "experiment": Experiment,
    "measured": Measured,
    "metrics": Metrics,
    "own-renders": AnyOwnRenders,
    "pool": Pool,
    "recipe": Recipe,
    "rendering": AnyRendering,
    "target": Target,
    "theory": Theory,
}


def schema_text(model: type[BaseModel]) -> str:
    """Return the JSON schema (draft 2020-12) of a model, as the text of its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: str | Path = FOLDER) -> None:
    """Write every schema to `folder`."""
    for name, model in MODELS.items():
        write_text(Path(folder) / f"{name}.schema.json", schema_text(model))


if __name__ == "__main__":
    write_schemas()
