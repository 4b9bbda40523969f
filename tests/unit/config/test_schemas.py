"""The schemas are generated, and in step with the models."""

import json

import pytest

from syn2real.backbones.schema import model_names
from syn2real.config.experiment import Experiment
from syn2real.config.schemas import FOLDER, MODELS, schema_text
from syn2real.tasks.schema import tasks_of

FIGURES = FOLDER.parent / "syn2real/report/figures"


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_is_in_step_with_its_model(name: str) -> None:
    path = FOLDER / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(MODELS[name]), "run `make schemas`"


@pytest.mark.parametrize("name", MODELS)
def test_unknown_keys_are_errors(name: str) -> None:
    assert json.loads(schema_text(MODELS[name]))["additionalProperties"] is False


def test_names_that_may_be_written_are_those_that_are_found() -> None:
    fields = Experiment.model_json_schema()["properties"]
    assert fields["ptasks"]["items"]["enum"] == tasks_of("pretrain")
    assert fields["models"]["items"]["anyOf"][0]["enum"] == sorted(model_names())
    figures = {name.replace("_", "-") for name in (path.stem for path in FIGURES.glob("[a-z]*.py"))}
    assert set(fields["figures"]["items"]["enum"]) == figures - {"base", "complexity"}
    task = Experiment.model_json_schema()["$defs"]["FineTuning"]["properties"]["task"]
    assert task["enum"] == tasks_of("finetune")
