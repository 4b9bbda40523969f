"""The plan: all definitions of a configuration, and of each experiment one record of what follows from it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from syn2real import plugins
from syn2real.assets.archives import Archive
from syn2real.backbones.schema import InitialWeights, ModelName
from syn2real.complexity.schema import GivenReference, Reference, TrainedReference
from syn2real.config.experiment import Experiment, Measured, StandIn
from syn2real.config.extending import RecipeFile
from syn2real.config.needs import POSITION, VALUES, claim_needs, needs
from syn2real.config.recipe import Recipe
from syn2real.config.workflow import WorkflowConfig
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.data.pools import Pool
from syn2real.data.targets.schema import Split, Target, fold_name, fold_of, is_pilot
from syn2real.plan import runs
from syn2real.plan.complexities import complexity_files, targets_against
from syn2real.plan.grid import grid
from syn2real.plan.levels import levels
from syn2real.plan.runs import Finetuning, Pretraining
from syn2real.render.schema import Rendering
from syn2real.schema import to_params

SPLITS = ("train", "val")
PAPER_LAWS: tuple[str, ...] = plugins.constant("laws.methods", "paper", "LAWS")
"""The laws that the paper's method fits."""
HOLDING: tuple[str, ...] = plugins.constant("laws.methods", "paper", "HOLDS")
"""Those of them that have its common D."""
MOST_SHARDS = 100_000
"""Shards of one split, and MOST_RUNS: what Snakemake can still plan, in some minutes."""
MOST_RUNS = 100_000


@dataclass(frozen=True)
class ExperimentPlan:
    """What follows from one experiment: checks, costs and rules read it here.

    Of an experiment on given measurements only `file` and `asked` are filled.

    Attributes
    ----------
    file : str
        The experiment's file, for messages.
    asked : Experiment or Measured
        What the file says.
    settings : tuple of str
        The settings that are rendered or imported: those of the experiment or of its pools, then those of
        its stand-ins.
    images : dict of str to dict of {"train", "val"} to int
        How many images of each of these settings' splits are used; of a pool, all.
    pretrainings : tuple of Pretraining
        The pre-training runs (n > 0), each once, sorted.
    finetunings : tuple of Finetuning
        The fine-tuning runs, sorted; those without pre-training (n = 0) once for all curves.
    labelled : tuple of (str, str)
        The tasks and targets that it fine-tunes or trains its reference backbone on.
    stand_ins : tuple of str
        The stand-ins that its targets lie in, sorted.
    complexities : tuple of str
        The files that hold the complexity of its settings; none if it asks for none.
    against : tuple of (str, {"train", "test"})
        The targets that its settings are compared with, and which of their images.
    """

    file: str
    asked: Experiment | Measured
    settings: tuple[str, ...] = ()
    images: dict[str, dict[str, int]] = field(default_factory=dict)
    pretrainings: tuple[Pretraining, ...] = ()
    finetunings: tuple[Finetuning, ...] = ()
    labelled: tuple[tuple[str, str], ...] = ()
    stand_ins: tuple[str, ...] = ()
    complexities: tuple[str, ...] = ()
    against: tuple[tuple[str, Split], ...] = ()

    @property
    def fits_laws(self) -> bool:
        """Whether it measures errors, or has them, so that there are laws to fit."""
        return isinstance(self.asked, Measured) or bool(self.finetunings)

    @property
    def figures(self) -> list[str]:
        """The figures that are drawn: those it asks for, and those of its settings' complexity."""
        asked = [*self.asked.figures] if self.fits_laws else []
        measured = [f for f in plugins.names("report.figures") if "complexity" in needs(f)]
        return asked + (measured if self.complexities else [])

    def figure_inputs(self, figure: str) -> dict[str, list[str]]:
        """Return the files that a figure is drawn from, by what the figure needs."""
        return {need: self._needed(need) for need in needs(figure) if need not in VALUES}

    @property
    def claim_inputs(self) -> dict[str, list[str]]:
        """The files that its claims are judged by, by what they need."""
        return {need: self._needed(need) for need in claim_needs(self.asked.claims) if need not in VALUES}

    def _needed(self, need: str) -> list[str]:
        """Return the files of one need of a figure or claim; of laws none where no errors are measured."""
        if need == "complexity":
            return [*self.complexities]
        if need == "distances":
            return self.distances
        if not self.fits_laws:
            return []
        name, law = self.asked.name, "simple" if need == "fits" else need
        if need in ("points", "draws"):
            return [runs.POINTS.format(experiment=name)]
        both = self.asked.paper is not None and law in PAPER_LAWS
        papers = [runs.PAPER_LAW.format(experiment=name, law=law)] if both else []
        return [*papers, runs.LAW.format(experiment=name, law=need)]

    @property
    def distances(self) -> list[str]:
        """The file that holds its settings' distances from photographs, if they are measured."""
        return [runs.DISTANCES.format(experiment=self.asked.name)] if self.against else []

    def fix_d(self, law: str) -> float | None:
        """Return the D that the paper's method is asked to hold, of a law that has it."""
        return self.asked.paper.fix_D if self.asked.paper and law in HOLDING else None

    @property
    def methods(self) -> str:
        """For captions: by which methods the figures show estimates; empty where by the default alone."""
        if self.asked.paper is None:
            return ""
        d = self.asked.paper.fix_D
        held = "one D for all curves, which its medians found" if d is None else f"D = {d:g} for all curves"
        return (
            f"Drawn by both methods: *the paper's* (§4.1 and Appendix D; {held}; C.2 for the full law) and "
            "*the default*, which estimates D of each curve."
        )

    @property
    def answer(self) -> list[str]:
        """The files that answer it: points, laws, advice, complexity, figures, claims."""
        name, files = self.asked.name, []
        if self.fits_laws:
            files = [file.format(experiment=name) for file in (runs.FITS, runs.FITS_TABLE, runs.POINTS)]
            files += [f"{runs.ADVICE.format(experiment=name)}.{kind}" for kind in ("md", "html", "json")]
            files += [runs.BOTH_ERRORS.format(experiment=name)] if self.pretrainings else []
        if self.complexities:
            files += [*self.complexities, *self.distances, runs.COMPARISON.format(experiment=name)]
            files += [runs.GAPS.format(experiment=name)] if self.against and self.fits_laws else []
        for figure in self.figures:
            files += sum(self.figure_inputs(figure).values(), [])
            drawn = runs.FIGURE.format(experiment=name, figure=figure)
            files += [f"{drawn}.svg", f"{drawn}.png"]
        if self.asked.claims:
            files += sum(self.claim_inputs.values(), [])
            files += [f"{runs.JUDGED.format(experiment=name)}{kind}" for kind in (".json", ".csv")]
        return list(dict.fromkeys(files))


