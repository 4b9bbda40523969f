"""What is wrong with an experiment by the files alone: nothing is looked for on this machine."""

import math
from itertools import product

from syn2real.assets.ambientcg import is_fetchable, tiles_a_room
from syn2real.backbones.schema import RANDOM
from syn2real.complexity.schema import TrainedReference
from syn2real.config.experiment import Experiment, Measured
from syn2real.config.finetuning import FineTuning
from syn2real.data.arms import Arm
from syn2real.data.pools import Pool
from syn2real.errors import InputError
from syn2real.plan.assets import MADE_OBJECTS, MADE_TEXTURES, fetched
from syn2real.plan.labels import labelled_images
from syn2real.plan.plan import MOST_RUNS, MOST_SHARDS, ExperimentPlan, Plan
from syn2real.plan.recipes import used_sections
from syn2real.plan.runs import SCANS
from syn2real.plan.starts import check_starts
from syn2real.plugins import require_name, unknown
from syn2real.render.schema import Rendering
from syn2real.tasks.schema import MOST_LR, channel_of

PARTS = 10_000
"""The parts in which the share of a mixed arm is counted: it has four decimals at most."""


def check_experiment(plan: Plan, e: Experiment, file: str) -> None:
    """Check an experiment against all definitions.

    Parameters
    ----------
    plan : Plan
        The definitions.
    e : Experiment
        The experiment.
    file : str
        Its file, for messages.

    Raises
    ------
    InputError
        For an unknown name, a size that is not a whole number of scenes or larger than each pool, a task
        that the recipe has no section or the target no labels for, or settings whose complexities could not
        be compared.
    """
    _check_runs(e, file)
    check_starts(plan, e, file)
    for setting in e.settings:
        require_name(setting, plan.renderings, file=file, key="settings")
        _check_pools(plan, setting, *definition_of(plan, e, setting, file))
        for size in e.sizes:
            _check_size(plan, setting, size, file=file, key="sizes")
        if any(e.sizes):
            recipe = f"{plan.config.recipes}/{e.recipe}.yaml"
            images = plan.val_images(e.recipe, setting)
            _whole_scenes(plan, plan.source(setting), images, file=recipe, key="validation_images")
        for ptask in e.ptasks:
            source = plan.source(setting)
            plan.images_of(setting).require(
                channel_of(ptask), task=ptask, file=file, key="ptasks", name=source
            )
    for name, stand_in in e.stand_ins.items():
        key, setting = f"stand_ins.{name}", stand_in.setting
        if isinstance(pool := plan.renderings.get(setting), Pool):
            problem = f"{setting} draws from a pool, and a stand-in is made of whole scenes; name {pool.of}"
            raise InputError(problem, file=file, key=f"{key}.setting")
        require_name(setting, plan.rendered(), file=file, key=f"{key}.setting")
        for channel in ("class-map", "objects"):
            rendering = plan.images_of(setting)
            rendering.require(channel, task=name, file=file, key=f"{key}.setting", name=setting)
        for split in ("train_images", "test_images"):
            _whole_scenes(plan, setting, getattr(stand_in, split), file=file, key=f"{key}.{split}")
    _check_recipes(plan, e)
    _check_complexity(plan, e, file)
    for f in e.ftasks:
        _require_labels(plan, f.task, f.target, file=file, key="ftasks.target")
        check_passes(plan, e, f, plan.tested(f.target)[0])
        _check_arms(plan, e, f, file)


def _require_labels(plan: Plan, task: str, name: str, *, file: str, key: str) -> None:
    """Raise InputError unless a target is defined and has what a task learns."""
    require_name(name, plan.targets, file=file, key=key)
    target = plan.targets[name]
    target.require(channel_of(task), task=task, file=file, key=key, name=name)
    if target.scans and target.path != (made := SCANS.format(target=name)):
        problem = f"the workflow makes these scans in {made}; write that"
        raise InputError(problem, file=file, key=f"targets.{name}.path")


def _check_runs(e: Experiment, file: str) -> None:
    """Raise InputError for more runs than can be planned."""
    grid = {
        key: len(getattr(e, key)) for key in ("settings", "ptasks", "models", "initial", "sizes", "seeds")
    }
    runs = math.prod(grid.values()) * (1 + sum(len(f.percents) * len(f.arms) for f in e.ftasks))
    if runs > MOST_RUNS:
        key = max(grid, key=lambda key: grid[key])
        problem = f"about {runs:,} runs are asked for, {MOST_RUNS:,} at most; list fewer values"
        raise InputError(problem, file=file, key=key)


