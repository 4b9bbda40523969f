"""What the site shows of the code: the configuration's keys, the commands, the benchmarks, the notebook.

A page holds the line `<!-- keys: NAME -->` where the tables of a schema stand, and `<!-- commands -->`,
`<!-- benchmarks -->` and `<!-- readme -->` where these do. They are written when Sphinx reads the page, from
what the library itself uses.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syn2real.plugins import load, names

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
SCHEMAS = WORKFLOW / "schemas"
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
NAMED = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true or false"}


class Keys:
    """The tables of all schemas; a section that several schemas share stands once.

    Attributes
    ----------
    places : dict of frozenset of str to str
        The sections written so far: their keys, and the heading's target.
    count : int
        Keys written so far.
    """

    def __init__(self) -> None:
        self.places: dict[frozenset[str], str] = {}
        self.count = 0

    def tables(self, name: str) -> str:
        """Return the tables of one schema as Markdown: its own keys, then a heading for each section."""
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
        return "\n".join(self._section(schema, schema.get("$defs", {}), name, name, 2))

    def _section(
        self, schema: dict[str, Any], parts: dict[str, Any], target: str, title: str | None, level: int
    ) -> Iterator[str]:
        """Yield the lines of a section and of those that it refers to."""
        keys = frozenset(schema["properties"])
        self.places[keys] = target
        self.count += len(keys)
        if title != target:
            yield from ("", f"(keys-{target})=", f"{'#' * level} {title}", "", text(schema["description"]))
        else:
            yield from (f"(keys-{target})=", text(schema["description"]))
        yield from ("", "| key | value | default | meaning |", "|---|---|---|---|")
        below: list[tuple[str, str]] = []
        for key, value in schema["properties"].items():
            for inner in references(value):
                place = frozenset(parts[inner]["properties"])
                if place not in self.places:
                    self.places[place] = f"{target}-{key}-{inner.rpartition('__')[2]}".lower()
                    below.append((key, inner))
            shown = [f"`{key}`", self._kind(value, parts), default(key, value, schema), describe(value)]
            yield f"| {' | '.join(shown)} |"
        for key, inner in below:
            found = parts[inner]
            single = len([one for one in below if one[0] == key]) == 1
            heading = f"`{key}`" if single else f"`{key}`: {words(inner)}"
            yield from self._section(
                found, parts, self.places[frozenset(found["properties"])], heading, min(level + 1, 6)
            )

    def _kind(self, value: dict[str, Any], parts: dict[str, Any]) -> str:
        """Say what may be written, in words."""
        if "$ref" in value:
            name = value["$ref"].rpartition("/")[2]
            if "properties" not in parts[name]:
                return self._kind(parts[name], parts)
            return f"[{words(name)}](#keys-{self.places[frozenset(parts[name]['properties'])]})"
        for several in ("anyOf", "oneOf"):
            if several in value:
                kinds = dict.fromkeys(self._kind(one, parts) for one in value[several])
                return " or ".join(kinds)
        if "enum" in value or "const" in value:
            return " \\| ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
        kind = value.get("type")
        if kind == "array":
            return self._list(value, parts)
        if kind == "object":
            inner = value.get("additionalProperties") or next(
                iter(value.get("patternProperties", {}).values()), None
            )
            return f"by name: {self._kind(inner, parts)}" if isinstance(inner, dict) else "mapping"
        limits = [f"{sign} {value[key]:g}" for key, sign in BOUNDS.items() if key in value]
        name = NAMED.get(str(kind), str(kind or "any"))
        return f"{name} ({', '.join(limits)})" if limits else name

    def _list(self, value: dict[str, Any], parts: dict[str, Any]) -> str:
        """Say what a list holds."""
        if "prefixItems" in value:
            kinds = dict.fromkeys(self._kind(one, parts) for one in value["prefixItems"])
            return f"list of {len(value['prefixItems'])}: {'; '.join(kinds)}"
        return f"list of {self._kind(value.get('items', {}), parts)}"


def references(value: Any) -> Iterator[str]:
    """Yield the names of the sections that a key's schema refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for key, inner in value.items():
            if key != "default":
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def default(key: str, value: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what stands where a key is left out."""
    if key in schema.get("required", []):
        return "required"
    written = value.get("default")
    if written is None or written == {} or isinstance(written, dict):
        return ""
    return f"`{json.dumps(written, ensure_ascii=False)}`"


def describe(value: dict[str, Any]) -> str:
    """Return a key's description."""
    return text(value.get("description", ""))


def text(said: str) -> str:
    """Return a description as Markdown of one line: only what stands in backticks is marked up."""
    parts = re.split(r"(`[^`]*`)", " ".join(said.split()))
    return "".join(
        re.sub(r"\|" if part.startswith("`") else r"[*_<>\[\]$|]", r"\\\g<0>", part) for part in parts
    )


def words(name: str) -> str:
    """Return a section's name in words: `TrainedReference` is a trained reference."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rpartition("__")[2]).lower()


def parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    module = load("commands", name)
    made = argparse.ArgumentParser(prog=f"syn2real {name}", description=module.__doc__)
    module.add_arguments(made)
    for action in made._actions:
        action.help = re.sub(r"[*_]", r"\\\g<0>", action.help or "")  # which reStructuredText would mark up
    return made


def __getattr__(name: str) -> Any:
    """Return a function without arguments that returns a command's parser: what sphinx-argparse calls."""
    if name.startswith("parser_"):
        return lambda: parser(name.removeprefix("parser_").replace("_", "-"))
    raise AttributeError(name)


def commands() -> str:
    """Return a heading and a directive for each command."""
    parts = []
    for name in names("commands"):
        module = load("commands", name)
        options = f":module: generated\n:func: parser_{name}\n:prog: syn2real {name}\n:nodefault:"
        directive = f"```{{argparse}}\n{options}\n```"
        parts.append(f"## {name}\n\n    {module.EXAMPLE}\n\n{directive}\n")
    return "\n".join(parts)


def benchmarks() -> str:
    """Return what each benchmark says of itself: its question, its cost and what is expected."""
    parts = []
    for path in sorted((WORKFLOW / "benchmarks").glob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        title, _, rest = said.partition("\n\n")
        about = re.sub(r"^(Question|Cost|Expected): ", r"\n- *\1:* ", rest, flags=re.MULTILINE)
        if about != rest:
            parts.append(f"### `{path.name}`\n\n{title}\n{about}\n".replace("``", "`"))
    return "\n".join(parts)


def readme() -> str:
    """Return the README as the site's first page: its links lead to pages, or to files of the project."""
    page = (WORKFLOW.parent / "README.md").read_text(encoding="utf-8")
    page = page.replace("](CONTRIBUTING.md)", "](extending.md)")
    return re.sub(r"\]\((?!https?:|extending)", "](../", page).replace("](../docs/", "](")


def notebook(content: str) -> str:
    """Return a notebook as Markdown: its code as blocks, with what it printed."""
    parts = []
    for cell in json.loads(content)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        shell = source.startswith("!")
        code = source.replace("!", "$ ", 1) if shell else source
        parts.append(f"```{'console' if shell else 'python'}\n{code}\n```")
        printed = "".join(line for output in cell["outputs"] for line in output["text"])
        parts += [f"```text\n{printed.rstrip()}\n```"] if printed else []
    return "\n\n".join(parts) + "\n"


def schemas_of(page: str) -> list[str]:
    """Return the schemas whose tables stand on a page."""
    return re.findall(r"<!-- keys: ([\w-]+) -->", page)


def read(app: Any, page: str, content: list[str]) -> None:
    """Fill a page in; Sphinx calls it with what it has read."""
    if content[0].lstrip().startswith("{"):
        content[0] = notebook(content[0])
    keys = Keys()
    for name in schemas_of(content[0]):
        content[0] = content[0].replace(f"<!-- keys: {name} -->", keys.tables(name))
    for made in (readme, commands, benchmarks):
        tag = f"<!-- {made.__name__} -->"
        if tag in content[0]:
            content[0] = content[0].replace(tag, made())


def setup(app: Any) -> dict[str, Any]:
    """Let Sphinx call `read` for each page."""
    app.connect("source-read", read)
    return {"version": "1", "parallel_read_safe": False}