@dataclass
class Plan:
    """All definitions of a configuration, checked against each other, and what follows from each experiment.

    Attributes
    ----------
    config : WorkflowConfig
        The workflow's configuration.
    experiments : dict of str to ExperimentPlan
        What follows from each experiment, by name.
    renderings, targets, stand_ins, recipes, references, initial_weights : dict
        Definitions by name; the experiments' own joined with the shared ones.
    recipe_files : dict of str to RecipeFile
        Where the recipes were read, by name.
    classes : dict of (str, str) to dict of str to str
        The renders' classes by the photographs' names, of each task on a target that has an arm with a map.
    datasets : dict of str to list of Archive
        What can be fetched, by name.
    """

    config: WorkflowConfig
    experiments: dict[str, ExperimentPlan] = field(default_factory=dict)
    renderings: dict[str, Rendering | OwnRenders | Pool] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    stand_ins: dict[str, StandIn] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    recipe_files: dict[str, RecipeFile] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    initial_weights: dict[str, InitialWeights] = field(default_factory=dict)
    classes: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    datasets: dict[str, list[Archive]] = field(default_factory=dict)

    def add_recipe(self, e: Experiment) -> None:
        """Add the recipe of an experiment as it shortens it, under its own name."""
        if (name := e.trained_by) not in self.recipes:
            self.recipe_files[name] = self.recipe_files[e.recipe].shortened(e.length, e.pretrain_length)
            self.recipes[name] = self.recipe_files[name].recipe

    @property
    def measured(self) -> dict[str, Measured]:
        """The experiments whose measurements exist already, by name."""
        return {n: e.asked for n, e in self.experiments.items() if isinstance(e.asked, Measured)}

    @property
    def run(self) -> dict[str, Experiment]:
        """The experiments that are run, by name."""
        return {n: e.asked for n, e in self.experiments.items() if isinstance(e.asked, Experiment)}

    def rendered(self, settings: Iterable[str] | None = None) -> dict[str, Rendering]:
        """Return those of some settings (default: of all) that are rendered here, by name."""
        names = self.renderings if settings is None else settings
        return {n: value for n in names if isinstance(value := self.renderings[n], Rendering)}

    def own_renders(self, settings: Iterable[str] | None = None) -> dict[str, OwnRenders]:
        """Return those of some settings (default: of all) that are a user's own renders, by name."""
        names = self.renderings if settings is None else settings
        return {n: value for n in names if isinstance(value := self.renderings[n], OwnRenders)}

    def source(self, setting: str) -> str:
        """Return the setting that is rendered or imported for a setting: itself, or that of its pools."""
        value = self.renderings[setting]
        return value.of if isinstance(value, Pool) else setting

    def images_of(self, setting: str) -> Rendering | OwnRenders:
        """Return what a setting's images are: its own definition, or that of its pools."""
        value = self.renderings[self.source(setting)]
        assert not isinstance(value, Pool), setting
        return value

    def used_images(self, setting: str, n: int) -> int:
        """Return how many images of the training split n are taken from: the n first, or a whole pool."""
        value = self.renderings[setting]
        return value.holding(n) if isinstance(value, Pool) else n

    def pool(self, setting: str, n: int) -> dict[str, Any] | None:
        """Return the pool of n images as params, {"images": size, "of": setting}; None for scenes."""
        if not isinstance(self.renderings[setting], Pool):
            return None
        return {"images": self.used_images(setting, n), "of": self.source(setting)}

    def shards(self, setting: str, split: str, images: int) -> list[str]:
        """Return the shards that hold the first `images` images of a setting's split, or their pool."""
        used = self.used_images(setting, images) if split == "train" else images
        return runs.shard_files(self.source(setting), split, self.images_of(setting).shard_count(used))

    @property
    def settings(self) -> set[str]:
        """The settings that are rendered or imported for any experiment."""
        return {setting for record in self.experiments.values() for setting in record.settings}

    def needed_shards(self, settings: Iterable[str], names: Iterable[str] | None = None) -> set[str]:
        """Return the shards of some settings that some experiments (default: all) need."""
        needed = self.experiments if names is None else names
        return {
            shard
            for name, setting in product(needed, settings)
            for split, images in self.experiments[name].images.get(setting, {}).items()
            for shard in self.shards(setting, split, images)
        }

    def val_images(self, recipe: str, setting: str) -> int:
        """Return how many synthetic images a pre-training is validated on (§4.1: 1,000), whole scenes."""
        views = self.images_of(setting).views
        return math.ceil(self.recipes[recipe].validation_images / views) * views

    def updates(self, recipe: str, ptask: str, model: ModelName) -> int:
        """Return the steps of a pre-training, which an arm without one is given besides its own."""
        return self.recipes[recipe].section("pretrain", ptask, model).total_iterations

    def stand_in_of(self, target: str) -> str | None:
        """Return the stand-in whose folder a target lies in, or None for data from elsewhere."""
        path = Path(self.targets[target].path)
        folders = {name: runs.STAND_IN.format(stand_in=name) for name in self.stand_ins}
        return next((name for name, folder in folders.items() if path.is_relative_to(folder)), None)

    def trained_references(self) -> dict[str, TrainedReference]:
        """Return the reference backbones that are trained here, by name."""
        return {n: r for n, r in self.references.items() if isinstance(r, TrainedReference)}

    def reference_weights(self, name: str) -> str:
        """Return the weights file of a reference backbone: the user's, or the one trained here."""
        reference = self.references[name]
        if isinstance(reference, GivenReference):
            return reference.weights
        return f"{runs.REFERENCE.format(reference=name)}/backbone.safetensors"

    def reference_recipe(self, name: str) -> dict[str, Any]:
        """Return what a trained reference's recipe says, with the length that the reference asks for."""
        r = self.trained_references()[name]
        section = self.recipes[r.recipe].resolve("finetune", r.ftask, r.model)
        if r.images:
            section.pop("passes", None)
            section |= {"images": r.images, "iterations": None}
        return section

    def target_data(self, name: str) -> dict[str, Any]:
        """Return what of a target decides a run's numbers, as params; its description does not."""
        incidental = ["description", "stand_in", "counts", "overlap", "download", "archives"]
        _, fold, folds = fold_of(name)
        incidental += [] if fold else ["scene"]
        incidental += [] if fold and not is_pilot(name) else ["folds"]
        data = {k: value for k, value in to_params(self.targets[name]).items() if k not in incidental}
        if fold:
            data |= {"fold": fold} | ({"pilot": folds} if is_pilot(name) else {})
        return dict(sorted(data.items()))

    def tested(self, name: str) -> list[str]:
        """Return what a target is called in its runs: its name, or one for each of its folds, defined."""
        target = self.targets[name]
        folds = target.folds or 0
        names = [fold_name(name, k + 1, folds) for k in range(folds)]
        self.targets |= dict.fromkeys(names, target)
        return names or [name]

    def levels(self, name: str) -> dict[str, dict[str, float]]:
        """Return the levels of an experiment's settings in the paper's four attributes, where known.

        Of given measurements only the order is known in which the settings are listed: their `POSITION`.
        """
        if name in self.measured:
            return {s: {POSITION: float(i)} for i, s in enumerate(self.measured[name].settings)}
        found = {setting: self.images_of(setting) for setting in self.run[name].settings}
        rendered = {setting: r for setting, r in found.items() if isinstance(r, Rendering)}
        return {setting: level for setting, r in rendered.items() if (level := levels(r)) is not None}

    def summary(self, name: str) -> dict[str, Any]:
        """Return what the advice says of an experiment, as params."""
        value = to_params(self.experiments[name].asked)
        keys = ("costs", "max_images", "name", "question", "target_error")
        tested = {f.target for f in self.run[name].ftasks} if name in self.run else set()
        stand_ins = sorted(target for target in tested if self.targets[target].stand_in)
        return {key: value[key] for key in keys} | {"stand_ins": stand_ins}