def _check_recipes(plan: Plan, e: Experiment) -> None:
    """Raise InputError unless the recipes have a section for each task that an experiment trains."""
    for recipe, stage, task, _ in used_sections(plan, e):
        file = str(plan.recipe_files[recipe].files[0])
        section = plan.recipes[recipe].require(stage, task, file=file)
        trained = any(
            isinstance(r, TrainedReference) and (r.recipe, r.ftask) == (recipe, task)
            for r in e.references.values()
        )
        if section.holds and (trained or (0 in e.sizes and RANDOM in e.initial)):
            what, fix = (
                ("a reference", "") if trained else ("size 0", f", or size 0, or {RANDOM} from initial")
            )
            problem = f"{what} is trained from scratch, where nothing is trained yet that could be held"
            problem += f"; remove {section.holds}{fix}"
            raise InputError(problem, file=file, key=f"{stage}.{task}.{section.holds.partition(':')[0]}")


def check_passes(plan: Plan, e: Experiment, f: FineTuning, target: str) -> None:
    """Raise InputError where the warm-up of a fine-tuning is as long as its passes over a target's labels."""
    section = plan.recipes[e.trained_by].require("finetune", f.task)
    labels = labelled_images(plan, target, min(f.percents)) if section.passes else None
    try:
        if labels:
            section.with_labels(labels)
    except ValueError:
        problem = f"{section.warmup_images:,} images of warm-up are no less than {section.passes:g} passes"
        problem += f" over {labels:,} labelled images ({target}); lower it, or raise passes"
        file = f"{plan.config.recipes}/{e.recipe}.yaml"
        raise InputError(problem, file=file, key=f"finetune.{f.task}.warmup_images") from None


def _check_arms(plan: Plan, e: Experiment, f: FineTuning, file: str) -> None:
    """Raise InputError where shares are no whole images, rates absurd, or classes have two maps."""
    sections = {m: plan.recipes[e.trained_by].section("finetune", f.task, m) for m in e.models}
    batches = sorted({section.batch_size for section in sections.values()})
    arms = [Arm.named(name) for name in f.arms]
    for arm in arms:
        parts = round(arm.share * PARTS)
        if any(parts * batch % PARTS for batch in batches):
            whole = [k for k in range(1, PARTS) if not any(k * batch % PARTS for batch in batches)]
            near = [k for k in whole if k < parts][-1:] + [k for k in whole if k > parts][:1]
            fix = " or ".join(f"mixed-{k / PARTS:g}" for k in near) or "another batch_size in the recipe"
            problem = f"{arm.name} is no whole number of a batch of {' or '.join(map(str, batches))} images"
            raise InputError(f"{problem}; use {fix}", file=file, key="ftasks.arms")
    rates = [(f"ftasks.rates.{name}", rate) for name, rate in f.rates.items()]
    rates += [("pilot.rates", rate) for rate in e.pilot.rates]
    for (key, rate), (model, section) in product(rates, sections.items()):
        if rate * section.lr > MOST_LR:
            problem = f"{rate:g} times the recipe's lr, {section.lr:g} for {model}, is above {MOST_LR}"
            raise InputError(f"{problem}; lower it", file=file, key=key)
    mapped = any(arm.needs_labels_on_renders for arm in arms)
    if mapped and plan.classes.setdefault((f.task, f.target), f.classes) != f.classes:
        problem = f"another experiment has other classes for {f.task} on {f.target}; give both the same"
        raise InputError(problem, file=file, key="ftasks.classes")


def _check_complexity(plan: Plan, e: Experiment, file: str) -> None:
    """Raise InputError unless the complexities of an experiment's settings can be measured and compared."""
    for name, reference in e.references.items():
        if isinstance(reference, TrainedReference):
            key = f"references.{name}.target"
            _require_labels(plan, reference.ftask, reference.target, file=file, key=key)
    if e.complexity is None:
        return
    require_name(e.complexity.reference, plan.references, file=file, key="complexity.reference")
    n = e.complexity.images
    for setting in e.settings:
        _check_size(plan, setting, n, file=file, key="complexity.images")
    why = "complexities are compared at equal numbers of images and of scenes, so give all settings the same"
    views = {plan.images_of(setting).views for setting in e.settings}
    if len(views) > 1:
        numbers = " and ".join(map(str, sorted(views)))
        problem = f"the settings have {numbers} views a scene; {why} views"
        raise InputError(problem, file=file, key="complexity")
    used = {plan.used_images(setting, n) for setting in e.settings}
    if len(used) > 1:
        numbers = " and ".join(f"{count:,}" for count in sorted(used))
        problem = f"its {n:,} images are taken from {numbers} images; {why} pools"
        raise InputError(problem, file=file, key="complexity")


def definition_of(plan: Plan, asked: Experiment | Measured, setting: str, file: str) -> tuple[str, str]:
    """Return the file and the key that define a setting: the experiment's own, or the shared one."""
    own = isinstance(asked, Experiment) and setting in asked.renderings
    return (file, f"renderings.{setting}") if own else (plan.config.renderings, setting)


