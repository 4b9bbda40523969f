"""What a real run would miss on this machine: data that is not there, libraries Blender cannot find."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from syn2real.assets.archives import Archive
from syn2real.assets.bop import model_numbers, models_info
from syn2real.complexity.schema import GivenReference
from syn2real.data.own_renders.checks import check_own_renders
from syn2real.data.own_renders.index import update_index
from syn2real.data.targets.load import check_layout
from syn2real.errors import InputError
from syn2real.plan.plan import Plan, collections_of
from syn2real.render.schema import Rendering
from syn2real.render.stock import room_materials


def missing_data(plan: Plan) -> Iterator[str]:
    """Yield a line for each thing a real run would miss: file, what is wrong, which runs need it.

    A dry run shows these lines as warnings; a real run refuses to start.
    """
    for name, measured in plan.measured.items():
        table = measured.measurements.path
        if table is not None and not Path(table).is_file():
            yield f"{table}: there is no such file (the measurements of experiment {name})"
    for name, e in plan.experiments.items():
        for task, target in plan.labelled(name):
            if plan.stand_in_of(target) is None:
                try:
                    check_layout(plan.targets[target], task)
                except InputError as error:
                    yield f"{error} (needed by the {task} runs on {target} of experiment {name})"
        if e.complexity and isinstance(plan.references[e.complexity.reference], GivenReference):
            yield from _missing_weights(plan.reference_weights(e.complexity.reference), name)
        yield from _missing_own_renders(plan, name)
        for problem in dict.fromkeys(_missing_assets(plan, name)):
            yield f"{problem} (needed by the renders of experiment {name})"


def _missing_assets(plan: Plan, name: str) -> Iterator[str]:
    """Yield a line for what an experiment's own copies of objects and materials lack.

    What is made or fetched is not looked at: a killed job's folder may still be half there, and is made anew.
    """
    settings = plan.settings(name)
    for collection in collections_of(plan, settings):
        if collection in plan.config.objects:
            try:
                model_numbers(Path(plan.config.objects[collection]))
            except InputError as error:
                yield str(error)
    for setting, rendering in plan.rendered(settings).items():
        folder = plan.textures_folder(rendering)
        if folder and rendering.textures in plan.config.textures:
            try:
                room_materials(setting, rendering, Path(folder))
            except InputError as error:
                yield str(error)


def objects_input(plan: Plan, rendering: Rendering) -> list[str]:
    """Return what a setting's objects come from: their folders, or a user's own `models_info.json` files.

    Of a user's own, those that are there: `missing_data` tells the others.
    """
    inputs = []
    for collection in rendering.collections:
        folder = plan.objects_folder(collection)
        if collection not in plan.config.objects:
            inputs.append(folder)
        elif (listing := models_info(Path(folder))).is_file():
            inputs.append(str(listing))
    return inputs


def textures_input(plan: Plan, rendering: Rendering) -> list[str]:
    """Return what a setting's materials come from, if any, as for `objects_input`."""
    folder = plan.textures_folder(rendering)
    own = rendering.textures in plan.config.textures
    return [folder] if folder and (Path(folder).is_dir() or not own) else []


def _missing_weights(weights: str, name: str) -> Iterator[str]:
    """Yield a line when a reference backbone's file is not there; what the workflow makes will be."""
    if not weights.startswith("results/") and not Path(weights).is_file():
        yield f"{weights}: there is no such file (needed by the complexity of experiment {name})"


def _missing_own_renders(plan: Plan, name: str) -> Iterator[str]:
    """Yield a line for each setting of an experiment whose own renders are not there or malformed."""
    e = plan.experiments[name]
    for setting, own in plan.own_renders(e.settings).items():
        try:
            check_own_renders(setting, own, e.ptasks, plan.images_wanted(name, setting))
        except InputError as error:
            yield f"{error} (needed by the pre-training on {setting} of experiment {name})"