def derive(plan: Plan, asked: Experiment | Measured, file: str) -> ExperimentPlan:
    """Return what follows from an experiment whose names are all defined in `plan`."""
    if isinstance(asked, Measured):
        return ExperimentPlan(file, asked)
    labelled = _labelled(plan, asked)
    found = {plan.stand_in_of(target) for _, target in labelled}
    stand_ins = tuple(sorted(name for name in found if name is not None))
    images = _images(plan, asked, stand_ins)
    finetunings = grid(asked, plan.tested)
    return ExperimentPlan(
        file,
        asked,
        settings=tuple(images),
        images=images,
        pretrainings=tuple(sorted({run.pretraining for run in finetunings if run.is_pretrained})),
        finetunings=tuple(finetunings),
        labelled=labelled,
        stand_ins=stand_ins,
        complexities=complexity_files(asked),
        against=targets_against(asked, plan.references),
    )


def _labelled(plan: Plan, e: Experiment) -> tuple[tuple[str, str], ...]:
    """Return the tasks and targets that runs and the reference backbone learn."""
    pairs = [(f.task, f.target) for f in e.ftasks]
    reference = plan.references[e.complexity.reference] if e.complexity else None
    if isinstance(reference, TrainedReference):
        pairs.append((reference.ftask, reference.target))
    return tuple(dict.fromkeys(pairs))


def _images(plan: Plan, e: Experiment, stand_ins: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return how many images are used, by setting and split; runs, complexity and stand-ins share them."""
    largest = max(e.sizes, default=0)
    measured = e.complexity.images if e.complexity else 0
    used = [
        (
            plan.source(setting),
            plan.used_images(setting, max(largest, measured)),
            plan.val_images(e.trained_by, setting) if largest else 0,
        )
        for setting in e.settings
    ]
    made = [plan.stand_ins[name] for name in stand_ins]
    images: dict[str, dict[str, int]] = {}
    for setting, train, val in used + [(s.setting, s.train_images, s.test_images) for s in made]:
        splits = images.setdefault(setting, {"train": 0, "val": 0})
        splits["train"], splits["val"] = max(splits["train"], train), max(splits["val"], val)
    return images
