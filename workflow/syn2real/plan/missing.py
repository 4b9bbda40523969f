"""What a real run would miss on this machine: data that is not there, libraries Blender cannot find."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from syn2real.assets.bop import check_models
from syn2real.backbones.schema import model_names
from syn2real.complexity.schema import GivenReference
from syn2real.config.experiment import Experiment, Measured
from syn2real.data.arms import Arm, match_classes
from syn2real.data.coco.counts import listed
from syn2real.data.coco.records import read_header
from syn2real.data.findings import Findings
from syn2real.data.own_renders.checks import check_own_renders
from syn2real.data.own_renders.index import HERE, update_index
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.data.pools import Pool
from syn2real.data.targets.ade20k_files import ade20k_classes
from syn2real.data.targets.load import check_layout
from syn2real.data.targets.schema import fold_of
from syn2real.errors import InputError
from syn2real.files import require_file
from syn2real.near import near_path
from syn2real.plan.assets import collections_of, objects_folder, textures_folder
from syn2real.plan.checks import definition_of
from syn2real.plan.plan import ExperimentPlan, Plan
from syn2real.plan.runs import MEASUREMENTS, shard_files
from syn2real.plan.starts import missing_starts, networks
from syn2real.render.stock import find_scene_assets, room_materials
from syn2real.tasks.schema import channel_of

LONGEST_HEADER = 100_000_000
"""Bytes that safetensors' own header may have."""


def missing_data(plan: Plan, root: Path = HERE) -> Findings:
    """Look at the data of all experiments: what is missing or malformed, what may be a mistake, counts.

    Each line but the counts ends with the runs that need the data. A dry run shows them as warnings; a real
    run refuses to start with what is missing or wrong. `root` as for `check_own_sizes`.
    """
    found = Findings()
    checked: dict[tuple[str, str], Findings] = {}  # of a target and what it is labelled with
    for name, record in plan.experiments.items():
        if isinstance(record.asked, Measured):
            found.add(_of(_missing_measurements, record.asked), f" (the measurements of experiment {name})")
            continue
        for task, target in record.labelled:
            if plan.stand_in_of(target) is None and plan.targets[target].scans is None:
                key = (target, channel_of(task))
                checked[key] = checked.get(key) or _of(check_layout, plan.targets[target], key[1])
                found.add(checked[key], f" (needed by the {task} runs on {target} of experiment {name})")
        found.add(
            _of(_missing_weights, plan, record.asked), f" (needed by the complexity of experiment {name})"
        )
        for error in [*_unsuitable(plan, record.asked), *missing_starts(plan, record.asked)]:
            found.add(Findings.of(error), f" (needed by the trainings of experiment {name})")
        for setting, own in plan.own_renders(record.settings).items():
            images = record.images[setting]
            channels = {channel_of(ptask) for ptask in record.asked.ptasks}
            sizes = _used(plan, record.asked, setting)
            of_setting = _of(check_own_renders, setting, own, channels, images, root, sizes)
            found.add(of_setting, f" (needed by the pre-training on {setting} of experiment {name})")
        found.add(_missing_assets(plan, record), f" (needed by the renders of experiment {name})")
        found.add(_unmatched_classes(plan, record, root), f" of experiment {name})")
    return found


def _of(check: Callable[..., object], *arguments: Any) -> Findings:
    """Return what a check finds; one that fails finds its message."""
    try:
        found = check(*arguments)
    except InputError as error:
        return Findings.of(error)
    return found if isinstance(found, Findings) else Findings()


def _used(plan: Plan, e: Experiment, setting: str) -> list[int]:
    """Return how many of a setting's first images each size of an experiment is taken from."""
    settings = [name for name in e.settings if plan.source(name) == setting]
    return [plan.used_images(name, size) for name in settings for size in e.sizes]


def _missing_measurements(measured: Measured) -> Findings:
    """Look whether a table of measurements is there, and what its job can read."""
    given = measured.measurements
    table = given.path or MEASUREMENTS.format(sha256=given.sha256)
    if given.path is not None and not Path(table).exists():
        # Nothing makes it, and without it there is no experiment: never only a warning.
        return Findings([f"{table}: there is no such file{near_path(table)}"])
    if Path(table).exists():
        try:
            from syn2real.laws.convert import read_measurements
        except ModuleNotFoundError:
            return Findings()  # Snakemake alone is installed: the job that reads the table checks it
        read_measurements(table, given.select, given.ignore)
    return Findings()


