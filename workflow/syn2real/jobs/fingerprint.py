"""Digest of what a job computes: the syntax trees of its script and of the library modules it runs.

Snakemake's own `code` trigger compares a script's modification time, so a fresh checkout would rerun
everything, and an edited library module nothing. Each stage's rule passes this digest as a plain string
param instead: comments, docstrings, formatting and touched files do not change it; code does. The script's
static imports are followed; its rule names the plug-ins that the job loads by name (`syn2real.plugins`). A
data file beside a module that names it counts as part of the module. How a job is run (`syn2real.jobs`: log,
attempts, locks) is part of no digest.
"""

import ast
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from syn2real.plugins import module_names

PACKAGE = "syn2real"
HOW = "syn2real.jobs"
"""How a job is run, whatever it computes."""
POINTS = {
    "randomise": "render.randomise",
    "forms": "laws.forms",
    "methods": "laws.methods",
    "figures": "report.figures",
    "claims": "report.claims",
}
"""The packages of extension points that do not lie at the top."""
DATA = (".json", ".js", ".html")
"""How the names of data files end."""
ROOT = Path(__file__).resolve().parents[1]


def fingerprint(script: str | Path, *modules: str) -> str:
    """Return a digest of a script, of modules, and of every module of this package they import.

    Parameters
    ----------
    script : str or Path
        A Python file.
    *modules : str
        Dotted names of modules that it loads by name: its plug-ins.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a SHA-256 over (module name, digest of its syntax tree).
    """
    script = Path(script)
    code, imports = _parse(script, "")
    total = hashlib.sha256(code.encode())
    for name in sorted(_closure(imports | _with_parents({*modules}))):
        total.update(f"{name} {_module(name)[0]}\n".encode())
    return total.hexdigest()[:16]


def imported_modules(script: str | Path, *modules: str) -> list[str]:
    """Return the names of the package's modules that `fingerprint` is a digest of, sorted."""
    return sorted(_closure(_parse(Path(script), "")[1] | _with_parents({*modules})))


def plugin_modules(point: str, names: str | Sequence[str]) -> list[str]:
    """Return the dotted names of the modules of one plug-in or several.

    Parameters
    ----------
    point : str
        The last part of the extension point's package, such as `tasks` or `forms`.
    names : str or sequence of str
        The plug-ins.
    """
    package = POINTS.get(point, point)
    chosen = [names] if isinstance(names, str) else names
    return [module for name in chosen for module in module_names(package, name)]


def _closure(names: frozenset[str]) -> set[str]:
    """Return `names` and all modules of the package they lead to."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen and not f"{name}.".startswith(f"{HOW}."):
            seen.add(name)
            waiting.extend(_module(name)[1])
    return seen


@cache
def _module(name: str) -> tuple[str, frozenset[str]]:
    """Return the digest and the imports of one of the package's modules."""
    path = _path(name)
    assert path is not None, name
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return _parse(path, package)


def _path(name: str) -> Path | None:
    """Return the file of a dotted module name of this package, or None when there is none."""
    base = ROOT.joinpath(*name.split(".")[1:])
    for candidate in (base / "__init__.py", base.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _parse(path: Path, package: str) -> tuple[str, frozenset[str]]:
    """Return the digest of a file's syntax tree without docstrings, and the package's modules it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and str(node.value).startswith(f"{PACKAGE}."):
            # A module that is run by its name (`python -m package.module`) stands in a string.
            names.add(str(node.value))
        _drop_docstring(node)
    digest = hashlib.sha256(ast.dump(tree, include_attributes=False).encode())
    for file in _data_files(tree, path.parent):
        digest.update(file.read_bytes())
    return digest.hexdigest(), frozenset(_with_parents(names))


def _data_files(tree: ast.AST, folder: Path) -> list[Path]:
    """Return the data files of a folder that strings of a module's code name, sorted."""
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = sorted(text for text in strings if isinstance(text, str) and text.endswith(DATA))
    return [folder / name for name in named if (folder / name).is_file()]


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute module name of a `from … import …`, relative ones resolved against `package`."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _with_parents(names: set[str]) -> set[str]:
    """Return those names that are modules of this package, with the packages whose `__init__` runs first."""
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == PACKAGE:
            prefixes = (".".join(parts[: i + 1]) for i in range(len(parts)))
            found.update(prefix for prefix in prefixes if _path(prefix) is not None)
    return found


def _drop_docstring(node: ast.AST) -> None:
    """Remove the docstring of a module, class or function node in place."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        body = node.body
        if ast.get_docstring(node, clean=False) is not None:
            node.body = body[1:]