def _check_pools(plan: Plan, setting: str, file: str, key: str) -> None:
    """Raise InputError unless the pools of a setting, if any, are whole scenes of one without pools."""
    pool = plan.renderings[setting]
    if not isinstance(pool, Pool):
        return
    require_name(pool.of, plan.renderings, file=file, key=f"{key}.of")
    if isinstance(other := plan.renderings[pool.of], Pool):
        fix = f"; name {other.of}" if other.of != pool.of else ", and pools hold another setting's images"
        raise InputError(f"{pool.of} draws from a pool itself{fix}", file=file, key=f"{key}.of")
    for size in pool.pools:
        _whole_scenes(plan, pool.of, size, file=file, key=f"{key}.pools")


def _check_size(plan: Plan, setting: str, images: int, *, file: str, key: str) -> None:
    """Raise InputError unless a setting has so many images: whole scenes, or as many as a pool holds."""
    pool = plan.renderings[setting]
    if not isinstance(pool, Pool):
        _whole_scenes(plan, setting, images, file=file, key=key)
    elif images > pool.pools[-1]:
        problem = f"{images:,} images are more than the largest pool of setting {setting}, {pool.pools[-1]:,}"
        raise InputError(f"{problem}; ask for fewer or add a pool", file=file, key=key)


def _whole_scenes(plan: Plan, setting: str, images: int, *, file: str, key: str) -> None:
    """Raise InputError unless `images` is a whole number of a setting's scenes, and no absurd one."""
    rendering = plan.images_of(setting)
    views, scenes = rendering.views, rendering.scenes_per_shard
    if (shards := rendering.shard_count(images)) > MOST_SHARDS:
        raise InputError(
            f"{images:,} images are {shards:,} shards (setting {setting}: {views * scenes:,} images each), "
            f"{MOST_SHARDS:,} at most; ask for {MOST_SHARDS * views * scenes:,} images or fewer, or raise "
            "the setting's scenes_per_shard",
            file=file,
            key=key,
        )
    if images % views:
        below = images // views * views
        whole = f"{below} or {below + views}" if below else f"{views}"
        raise InputError(
            f"{images} images are not a whole number of scenes of {views} views (setting {setting}); "
            f"use {whole}",
            file=file,
            key=key,
        )


def check_assets(plan: Plan, record: ExperimentPlan) -> None:
    """Check that all that an experiment's settings draw from is made, fetched or configured.

    Parameters
    ----------
    plan : Plan
        The definitions.
    record : ExperimentPlan
        What follows from the experiment.

    Raises
    ------
    InputError
        Naming the collection or the material.
    """
    objects = [*MADE_OBJECTS, *plan.config.objects, *fetched(plan, "bop")]
    materials = fetched(plan, "ambientcg")
    for setting, rendering in plan.rendered(record.settings).items():
        file, key = definition_of(plan, record.asked, setting, record.file)
        # A misspelt grey would leave its objects as they are; the default's need not be known here.
        grey = rendering.grey if "grey" in rendering.model_fields_set else ()
        for part, collections in (("collections", rendering.collections), ("grey", grey)):
            for collection in collections:
                _require_collection(collection, objects, "objects", file=file, key=f"{key}.{part}")
        if rendering.textures:
            names = [*MADE_TEXTURES, *plan.config.textures, *materials]
            _require_collection(rendering.textures, names, "textures", file=file, key=f"{key}.textures")
        if rendering.textures in materials:
            _check_fetched(rendering, file=file, key=key)


def _require_collection(name: str, names: list[str], section: str, *, file: str, key: str) -> None:
    """Raise InputError unless a collection is made, fetched or named in the configuration."""
    if name not in names:
        problem = f"{unknown(name, names)} (your own is named under `{section}` in config/config.yaml)"
        raise InputError(problem, file=file, key=key)


def _check_fetched(rendering: Rendering, *, file: str, key: str) -> None:
    """Raise InputError when a setting's rooms need materials that are not fetched."""
    hint = "name your own copy of the collection under `textures` in config/config.yaml"
    material = rendering.background_material
    if rendering.background == "fix" and not is_fetchable(material):
        problem = (
            f"'{material}' is not one of ambientCG's names, letters and digits such as Fabric001; or {hint}"
        )
        raise InputError(problem, file=file, key=f"{key}.background_material")
    others = [beginning for beginning in rendering.materials if not tiles_a_room(beginning)]
    if rendering.background == "random" and (others or not rendering.materials):
        asked = f"that begin with '{others[0]}'" if others else "of every kind ([])"
        problem = f"materials {asked} are not fetched, only what tiles a room; keep to the default, or {hint}"
        raise InputError(problem, file=file, key=f"{key}.materials")
