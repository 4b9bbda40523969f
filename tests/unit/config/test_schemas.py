"""The schemas are generated, and in step with the models."""

import json

import pytest

from syn2real.config.schemas import FOLDER, MODELS, schema_text


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_is_in_step_with_its_model(name: str) -> None:
    path = FOLDER / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(MODELS[name]), "run `make schemas`"


@pytest.mark.parametrize("name", MODELS)
def test_unknown_keys_are_errors(name: str) -> None:
    assert json.loads(schema_text(MODELS[name]))["additionalProperties"] is False