def _unsuitable(plan: Plan, e: Experiment) -> Iterator[InputError]:
    """Yield why networks that no family lists cannot be trained.

    They are built, without numbers, where PyTorch is installed; where it is not, their first jobs do it.
    """
    for model in e.models:
        try:
            if model not in model_names():
                for _ in networks(plan, e, model):
                    pass
        except InputError as error:
            yield error


def _missing_weights(plan: Plan, e: Experiment) -> None:
    """Raise InputError when the weights file that a reference backbone is given by is not there."""
    reference = plan.references[e.complexity.reference] if e.complexity else None
    if isinstance(reference, GivenReference):
        weights = Path(reference.weights)
        if not reference.weights.startswith("results/"):
            require_file(weights)
        if weights.is_file():
            _check_weights(weights)


def _check_weights(path: Path) -> None:
    """Raise InputError unless a file begins as weights do, and those of safetensors end where they say."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(8)
        if head[:4] == b"PK\3\4" or head[:1] == b"\x80":  # torch's archives, and its older pickles
            return
        length = int.from_bytes(head, "little")
        header = stream.read(length) if length <= min(size - 8, LONGEST_HEADER) else b""
    try:
        tensors = json.loads(header)
        ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        problem = f"no weights of torch or safetensors: it begins with {head!r}; download it again"
        raise InputError(problem, file=path) from None
    if 8 + length + max(ends, default=0) != size:
        raise InputError("the file ends early; download it again", file=path)


def _missing_assets(plan: Plan, record: ExperimentPlan) -> Findings:
    """Return what an experiment's own copies of objects and materials lack.

    What is made or fetched is not looked at: a killed job's folder may still be half there, and is made
    again.
    """
    found = Findings()
    for collection in collections_of(plan, record.settings):
        if collection in plan.config.objects:
            found.add(_of(check_models, Path(plan.config.objects[collection])))
    for setting, rendering in plan.rendered(record.settings).items():
        folder = textures_folder(plan, rendering)
        if folder and rendering.textures in plan.config.textures:
            found.add(_of(room_materials, setting, rendering, Path(folder)))
    return found


def _unmatched_classes(plan: Plan, record: ExperimentPlan, root: Path) -> Findings:
    """Return where an arm cannot match classes of renders and photographs, as its jobs match them.

    Only where the names of both are known; the jobs look at the others. Each line ends with the runs that
    need them, without the experiment's name.
    """
    found = Findings()
    needed: dict[tuple[str, str, str], bool] = {}
    for run in record.finetunings:
        arm, pretraining = Arm.named(run.arm), run.pretraining
        if pretraining.n and arm.needs_labels_on_renders:
            place = (run.ftask, fold_of(run.target)[0], pretraining.setting)
            needed[place] = needed.get(place, False) or arm.whole
    photographs = {
        (task, target): _known(_classes_of_photographs, plan, target, channel_of(task), root)
        for task, target in dict.fromkeys(place[:2] for place in needed)
    }
    said: dict[tuple[str, bool, str, str], list[str]] = {}
    for (task, target, setting), once in needed.items():
        renders = _known(_classes_of_renders, plan, setting, channel_of(task), root)
        if renders and (real := photographs[task, target]):
            try:
                matched = match_classes(renders, real, plan.classes.get((task, target)), once=once)
                problem, refused = _without_renders(real, matched.values()), False
            except InputError as error:
                problem, refused = error.problem, True
            if problem:
                said.setdefault((problem, refused, task, target), []).append(setting)
    for (problem, refused, task, target), settings in said.items():
        unmatched = InputError(problem, file=record.file, key="ftasks.classes")
        line = Findings.of(unmatched) if refused else Findings(warnings=[str(unmatched)])
        found.add(line, f" (needed by the {task} runs on {target} with renders of {listed(settings)}")
    return found


def _without_renders(photographs: list[str], matched: Collection[int]) -> str:
    """Return which classes of the photographs no render has; empty where there are none."""
    real = {number: name for number, name in enumerate(photographs) if name != "background"}
    alone = [name for number, name in real.items() if number not in matched]
    lacking = f"the renders lack {len(alone)} of the photographs' {len(real)} classes ({listed(alone)})"
    return f"{lacking}; where one has another name there, map it" if alone else ""


def _known(read: Callable[..., list[str] | None], *arguments: Any) -> list[str] | None:
    """Return the names that can be read; None where they cannot, which the checks of the data explain."""
    try:
        return read(*arguments)
    except (InputError, OSError, ValueError, ModuleNotFoundError):
        return None


def _classes_of_renders(plan: Plan, setting: str, channel: str, root: Path) -> list[str] | None:
    """Return the classes that are learnt from a setting's renders; None where nothing is there to say it."""
    from syn2real.channels.base import learnt_classes, load_channel

    names = _names_of_renders(plan, setting, root)
    return names and learnt_classes(load_channel(channel), names)


