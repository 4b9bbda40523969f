"""JSON schemas of all files a person writes or reads, generated from the models: `make schemas`.

Editors use them to complete and to check YAML; a test fails when they drift from the models.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

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


class RecipeDocument(Recipe):
    """How to pre-train and to fine-tune: one file of config/recipes/, alone or what it changes of another."""

    extends: str | None = Field(
        None,
        description="the recipe that this one changes: a name, or a path from this file's folder. Sections "
        "are merged key by key, null removes a value, and one unit of a length replaces another",
    )

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the schema of a file: what another recipe may give is not required, and may be removed."""
        schema = super().model_json_schema(*args, **kwargs)
        for part in (schema, *schema["$defs"].values()):
            part.pop("required", None)
            properties = part.get("properties", {})
            properties |= {key: _or_null(value) for key, value in properties.items()}
        return schema


def _or_null(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that may be null too."""
    if "null" in str(value.get("anyOf", "")):
        return value
    about = {key: value[key] for key in ("default", "description", "title") if key in value}
    return {"anyOf": [{k: v for k, v in value.items() if k not in about}, {"type": "null"}]} | about


MODELS: dict[str, type[BaseModel]] = {
    "archive": Archive,
    "config": WorkflowConfig,
    "experiment": Experiment,
    "measured": Measured,
    "metrics": Metrics,
    "own-renders": AnyOwnRenders,
    "pool": Pool,
    "recipe": RecipeDocument,
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
