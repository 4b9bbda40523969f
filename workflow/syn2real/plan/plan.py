"""From configuration files to the set of runs, with everything that can be checked before the first job."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeVar

from syn2real.assets.archives import Archive, read_datasets
from syn2real.complexity.schema import GivenReference, Reference, TrainedReference, levels
from syn2real.config.experiment import Experiment, Measured, Question, StandIn, experiment_model
from syn2real.config.loading import read_yaml, validate
from syn2real.config.recipe import Recipe
from syn2real.config.setting import setting_model
from syn2real.config.workflow import WorkflowConfig
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.plan.runs import NONE, Finetuning, Pretraining
from syn2real.plugins import constant, names
from syn2real.render.schema import Rendering
from syn2real.schema import Section, plain

T = TypeVar("T", bound=Section)

MADE_OBJECTS = ("demo-textured", "demo-textureless")
"""Object collections the workflow makes itself."""

MADE_TEXTURES = ("demo",)
"""Material collections the workflow makes itself."""


@dataclass
class Plan:
    """All definitions of a configuration, checked against each other.

    Attributes
    ----------
    config : WorkflowConfig
        The workflow's configuration.
    experiments : dict of str to Experiment
        Those that are run, by name.
    measured : dict of str to Measured
        Those whose measurements exist already, by name.
    files : dict of str to str
        The file of each experiment, for messages.
    renderings, targets, stand_ins, recipes, references : dict
        Definitions by name; an experiment's own joined with the shared ones.
    datasets : dict of str to list of Archive
        What can be fetched, by name.
    """

    config: WorkflowConfig
    experiments: dict[str, Experiment] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    renderings: dict[str, Rendering | OwnRenders] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    stand_ins: dict[str, StandIn] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    datasets: dict[str, list[Archive]] = field(default_factory=dict)

    def questions(self) -> dict[str, Question]:
        """Return all experiments, run or measured, by name."""
        return {**self.experiments, **self.measured}

    def answered(self) -> dict[str, Question]:
        """Return the experiments that measure errors, so that there are laws to fit, by name."""
        return {
            name: q for name, q in self.questions().items() if name in self.measured or self.finetunings(name)
        }

    def pretrainings(self, name: str) -> list[Pretraining]:
        """Return the pre-training runs of an experiment (n > 0), each once, sorted."""
        e = self.experiments[name]
        grid = product(e.settings, e.ptasks, e.models, sorted(e.sizes), sorted(e.seeds))
        return [Pretraining(e.recipe, s, p, m, n, k) for s, p, m, n, k in grid if n > 0]

    def finetunings(self, name: str) -> list[Finetuning]:
        """Return the fine-tuning runs of an experiment, those from scratch (n = 0) once for all curves."""
        e = self.experiments[name]
        starts = self.pretrainings(name)
        if 0 in e.sizes:
            starts += [Pretraining(e.recipe, NONE, NONE, m, 0, k) for m, k in product(e.models, e.seeds)]
        return sorted(
            Finetuning(start, f.task, f.target, percent)
            for start, f in product(starts, e.ftasks)
            if start.ptask == NONE or f.follows(start.ptask)
            for percent in f.percents
        )

    def shards(self, setting: str, split: str, images: int) -> list[str]:
        """Return the shards that hold the first `images` images of a setting's split."""
        count = self.renderings[setting].shard_count(images)
        return [f"results/renders/{setting}/{split}/shard-{k:06d}.tar" for k in range(count)]

    def val_images(self, recipe: str, setting: str) -> int:
        """Return how many synthetic images a pre-training is validated on (§4.1: 1,000), whole scenes."""
        views = self.renderings[setting].views
        return math.ceil(self.recipes[recipe].validation_images / views) * views

    def images_wanted(self, name: str, setting: str) -> dict[str, int]:
        """Return how many images of a setting an experiment uses and validates on, by split."""
        e = self.experiments[name]
        largest = max(e.sizes, default=0)
        measured = e.complexity.images if e.complexity else 0
        val = self.val_images(e.recipe, setting) if largest else 0
        return {"train": max(largest, measured), "val": val}

    def complexities(self, name: str) -> list[str]:
        """Return the files that hold the complexity of an experiment's settings; none if it asks for none."""
        e, c = self.experiments[name], self.experiments[name].complexity
        if c is None:
            return []
        folder = f"results/complexity/{c.reference}/{c.activation}-{c.image_size}px/n{c.images}"
        return [f"{folder}/{setting}.json" for setting in e.settings]

    def answer(self, name: str) -> list[str]:
        """Return the files that answer an experiment: points, laws, advice, complexity, figures."""
        files: list[str] = []
        if name in self.answered():
            files = [f"results/laws/{name}/{file}" for file in ("fits.json", "fits.csv")]
            files += [f"results/laws/{name}/advice.{kind}" for kind in ("md", "html")]
            files.append(f"results/points/{name}.csv")
        if name in self.experiments and self.complexities(name):
            files.append(f"results/complexity/{name}.md")
        for figure in self.figures(name):
            files += sum(self.figure_inputs(name, figure).values(), [])
            files += [f"results/figures/{name}/{figure}.{kind}" for kind in ("svg", "png")]
        return list(dict.fromkeys(files))

    def figures(self, name: str) -> list[str]:
        """Return the figures of an experiment: those it asks for, and those of its settings' complexity."""
        figures: list[str] = []
        if name in self.answered():
            figures += self.questions()[name].figures
        if name in self.experiments and self.complexities(name):
            figures += [f for f in names("report.figures") if "complexity" in needs(f)]
        return figures

    def figure_inputs(self, name: str, figure: str) -> dict[str, list[str]]:
        """Return the files that a figure of an experiment is drawn from, by what the figure needs."""
        return {need: self._needed(name, need) for need in needs(figure) if need != "stand_ins"}

    def _needed(self, name: str, need: str) -> list[str]:
        """Return the files of one need of a figure; of laws none where no errors are measured."""
        if need == "complexity":
            return self.complexities(name)
        if name not in self.answered():
            return []
        return [f"results/points/{name}.csv" if need == "points" else f"results/laws/{name}/{need}.json"]

    def levels(self, name: str) -> dict[str, dict[str, float]]:
        """Return the levels of an experiment's settings in the paper's four attributes, where known."""
        rendered = self.rendered(self.experiments[name].settings).items()
        return {setting: level for setting, r in rendered if (level := levels(r)) is not None}

    def trained_references(self) -> dict[str, TrainedReference]:
        """Return the reference backbones that are trained here, by name."""
        return {n: r for n, r in self.references.items() if isinstance(r, TrainedReference)}

    def reference_weights(self, name: str) -> str:
        """Return the weights file of a reference backbone: the user's, or the one trained here."""
        reference = self.references[name]
        if isinstance(reference, GivenReference):
            return reference.weights
        return f"results/references/{name}/backbone.safetensors"

    def reference_recipe(self, name: str) -> dict[str, Any]:
        """Return what a trained reference's recipe says, with the length that the reference asks for."""
        r = self.trained_references()[name]
        section = self.recipes[r.recipe].resolve("finetune", r.ftask, r.model)
        return section | ({"images": r.images, "iterations": None} if r.images else {})

    def labelled(self, name: str) -> list[tuple[str, str]]:
        """Return the tasks and targets that an experiment fine-tunes or trains its reference backbone on."""
        e = self.experiments[name]
        pairs = [(f.task, f.target) for f in e.ftasks]
        reference = self.references[e.complexity.reference] if e.complexity else None
        if isinstance(reference, TrainedReference):
            pairs.append((reference.ftask, reference.target))
        return list(dict.fromkeys(pairs))

    def stand_in_of(self, target: str) -> str | None:
        """Return the stand-in whose folder a target lies in, or None for data from elsewhere."""
        path = Path(self.targets[target].path)
        return next((n for n in self.stand_ins if path.is_relative_to(f"results/targets/{n}")), None)

    def stand_in_shards(self, stand_in: str, split: Literal["train", "val"]) -> list[str]:
        """Return the shards that a split of a stand-in is made from."""
        s = self.stand_ins[stand_in]
        return self.shards(s.setting, split, s.train_images if split == "train" else s.val_images)

    def used_stand_ins(self, name: str) -> list[str]:
        """Return the stand-ins that an experiment's targets lie in, sorted."""
        found = {self.stand_in_of(target) for _, target in self.labelled(name)}
        return sorted(stand_in for stand_in in found if stand_in is not None)

    def settings(self, name: str) -> list[str]:
        """Return the settings an experiment renders: its own and those of its stand-ins."""
        own = [self.stand_ins[s].setting for s in self.used_stand_ins(name)]
        return list(dict.fromkeys([*self.experiments[name].settings, *own]))

    def rendered(self, settings: Iterable[str] | None = None) -> dict[str, Rendering]:
        """Return those of some settings (default: of all) that are rendered here, by name."""
        names = self.renderings if settings is None else settings
        return {n: value for n in names if isinstance(value := self.renderings[n], Rendering)}

    def own_renders(self, settings: Iterable[str] | None = None) -> dict[str, OwnRenders]:
        """Return those of some settings (default: of all) that are a user's own renders, by name."""
        names = self.renderings if settings is None else settings
        return {n: value for n in names if isinstance(value := self.renderings[n], OwnRenders)}

    def objects_folder(self, collection: str) -> str:
        """Return the folder of an object collection: the user's own, or the one made or fetched here."""
        return self.config.objects.get(collection, f"results/assets/objects/{collection}")

    def textures_folder(self, rendering: Rendering) -> str | None:
        """Return the folder of a setting's materials: the user's own, or the one made or fetched here.

        A fixed background needs one material; only that one is fetched.
        """
        collection = rendering.textures
        if collection is None or rendering.background == "colour":
            return None
        if collection in self.config.textures:
            return self.config.textures[collection]
        if collection in self.fetched("ambientcg") and rendering.background == "fix":
            return f"results/assets/materials/{collection}/{rendering.background_material}"
        return f"results/assets/textures/{collection}"

    def fetched(self, layout: str) -> list[str]:
        """Return the collections of a layout (bop, ambientcg) that are fetched where a setting uses them.

        The user's own copy wins, then what the workflow makes.
        """
        here = {*self.config.objects, *self.config.textures, *MADE_OBJECTS, *MADE_TEXTURES}
        names = (name for name, archives in self.datasets.items() if archives[0].layout == layout)
        return [name for name in names if name not in here]

    def asset_folders(self, setting: str) -> dict[str, Any]:
        """Return the folders a setting is rendered from: {"objects": {collection: folder}, "textures": …}."""
        r = self.rendered([setting])[setting]
        return {
            "objects": {c: self.objects_folder(c) for c in sorted(r.collections)},
            "textures": self.textures_folder(r),
        }

    def target_data(self, name: str) -> dict[str, Any]:
        """Return what of a target decides a run's numbers, as plain data; its description does not."""
        said = ("description", "stand_in", "counts", "download", "archives")
        return {key: value for key, value in plain(self.targets[name]).items() if key not in said}

    def summary(self, name: str) -> dict[str, Any]:
        """Return what the advice says of an experiment, as plain data."""
        keys = {"name", "question", "target_error", "max_images", "costs"}
        value = plain(self.questions()[name])
        ftasks = self.experiments[name].ftasks if name in self.experiments else ()
        targets = sorted({f.target for f in ftasks})
        stand_ins = [target for target in targets if self.targets[target].stand_in]
        return {key: value[key] for key in sorted(keys)} | {"stand_ins": stand_ins}


