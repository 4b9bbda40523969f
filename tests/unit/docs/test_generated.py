"""What the site shows of the code: every key of the configuration, every command."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from syn2real.plugins import names

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs/_ext/generated.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_that_a_person_writes_stands_in_a_table(generated: ModuleType) -> None:
    tables, keys = "", generated.Keys()
    for name in generated.schemas_of(PAGE):
        tables += keys.tables(name)
    rows = {line.split("`")[1] for line in tables.splitlines() if line.startswith("| `")}
    assert keys.count == sum(line.startswith("| `") for line in tables.splitlines())
    for path in (ROOT / "workflow/schemas").glob("*.json"):
        if path.name != "metrics.schema.json":  # written by the jobs
            schema = json.loads(path.read_text(encoding="utf-8"))
            for part in (schema, *schema.get("$defs", {}).values()):
                assert set(part.get("properties", {})) <= rows, path


def test_a_sections_heading_is_linked_from_its_key(generated: ModuleType) -> None:
    tables = generated.Keys().tables("experiment")
    for target in {part.partition(")")[0] for part in tables.split("](#")[1:]}:
        assert f"({target})=" in tables


def test_a_description_is_text_but_for_what_stands_in_backticks(generated: ModuleType) -> None:
    assert generated.text("one | of `a_b`,\n c_d <e> $x") == "one \\| of `a_b`, c\\_d \\<e\\> \\$x"


def test_every_command_has_a_heading_and_its_parser(generated: ModuleType) -> None:
    page = generated.commands()
    for name in names("commands"):
        assert f"## {name}\n" in page
        assert getattr(generated, f"parser_{name}")().prog == f"syn2real {name}"