def check_own_sizes(plan: Plan) -> None:
    """Check that own renders hold as many images as experiments use, as far as their files can be read.

    What is missing or malformed, `missing_data` tells with who needs it.

    Parameters
    ----------
    plan : Plan
        The definitions.

    Raises
    ------
    InputError
        An annotation file names fewer images than a size or the recipe's validation needs.
    """
    for name, e in plan.experiments.items():
        for setting, own in plan.own_renders(e.settings).items():
            wanted = plan.images_wanted(name, setting)
            asked = {
                "train": ("sizes", f"{wanted['train']:,} images are asked for"),
                "val": ("recipe", f"{e.recipe} validates on {wanted['val']:,} images (validation_images)"),
            }
            for split, (key, what) in asked.items():
                try:
                    found = update_index(setting, own, split).images
                except InputError:
                    continue
                if found < wanted[split]:
                    path = own.annotations.of("train" if split == "train" else "val")
                    raise InputError(
                        f"{what}, but {path} ({setting}) names {found:,}; render more or ask for fewer",
                        file=plan.files[name],
                        key=key,
                    )


def downloads(plan: Plan, name: str) -> Iterator[str]:
    """Yield a line for each collection that an experiment fetches and that is not there yet.

    It tells the archives, the bytes still to come as far as they are known, how many archives no published
    checksum holds to one version, and the provider's terms as far as the table of data sets records them.
    """
    settings = plan.settings(name)
    for collection in collections_of(plan, settings):
        if collection in plan.fetched("bop") and not Path(plan.objects_folder(collection)).is_dir():
            archives = plan.datasets[collection]
            yield f"{collection}: {_archives(plan, archives)}; licence: {archives[0].licence}"
    folders = {plan.textures_folder(r): r for r in plan.rendered(settings).values()}
    for folder, rendering in folders.items():
        if rendering.textures in plan.fetched("ambientcg") and folder and not Path(folder).is_dir():
            every = "all materials that tile a room"
            what = rendering.background_material if rendering.background == "fix" else every
            yield f"{rendering.textures}: {what}; licence: {plan.datasets[rendering.textures][0].licence}"


def _archives(plan: Plan, archives: Iterable[Archive]) -> str:
    """Return how many archives of a collection are still to be fetched, and how large they are."""
    folder = Path(plan.config.downloads)
    missing = [a for a in archives if not (folder / a.name / a.file).is_file()]
    if not missing:
        return "archives at hand are unpacked"
    known, unknown = sum(a.size or 0 for a in missing), sum(a.size is None for a in missing)
    sizes = [f"{known / 1e6:,.2f} MB"] if known else []
    sizes += [f"{unknown} of unknown size"] if unknown else []
    free = sum(a.sha256 is None for a in missing)
    checksums = f", {free} without a published checksum" if free else ""
    return f"{len(missing)} archives, {' and '.join(sizes)}{checksums}"


def missing_blender(plan: Plan) -> Iterator[str]:
    """Yield a line when scenes are still to be rendered and Blender's module cannot be imported.

    The import is tried in another process: it takes a second and a half and cannot be undone.
    """
    if all(Path(shard).is_file() for shard in shards_of(plan, plan.rendered())):
        return
    command = [sys.executable, "-c", "import bpy"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        library = re.search(r"(lib\S+\.so[.\d]*)", last)
        if library:
            mend = f"install the system package that holds {library[1]}"
        elif sys.version_info[:2] != (3, 11):
            mend = "Blender's module needs Python 3.11"
        else:
            mend = "install syn2real[render]"
        yield f"bpy: Blender cannot be imported ({last}); {mend}"


def shards_of(plan: Plan, settings: Iterable[str], names: Iterable[str] | None = None) -> set[str]:
    """Return the shards of some settings that experiments (default: all of a plan) need."""
    folders = tuple(f"results/renders/{setting}/" for setting in settings)
    return {shard for shard in wanted_shards(plan, names) if shard.startswith(folders)}


def wanted_shards(plan: Plan, names: Iterable[str] | None = None) -> Iterator[str]:
    """Yield every shard that experiments (default: all of a plan) need, some of them more than once."""
    for name in plan.experiments if names is None else names:
        e = plan.experiments[name]
        for setting in e.settings:
            for split, images in plan.images_wanted(name, setting).items():
                yield from plan.shards(setting, split, images)
        for stand_in in plan.used_stand_ins(name):
            yield from plan.stand_in_shards(stand_in, "train")
            yield from plan.stand_in_shards(stand_in, "val")