def needs(figure: str) -> tuple[str, ...]:
    """Return what a figure is drawn from, by name: points, complexity, stand_ins, or the fits of a law."""
    found: tuple[str, ...] = constant("report.figures", figure, "NEEDS")
    return found


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
        For the first mistake: file, key, what is wrong, how to mend it.
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


def _definitions(model: Callable[[Any], type[T]], path: str) -> dict[str, T]:
    """Return the models of a file that maps names to definitions; `model` tells which one a definition is."""
    definitions = read_yaml(path).items()
    return {name: validate(model(value), value, file=path, key=name) for name, value in definitions}


def _add_experiment(plan: Plan, path: str) -> None:
    """Read an experiment file into `plan` and check it against the shared definitions."""
    from syn2real.plan.checks import check_experiment

    value = read_yaml(path)
    experiment = validate(experiment_model(value), value, file=path)
    if experiment.name in plan.files:
        raise InputError(
            f"{plan.files[experiment.name]} has this name too; rename one", file=path, key="name"
        )
    plan.files[experiment.name] = path
    if isinstance(experiment, Measured):
        plan.measured[experiment.name] = experiment
        return
    plan.experiments[experiment.name] = experiment
    _join(plan.renderings, experiment.renderings, path, "renderings")
    _join(plan.targets, experiment.targets, path, "targets")
    _join(plan.stand_ins, experiment.stand_ins, path, "stand_ins")
    _join(plan.references, experiment.references, path, "references")
    for recipe in (experiment.recipe, *(r.recipe for r in plan.trained_references().values())):
        if recipe not in plan.recipes:
            plan.recipes[recipe] = _recipe(plan, recipe, path)
    check_experiment(plan, experiment, path)


