"""Objects and materials of the settings: which are made, fetched or a user's own, and where they lie."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from syn2real.assets.archives import Archive
from syn2real.assets.bop import models_info
from syn2real.plan.plan import Plan
from syn2real.plan.runs import MATERIAL, OBJECTS, TEXTURES
from syn2real.render.schema import Rendering

MADE_OBJECTS = ("demo-textured", "demo-textureless", "demo-typeset", "demo-handwritten")
"""Object collections the workflow makes itself."""

MADE_TEXTURES = ("demo",)
"""Material collections the workflow makes itself."""


def fetched(plan: Plan, layout: str) -> list[str]:
    """Return the collections of a layout (bop, ambientcg) that are fetched where a setting uses them.

    The user's own copy wins, then what the workflow makes.
    """
    here = {*plan.config.objects, *plan.config.textures, *MADE_OBJECTS, *MADE_TEXTURES}
    names = (name for name, archives in plan.datasets.items() if archives[0].layout == layout)
    return [name for name in names if name not in here]


def collections_of(plan: Plan, settings: Iterable[str]) -> list[str]:
    """Return the object collections that settings draw from, each once."""
    drawn = (collection for r in plan.rendered(settings).values() for collection in r.collections)
    return list(dict.fromkeys(drawn))


def objects_folder(plan: Plan, collection: str) -> str:
    """Return the folder of an object collection: the user's own, or the one made or fetched here."""
    return plan.config.objects.get(collection, OBJECTS.format(collection=collection))


def textures_folder(plan: Plan, rendering: Rendering) -> str | None:
    """Return the folder of a setting's materials: the user's own, or the one made or fetched here.

    A fixed background needs one material; only that one is fetched.
    """
    collection = rendering.textures
    if collection is None or rendering.background == "colour":
        return None
    if collection in plan.config.textures:
        return plan.config.textures[collection]
    if collection in fetched(plan, "ambientcg") and rendering.background == "fix":
        return MATERIAL.format(collection=collection, material=rendering.background_material)
    return TEXTURES.format(collection=collection)


def asset_folders(plan: Plan, rendering: Rendering) -> dict[str, Any]:
    """Return the folders a setting is rendered from: {"objects": {collection: folder}, "textures": …}."""
    return {
        "objects": {c: objects_folder(plan, c) for c in sorted(rendering.collections)},
        "textures": textures_folder(plan, rendering),
    }


def objects_input(plan: Plan, rendering: Rendering) -> list[str]:
    """Return what a setting's objects come from: their folders, or a user's own `models_info.json` files.

    Of a user's own, those that are there: `syn2real.plan.missing` reports the others.
    """
    inputs = []
    for collection in rendering.collections:
        folder = objects_folder(plan, collection)
        if collection not in plan.config.objects:
            inputs.append(folder)
        elif (listing := models_info(Path(folder))).is_file():
            inputs.append(str(listing))
    return inputs


def textures_input(plan: Plan, rendering: Rendering) -> list[str]:
    """Return what a setting's materials come from, if any, as for `objects_input`."""
    folder = textures_folder(plan, rendering)
    own = rendering.textures in plan.config.textures
    return [folder] if folder and (Path(folder).is_dir() or not own) else []


def downloads(plan: Plan, name: str) -> Iterator[str]:
    """Yield a line for each collection that an experiment fetches and that is not there yet.

    It has the archives, the bytes still to come as far as they are known, how many archives no published
    checksum holds to one version, and the provider's terms as far as the table of data sets records them.
    """
    settings = plan.experiments[name].settings
    for collection in collections_of(plan, settings):
        if collection in fetched(plan, "bop") and not Path(objects_folder(plan, collection)).is_dir():
            archives = plan.datasets[collection]
            yield f"{collection}: {_archives(plan, archives)}; licence: {archives[0].licence}"
    folders = {textures_folder(plan, r): r for r in plan.rendered(settings).values()}
    for folder, rendering in folders.items():
        if rendering.textures in fetched(plan, "ambientcg") and folder and not Path(folder).is_dir():
            every = "all materials that tile a room"
            what = rendering.background_material if rendering.background == "fix" else every
            yield f"{rendering.textures}: {what}; licence: {plan.datasets[rendering.textures][0].licence}"


def _archives(plan: Plan, archives: Iterable[Archive]) -> str:
    """Return how many archives of a collection are still to be fetched, and how large they are."""
    folder = Path(plan.config.downloads)
    absent = [a for a in archives if not (folder / a.name / a.file).is_file()]
    if not absent:
        return "archives at hand are unpacked"
    known, unknown = sum(a.size or 0 for a in absent), sum(a.size is None for a in absent)
    sizes = [f"{known / 1e6:,.2f} MB"] if known else []
    sizes += [f"{unknown} of unknown size"] if unknown else []
    free = sum(a.sha256 is None for a in absent)
    checksums = f", {free} without a published checksum" if free else ""
    return f"{len(absent)} archives, {' and '.join(sizes)}{checksums}"
