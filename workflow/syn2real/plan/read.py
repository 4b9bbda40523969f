"""From the configuration's files to the plan."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from syn2real.assets.archives import read_datasets
from syn2real.config.experiment import Measured, experiment_model, setting_model
from syn2real.config.extending import RecipeFile, read_recipe
from syn2real.config.loading import read_yaml
from syn2real.config.recipe import Recipe
from syn2real.config.workflow import WorkflowConfig
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.plan.checks import check_assets, check_experiment
from syn2real.plan.pilot import add_pilot
from syn2real.plan.plan import Plan, derive
from syn2real.plugins import require_name
from syn2real.schema import Section, validate

T = TypeVar("T", bound=Section)


def load_plan(config: Mapping[str, Any], file: str | Path = "config/config.yaml") -> Plan:
    """Read and check a whole configuration.

    Parameters
    ----------
    config : mapping
        What config.yaml holds, with what `--config` adds.
    file : str or Path
        Where it came from, for messages.

    Raises
    ------
    InputError
        For the first mistake: file, key, what is wrong, how to fix it.
    """
    plan = Plan(validate(WorkflowConfig, dict(config), file=file))
    if not plan.config.files():
        raise InputError("name at least one experiment file", file=file, key="experiments")
    plan.datasets = read_datasets(plan.config.datasets)
    plan.renderings = _definitions(setting_model, plan.config.renderings)
    plan.targets = _definitions(lambda _: Target, plan.config.targets)
    for path in plan.config.files():
        _add_experiment(plan, path)
    return plan


def load_named(config: str | Path, experiments: Sequence[str] = ()) -> Plan:
    """Read the configuration of a file, with these experiments in place of those it names, if any.

    Raises
    ------
    InputError
        For the first mistake, and where there is no configuration.
    """
    if not Path(config).exists() and not Path("Snakefile").exists():
        problem = "there is no such file; call syn2real in the checkout, where the Snakefile lies"
        raise InputError(problem, file=config)
    values = read_yaml(config)
    if experiments:
        values |= {"experiment": None, "experiments": list(experiments)}
    return load_plan(values, file=config)


def _definitions(model: Callable[[Any], type[T]], path: str) -> dict[str, T]:
    """Return the definitions of a file by name; `model` returns the model of each."""
    definitions = read_yaml(path).items()
    return {name: validate(model(value), value, file=path, key=name) for name, value in definitions}


def _add_experiment(plan: Plan, path: str) -> None:
    """Read an experiment file, join its definitions with the shared ones, check it, and derive its record."""
    value = read_yaml(path)
    if (kind := _other_kind(value)) is not None:
        raise InputError(f"this is {kind}, not an experiment; name an experiment file", file=path)
    asked = validate(experiment_model(value), value, file=path)
    if other := plan.experiments.get(asked.name):
        if other.file == path:
            raise InputError("this experiment is named twice; name it once", file=path)
        raise InputError(f"{other.file} has this name too; rename one", file=path, key="name")
    if not isinstance(asked, Measured):
        for key in ("renderings", "targets", "stand_ins", "references", "initial_weights"):
            _join(getattr(plan, key), getattr(asked, key), path, key)
        for recipe in (asked.recipe, *(r.recipe for r in plan.trained_references().values())):
            if recipe not in plan.recipes:
                plan.recipe_files[recipe] = _recipe(plan, recipe, path)
                plan.recipes[recipe] = plan.recipe_files[recipe].recipe
        plan.add_recipe(asked)
        check_experiment(plan, asked, path)
        add_pilot(plan, asked)
    record = derive(plan, asked, path)
    check_assets(plan, record)
    plan.experiments[asked.name] = record


def _other_kind(value: Mapping[str, Any]) -> str | None:
    """Return what a file holds that is no experiment, if that can be seen by its keys."""
    if not value:
        return "an empty file"
    if "bounds" in value and "rates" in value:
        return "a file of config/theory"
    if {"pretrain", "finetune"} & {*value} and {*value} <= {*Recipe.model_fields, "extends"}:
        return "a recipe"
    if {"experiments", "experiment", "recipes"} & {*value}:
        return "the workflow's configuration"
    if "question" not in value and all(isinstance(entry, dict) for entry in value.values()):
        return "definitions of settings or targets"
    return None


def _join(shared: dict[str, T], own: Mapping[str, T], path: str, key: str) -> None:
    """Add an experiment's own definitions; a name may not mean two things, since it names a folder."""
    for name, value in own.items():
        if shared.setdefault(name, value) != value:
            raise InputError(
                "this name is already defined, with other values; choose another name",
                file=path,
                key=f"{key}.{name}",
            )


def _recipe(plan: Plan, name: str, path: str) -> RecipeFile:
    """Return a recipe by name, or say which names there are."""
    folder = Path(plan.config.recipes)
    file = folder / f"{name}.yaml"
    if not file.is_file():
        require_name(name, (p.stem for p in folder.glob("*.yaml")), file=path, key="recipe")
    return read_recipe(file, folder)
