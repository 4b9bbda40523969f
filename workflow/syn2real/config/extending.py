"""A recipe's file and those it extends: one recipe, and the file that each of its numbers comes from.

A file with `extends: paper` holds what differs. Sections are merged key by key; null removes what is
inherited, and one unit of a length replaces an inherited other one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from syn2real.config.loading import read_yaml
from syn2real.config.recipe import Recipe
from syn2real.errors import InputError
from syn2real.plugins import require_name
from syn2real.schema import Section, UserPath, validate
from syn2real.tasks.schema import EVALUATION_UNITS, LENGTH_UNITS, LENGTHS

TIMED = frozenset({"crop", "image_size", "precision", "resize"})
"""Keys that change the time of an image: an inherited `seconds_per_1000_images` is of other images."""
_SECONDS = "seconds_per_1000_images"


class _Extends(Section):
    """What names the recipe that another one extends."""

    extends: UserPath


class Given(NamedTuple):
    """A value, and the file that gives it."""

    value: Any
    file: Path


@dataclass(frozen=True)
class RecipeFile:
    """A recipe with what it was read from.

    Attributes
    ----------
    recipe : Recipe
        All numbers.
    files : tuple of Path
        The recipe's own file, then the one that it extends, and so on.
    given : dict
        What the files say, by key as in `Recipe`; `Given` in place of each value.
    base : dict
        The same of the last of `files` alone.
    length, pretrain_length : float
        What an experiment multiplies all lengths by, and those of pre-training besides; `recipe` and `given`
        hold the products.
    """

    recipe: Recipe
    files: tuple[Path, ...]
    given: dict[str, Any]
    base: dict[str, Any]
    length: float = 1.0
    pretrain_length: float = 1.0

    def shortened(self, length: float, pretrain_length: float = 1.0) -> "RecipeFile":
        """Return the recipe with its lengths multiplied, as `Recipe.shortened` does."""
        recipe, given = self.recipe.shortened(length, pretrain_length), dict(self.given)
        for stage in {"pretrain", "finetune"} & {*given}:
            given[stage] = {
                task: _with_lengths(leaf, getattr(getattr(recipe, stage), task))
                for task, leaf in given[stage].items()
            }
        return replace(self, recipe=recipe, given=given, length=length, pretrain_length=pretrain_length)

    def length_of(self, stage: str) -> float:
        """Return what the lengths of a stage are multiplied by."""
        return self.length * (self.pretrain_length if stage == "pretrain" else 1)


def read_recipe(file: str | Path, recipes: str | Path) -> RecipeFile:
    """Return the recipe of a file and of those that it extends.

    Parameters
    ----------
    file : str or Path
        The recipe's file.
    recipes : str or Path
        The folder of the recipes; `extends: NAME` is looked for beside the file, then there.

    Raises
    ------
    InputError
        A file extends one that is not there, or in the end itself; or the recipe is wrong. Names the file
        that gives the value.
    """
    layers: dict[Path, dict[str, Any]] = {}
    path: Path | None = Path(file)
    while path is not None:
        values = read_yaml(path)
        extended = _extended(path, values.pop("extends"), Path(recipes)) if "extends" in values else None
        layers[path] = values
        if extended is not None and extended.resolve() in [known.resolve() for known in layers]:
            names = " extends ".join([known.name for known in layers] + [extended.name])
            raise InputError(f"{names}, in a circle; remove one of them", file=path, key="extends")
        path = extended
    files = tuple(layers)
    base = given = _given(layers[files[-1]], files[-1])
    for path in reversed(files[:-1]):
        given = _merged(given, _given(layers[path], path))
    try:
        recipe = validate(Recipe, _values(given), file=files[0])
    except InputError as error:
        file, problem, key = _source(given, error.key) or files[0], error.problem, error.key or ""
        if problem.startswith("this key is missing"):
            removing = [path for path in files if _is_null(layers[path], key)]
            if removing:
                file, problem = removing[0], "null removes this key, and it is needed; give a value"
            elif key.endswith(".lr") and (changing := _source(given, f"{key.removesuffix('lr')}optimiser")):
                file, problem = changing, "another optimiser needs a learning rate of its own; give it beside"
        raise InputError(problem, file=file, key=error.key) from None
    return RecipeFile(recipe, files, given, base)


def leaves(given: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Given]]:
    """Yield each value that files give, by its dotted key."""
    for key, value in given.items():
        if isinstance(value, Given):
            yield f"{place}{key}", value
        else:
            yield from leaves(value, f"{place}{key}.")


def _extended(file: Path, name: Any, recipes: Path) -> Path:
    """Return the file that another one extends, by a recipe's name or a path beside it."""
    name = validate(_Extends, {"extends": name}, file=file).extends
    if "/" in name or name.endswith((".yaml", ".yml")):
        path = file.parent / name
        if not path.is_file():
            raise InputError(f"there is no file {path}; correct the path", file=file, key="extends")
        return path
    for folder in (file.parent, recipes):
        if (path := folder / f"{name}.yaml").is_file():
            return path
    known = {path.stem for folder in (file.parent, recipes) for path in folder.glob("*.yaml")}
    require_name(name, sorted(known - {file.stem}), file=file, key="extends")
    raise AssertionError(name)


def _given(values: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Return values with the file that gives them."""
    return {
        key: _given(value, file) if isinstance(value, Mapping) else Given(value, file)
        for key, value in values.items()
    }


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without their files."""
    return {key: value.value if isinstance(value, Given) else _values(value) for key, value in given.items()}


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a section inherits, changed by what it says itself."""
    merged = _without_replaced(base, own)
    for key, value in own.items():
        if isinstance(value, Given) and value.value is None and key in base:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _without_replaced(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is inherited, without what another unit, other images or another optimiser make wrong."""
    dropped: set[str] = set()
    for units in (LENGTH_UNITS, EVALUATION_UNITS):
        if any(isinstance(own.get(key), Given) and own[key].value is not None for key in units):
            dropped |= {*units}
    timed = any(_value(own[key]) != _value(base.get(key)) for key in TIMED & {*own})
    if timed:
        dropped.add(_SECONDS)
    if "optimiser" in own and _value(own["optimiser"]) != _value(base.get("optimiser", "sgd")):
        dropped.add("lr")
    left = {key: value for key, value in base.items() if key not in dropped}
    if isinstance(left.get("models"), Mapping):
        left["models"] = {name: _without(values, dropped) for name, values in left["models"].items()}
    return left


def _with_lengths(given: Any, section: Any) -> Any:
    """Return what files give of a section, with the section's own lengths."""
    if not isinstance(given, Mapping):
        return given
    new = {key: given[key]._replace(value=getattr(section, key)) for key in LENGTHS if key in given}
    return {**given, **new}


def _without(values: Any, dropped: set[str]) -> Any:
    """Return a backbone's exceptions without what its section does not inherit either."""
    if not isinstance(values, Mapping):
        return values
    kept = {"lr"} if "optimiser" in values else set()
    return {key: value for key, value in values.items() if key not in dropped - kept}


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Given) else given


def _is_null(values: Any, key: str | None) -> bool:
    """Whether a file says null at a dotted key."""
    *sections, last = (key or "").split(".")
    for part in sections:
        values = values.get(part) if isinstance(values, Mapping) else None
    return isinstance(values, Mapping) and last in values and values[last] is None


def _source(given: Mapping[str, Any], key: str | None) -> Path | None:
    """Return the file that gives the value at a dotted key, if it is one file's."""
    found: Any = given
    for part in (key or "").split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found.file if isinstance(found, Given) else None