def _join(shared: dict[str, T], own: Mapping[str, T], path: str, key: str) -> None:
    """Add an experiment's own definitions; a name may not mean two things, since it names a folder."""
    for name, value in own.items():
        if shared.setdefault(name, value) != value:
            raise InputError(
                "this name is defined otherwise elsewhere; choose another name",
                file=path,
                key=f"{key}.{name}",
            )


def _recipe(plan: Plan, name: str, path: str) -> Recipe:
    """Return a recipe by name, or say which names there are."""
    folder = Path(plan.config.recipes)
    file = folder / f"{name}.yaml"
    if not file.is_file():
        known(name, (p.stem for p in folder.glob("*.yaml")), file=path, key="recipe")
    return validate(Recipe, read_yaml(file), file=file)


def known(name: str, names: Iterable[str], *, file: str, key: str) -> None:
    """Raise InputError, with the nearest name, when `name` is not among `names`."""
    valid = sorted(names)
    if name not in valid:
        near = difflib.get_close_matches(name, valid, n=1, cutoff=0.4)
        mend = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(valid) or 'none'}"
        raise InputError(f"'{name}' is not defined; {mend}", file=file, key=key)


def collections_of(plan: Plan, settings: Iterable[str]) -> list[str]:
    """Return the object collections that settings draw from, each once."""
    drawn = (collection for r in plan.rendered(settings).values() for collection in r.collections)
    return list(dict.fromkeys(drawn))
