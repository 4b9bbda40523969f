"""Which sections of which recipes the experiments use, and where their numbers come from."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from pydantic import BaseModel

from syn2real.complexity.schema import TrainedReference
from syn2real.config.experiment import Experiment
from syn2real.config.extending import Given, RecipeFile, leaves
from syn2real.plan.plan import Plan
from syn2real.tasks.schema import LENGTHS, Stage

WIDTH = 120


def used_sections(plan: Plan, e: Experiment) -> list[tuple[str, Stage, str, tuple[str, ...]]]:
    """Return the sections that an experiment trains by: recipe, stage, task and backbones."""
    used: list[tuple[str, Stage, str, tuple[str, ...]]] = []
    used += [(e.trained_by, "pretrain", ptask, e.models) for ptask in e.ptasks]
    used += [(e.trained_by, "finetune", f.task, e.models) for f in e.ftasks]
    trained = [r for r in e.references.values() if isinstance(r, TrainedReference)]
    return used + [(r.recipe, "finetune", r.ftask, (r.model,)) for r in trained]


def recipe_lines(plan: Plan, *, full: bool = False) -> list[str]:
    """Return what the recipes in use say that extend another one, and which file each number comes from.

    Parameters
    ----------
    plan : Plan
        The configuration.
    full : bool
        All numbers of all recipes in use; by default what differs from the recipe that is extended.
    """
    used = dict.fromkeys(part for e in plan.run.values() for part in used_sections(plan, e))
    lines: list[str] = []
    for name in dict.fromkeys(recipe for recipe, *_ in used):
        read = plan.recipe_files[name]
        files = " extends ".join(str(file) for file in read.files)
        shorter = f", all lengths x {read.length:g}" if read.length != 1 else ""
        shorter += f", pre-training x {read.pretrain_length:g}" if read.pretrain_length != 1 else ""
        if not full and len(read.files) == 1 and not shorter:
            continue
        lines.append(f"recipe {name}: {files}{shorter}{'' if full else ' (--recipe prints all its numbers)'}")
        sections = dict.fromkeys((stage, task) for recipe, stage, task, _ in used if recipe == name)
        models = sorted({model for recipe, *_, own in used if recipe == name for model in own})
        for section in [(), *sections]:
            lines += _all(read, section, models) if full else _differences(read, section, models)
    return lines


def _all(read: RecipeFile, section: tuple[str, ...], models: list[str]) -> list[str]:
    """Return a line for each value of a section, with the file that gives it, or `default`."""
    found: Any = read.recipe
    for key in section:
        found = getattr(found, key)
    given = dict(_within(read.given, section, models))
    flat = {key: value for key, value in _flat(found) if section or key.partition(".")[0] not in _STAGES}
    flat |= {key: leaf.value for key, leaf in given.items() if key.startswith("models.")}
    lines = [f"  {'.'.join(section)}"] if section else []
    length = read.length_of(section[0]) if section else 1
    for key, value in flat.items():
        source = given[key].file.name if key in given else "default"
        source += f" x {length:g}" if length != 1 and key in LENGTHS and value is not None else ""
        if value is not None or key in given:
            lines.append(f"    {key:<34} {_shown(value):<28} {source}")
    return lines


def _differences(read: RecipeFile, section: tuple[str, ...], models: list[str]) -> list[str]:
    """Return what a section says that the recipe at the end of the chain does not, in few lines."""
    base, given = (dict(_within(tree, section, models)) for tree in (read.base, read.given))
    chain = len(read.files) > 2
    changes = []
    for key, leaf in given.items():
        if key not in base or base[key].value != leaf.value:
            was = f" (was {_shown(base[key].value)})" if key in base else ""
            changes.append(f"{key} {_shown(leaf.value)}{was}{f' by {leaf.file.name}' if chain else ''}")
    gone = [f"{key} (was {_shown(leaf.value)})" for key, leaf in base.items() if key not in given]
    changes += [f"without {', '.join(gone)}"] if gone else []
    title = ".".join(section) or "all sections"
    text = f"{title}: {', '.join(changes) or 'as it is there'}"
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ") if changes or section else []


_STAGES = ("pretrain", "finetune")


def _within(
    given: Mapping[str, Any], section: tuple[str, ...], models: list[str]
) -> Iterator[tuple[str, Given]]:
    """Yield the values of a section, of its exceptions by backbone those of the backbones in use."""
    found: Any = given
    for key in section:
        found = found.get(key, {}) if isinstance(found, Mapping) else {}
    if not section:
        found = {key: value for key, value in found.items() if key not in _STAGES}
    for key, leaf in leaves(found) if isinstance(found, Mapping) else ():
        if not key.startswith("models.") or key.split(".")[1] in models:
            yield key, leaf


def _flat(section: BaseModel, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a section's values by dotted key, exceptions by backbone left out."""
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{place}{key}.")
        elif key != "models":
            yield f"{place}{key}", value


def _shown(value: Any) -> str:
    """Return a value as a recipe has it: 14_400_000."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, int) and value >= 10_000:
        return f"{value:_}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
