"""Reading YAML, with errors for the person who wrote the file."""

import difflib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from syn2real.errors import InputError


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice (YAML would keep the last one silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<: *anchor`
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice; keep one", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its top-level mapping; empty for an empty file.

    Raises
    ------
    InputError
        The file is missing, is not valid YAML, repeats a key, or holds no mapping.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], n=1)
        hint = f"; did you mean {path.parent / near[0]}?" if near else ""
        raise InputError(f"there is no such file{hint}", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the file cannot be read: {error}", file=path) from None
    try:
        value = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else None
        raise InputError(f"not valid YAML: {error.problem}", file=path, key=line) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {error}", file=path) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("the file must hold a mapping (key: value lines)", file=path)
    return value