def _names_of_renders(plan: Plan, setting: str, root: Path) -> list[str] | None:
    """Return what a setting's objects are called: by annotations, collections, or else its first shard."""
    source, images = plan.source(setting), plan.images_of(setting)
    if isinstance(images, OwnRenders):
        return update_index(source, images, "train", root).categories
    folders = {name: Path(objects_folder(plan, name)) for name in images.collections}
    if all(folder.is_dir() for folder in folders.values()):
        without_materials = images.model_copy(update={"background": "colour"})
        return [*find_scene_assets(source, without_materials, folders, None).classes]
    shard = Path(shard_files(source, "train", 1)[0])
    if not shard.is_file():
        return None
    from syn2real.data.shards import Shard

    meta = Shard(shard).meta
    # One of another definition is rendered again.
    return [*meta["classes"]] if meta.get("rendering") == images.model_dump(mode="json") else None


def _classes_of_photographs(plan: Plan, target: str, channel: str, root: Path) -> list[str] | None:
    """Return the classes of a target by its files; of a stand-in by what it is rendered from."""
    from syn2real.channels.base import learnt_classes, load_channel

    value, stand_in = plan.targets[target], plan.stand_in_of(target)
    if stand_in is not None:
        names = _names_of_renders(plan, plan.stand_ins[stand_in].setting, root)
        if names and value.layout == "ade20k":
            return ["room", *names]  # as `data.export` numbers them
        return names and learnt_classes(load_channel(channel), names)
    if value.layout == "coco":
        categories = read_header(value.annotation_files("train")).categories
        return learnt_classes(load_channel(channel), [*categories.values()])
    if value.layout == "ade20k":
        return ade20k_classes(value)
    if value.layout == "torchvision":
        from syn2real.data.targets.torchvision_sets import MASKS

        return MASKS[str(value.dataset)][0]
    return None  # one label an image, which renders have not


def check_own_sizes(plan: Plan, root: Path = HERE) -> None:
    """Check that own renders hold as many images as experiments use, as far as their files can be read.

    What is missing or malformed, `missing_data` reports with who needs it.

    Parameters
    ----------
    plan : Plan
        The definitions.
    root : Path
        The folder that the index of an annotation file is written below; a temporary one where nothing may be
        written here, as in a dry run.

    Raises
    ------
    InputError
        An annotation file names fewer images than a size or the recipe's validation needs.
    """
    for name, e in plan.run.items():
        record = plan.experiments[name]
        for setting, own in plan.own_renders(record.settings).items():
            images = record.images[setting]
            validated = f"{e.recipe} validates on {images['val']:,} images (validation_images)"
            reasons = {
                "train": _asked_for(plan, record, setting),
                "val": (record.file, "recipe", validated),
            }
            for split, (file, key, what) in reasons.items():
                try:
                    found = update_index(setting, own, split, root).images
                except InputError:
                    continue
                if found < images[split]:
                    path = own.annotations.paths(split)[0]
                    raise InputError(
                        f"{what}, but {path} ({setting}) names {found:,}; render more or ask for fewer",
                        file=file,
                        key=key,
                    )


def _asked_for(plan: Plan, record: ExperimentPlan, setting: str) -> tuple[str, str, str]:
    """Return file, key and words of what needs most of a setting's training images: sizes, or a pool."""
    needed = record.images[setting]["train"]
    for name in record.asked.settings:
        pool = plan.renderings[name]
        if isinstance(pool, Pool) and pool.of == setting and needed in pool.pools:
            file, key = definition_of(plan, record.asked, name, record.file)
            return file, f"{key}.pools", f"a pool of {needed:,} images is asked for"
    return record.file, "sizes", f"{needed:,} images are asked for"


def missing_blender(plan: Plan) -> Iterator[str]:
    """Yield a line when scenes are still to be rendered and Blender's module cannot be imported.

    The import is tried in another process: it takes a second and a half and cannot be undone.
    """
    if all(Path(shard).is_file() for shard in plan.needed_shards(plan.rendered())):
        return
    command = [sys.executable, "-c", "import bpy"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        library = re.search(r"(lib\S+\.so[.\d]*)", last)
        if library:
            hint = f"install the system package that holds {library[1]}"
        elif sys.version_info[:2] != (3, 11):
            hint = "Blender's module needs Python 3.11"
        else:
            hint = "pip install '.[render]'"
        yield f"bpy: Blender cannot be imported ({last}); {hint}"
