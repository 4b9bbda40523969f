"""Look-ups shared by the rules: params and resources. What they mean, and every path, lies in syn2real.plan."""

import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import get_args

from syn2real.backbones.schema import family_of
from syn2real.complexity.schema import Activation
from syn2real.config.needs import claim_needs, needs
from syn2real.data.arms import PATTERN
from syn2real.data.findings import Findings
from syn2real.data.own_renders.index import part_file
from syn2real.data.targets.labels import labels_digest
from syn2real.data.targets.schema import fold_of
from syn2real.plugins import constant, names
from syn2real.jobs.fingerprint import fingerprint, plugin_modules
from syn2real.plan import assets
from syn2real.plan.assets import MADE_OBJECTS, MADE_TEXTURES
from syn2real.plan.estimates import runs_of
from syn2real.plan.missing import check_own_sizes, missing_blender, missing_data
from syn2real.plan.pilot import all_pilots, pilot_lengths, pilot_runs, pretrain_length_runs, pretrain_lengths, rate_runs
from syn2real.plan.read import load_plan
from syn2real.plan.runs import (
    ADVICE, BOTH_ERRORS, CLAIMS, COMPARISON, COMPLEXITY, DISTANCES, EXTRAPOLATION, EXTRAPOLATION_TABLE, FETCHED_TARGET, FIGURE, FINETUNE, FITS, IMPORT_LOG, INITIAL,
    FITS_TABLE, GAPS, JUDGED, LAW, MATERIAL, MEASUREMENTS, NONE, OBJECTS, PAPER_LAW, PAPER_SHEET, PAPER_TABLE, PILOT, PILOT_PRETRAIN, PILOT_RATES, POINTS, PRETRAIN, REFERENCE, RENDER_LOG, SAMPLES, SCANS, SHARD, STAND_IN, TEXTURES,
    arm_of, initial_name, rate_of, shard_files,
)  # fmt: skip
from syn2real.plan.sheet import sheet_cells
from syn2real.plan.starts import start_input, start_params
from syn2real.plan.status import answers, report_progress
from syn2real.schema import to_params
from syn2real.tasks.schema import channel_of, tasks_of

# A dry run writes nothing here: it indexes a user's own annotations in a folder that goes with the process.
SCRATCH = tempfile.TemporaryDirectory() if workflow.output_settings.dryrun else None
ROOT = Path(SCRATCH.name if SCRATCH else "")

try:
    PLAN = load_plan(config, file="config/config.yaml")
    if workflow.is_main_process:
        check_own_sizes(PLAN, ROOT)
except InputError as error:
    refuse([error])


def one_of(names):
    """The regular expression of some names; of none, one that matches nothing."""
    return "|".join(sorted(names)) or "(?!)"


wildcard_constraints:
    recipe=r"[a-z0-9-]+(\.\d+)?(-p\d+\.\d+)?",
    setting="[a-z0-9-]+",
    split="train|val",
    shard=r"\d{6}",
    collection="[a-z0-9-]+",
    ptask=one_of([*tasks_of("pretrain"), NONE]),
    ftask=one_of(tasks_of("finetune")),
    target="[a-z0-9-]+",
    model="[a-z0-9_-]+",
    initial=r"(\+[a-z0-9-]+)?",
    n=r"\d+",
    seed=r"\d+",
    percent=r"\d+(\.\d+)?",
    arm=rf"(\+({PATTERN}))?",
    rate=r"(\+lr\d+(\.\d+)?)?",
    experiment="[a-z0-9-]+",
    stand_in="[a-z0-9-]+",
    reference="[a-z0-9-]+",
    activation=one_of(get_args(Activation)),
    image_size=r"\d+",


def code(script, **plugins):
    """Digest of a stage's script, the library modules it imports, and the plug-ins that a job names.

    `plugins`: an extension point, such as tasks, and the name of one of its plug-ins, or several.
    """
    named = ((point, names if isinstance(names, str) else tuple(names)) for point, names in plugins.items())
    return digest(script, tuple(named))


# What follows is asked for by every job, and is the same for many.
@cache
def digest(script, plugins):
    modules = [module for point, names in plugins for module in plugin_modules(point, names)]
    return fingerprint(Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py", *modules)


# Data and rendering


def objects_of(wildcards):
    """Folders of made and fetched collections; of a user's own, the file that says what is in it."""
    return assets.objects_input(PLAN, PLAN.renderings[wildcards.setting])


def textures_of(wildcards):
    return assets.textures_input(PLAN, PLAN.renderings[wildcards.setting])


def addresses_of(wildcards):
    """What decides which bytes are fetched; a size or checksum that is filled in later changes none."""
    return [[archive.url, archive.version] for archive in PLAN.datasets[wildcards.collection]]


def render_code(wildcards):
    """Digest of what renders a setting: with its channels, and with the randomisations that are on."""
    randomisations = PLAN.renderings[wildcards.setting].randomisations()
    return code("render", channels=channels_of(wildcards), randomise=list(randomisations))


def asset_folders(wildcards):
    return assets.asset_folders(PLAN, PLAN.renderings[wildcards.setting])


def part_of(wildcards):
    """A shard's part of your own annotations, named by its content; None where a warning says it is missing."""
    path = part_file(wildcards.setting, wildcards.split, int(wildcards.shard), ROOT)
    return str(path) if path else None


def channels_of(wildcards):
    return PLAN.renderings[wildcards.setting].channel_names()


def sampled_shards(wildcards):
    """A setting's first shard, which is shown, then the others it renders, whose redrawn scenes count too."""
    [first] = shard_files(wildcards.setting, "train", 1)
    others = PLAN.needed_shards(PLAN.rendered([wildcards.setting])) - {first}
    return [first, *sorted(others)]


# Resources


def memory(mib, attempt):
    """Half as much again for the second attempt and the third: what was killed may have needed more."""
    return mib * (min(attempt, 3) + 1) // 2


def this_attempt(wildcards, attempt):
    """Which attempt of this call a job is (syn2real.jobs.attempts)."""
    return attempt


# Training


@cache
def resolved(stage, task, model, recipe):
    """What a recipe says of one task and backbone, as plain data sorted by key."""
    return dict(sorted(PLAN.recipes[recipe].resolve(stage, task, model).items()))


def render_memory(wildcards, attempt):
    """Memory of a render job, MiB: Blender with its scene, and some 650 bytes of each pixel it computes."""
    rendering = PLAN.renderings[wildcards.setting]
    width, height = rendering.size
    return memory(1500 + 650 * width * height * rendering.supersampling**2 // 2**20, attempt)


def training_memory(stage, task, wildcards, attempt, threads):
    """Memory of a training job, MiB: for each GPU a process that trains, and its processes that load data.

    How many GPUs a profile gives is not known here; it gives as many times the recipe's threads with them.
    """
    workers = resolved(stage, task, wildcards.model, wildcards.recipe)["workers"]
    return memory(
        (2500 + 1000 * workers) * max(1, threads // PLAN.recipes[wildcards.recipe].threads), attempt
    )


def val_images(wildcards):
    return PLAN.val_images(wildcards.recipe, wildcards.setting)


def pool_of(wildcards):
    """What n images are drawn from, as params; of whole scenes Ellipsis, which Snakemake records no params of.

    So runs on whole scenes keep the params that they were made with.
    """
    return PLAN.pool(wildcards.setting, int(wildcards.n)) or ...


def start_of(wildcards):
    """What a run starts from, as params; of random weights Ellipsis, so that these keep the params they had."""
    main, dry = workflow.is_main_process, workflow.output_settings.dryrun
    start = start_params(PLAN, wildcards.model, initial_name(wildcards.initial), look=main, keep=not dry)
    return start or ...


def start_file_of(wildcards):
    """The initial weights that the workflow fetches or makes; a user's own file is no input: its digest counts."""
    return start_input(PLAN, wildcards.model, initial_name(wildcards.initial))


def target_files(target):
    """A stand-in's folder or that of scans, or the mark of a fetched data set; other data is no file here."""
    target, *_ = fold_of(target)
    if stand_in := PLAN.stand_in_of(target):
        return STAND_IN.format(stand_in=stand_in)
    if PLAN.targets[target].scans:
        return SCANS.format(target=target)
    fetched = PLAN.targets[target].layout == "torchvision"
    return FETCHED_TARGET.format(target=target) if fetched else []


def target_of(wildcards):
    return target_files(wildcards.target)


@cache
def labelled(target):
    """What of a target decides a run's numbers; of a user's own files with a digest of the labels."""
    data = PLAN.target_data(target)
    if target_files(target):
        return data
    main, dry = workflow.is_main_process, workflow.output_settings.dryrun
    labels = labels_digest(fold_of(target)[0], PLAN.targets[target], look=main, keep=not dry)
    return dict(sorted({**data, "labels": labels}.items()))


def stand_in_shards(stand_in, split):
    """The shards that a split of a stand-in is made from."""
    made = PLAN.stand_ins[stand_in]
    rendered = {"train": "train", "test": "val"}[split]  # a setting has no third kind of scenes
    return PLAN.shards(made.setting, rendered, getattr(made, f"{split}_images"))


def reference_key(name):
    """What a reference backbone is trained by, as plain data sorted by key."""
    named = ("ftask", "model", "recipe", "seed", "target")
    return {key: getattr(PLAN.references[name], key) for key in named}


def reference_of(wildcards):
    """The reference backbone of an experiment's complexities: its name, and what it is."""
    name = PLAN.experiments[wildcards.experiment].asked.complexity.reference
    return name, PLAN.references[name]


def distant_settings(wildcards):
    """Which images of each setting of an experiment are compared with photographs, as params."""
    asked = PLAN.experiments[wildcards.experiment].asked
    n = asked.complexity.images
    return {
        setting: {
            "n": n,
            "pool": PLAN.pool(setting, n) and PLAN.used_images(setting, n),
            "shards": PLAN.shards(setting, "train", n),
        }
        for setting in sorted(asked.settings)
    }


def distant_targets(wildcards):
    """Which images of which targets they are compared with, as params; views of one scene are no two samples."""
    against = sorted(PLAN.experiments[wildcards.experiment].against)
    scenes = {target: PLAN.targets[target].scene for target, _ in against}
    return {
        target: {"data": labelled(target) | ({"scene": scenes[target]} if scenes[target] else {}), "split": split}
        for target, split in against
    }


@cache
def learnt(task, model):
    """The plug-ins that a training of a task loads by name, for `code`."""
    return {"tasks": task, "channels": channel_of(task), "backbones": family_of(model)}


# Results


def figure_path(figure):
    """Where a figure lies, without its suffix."""
    return FIGURE.replace("{figure}", figure)


def figure_files(wildcards, figure):
    """The files that a figure needs; Snakemake reserves some of their names, such as size."""
    return sum(PLAN.experiments[wildcards.experiment].figure_inputs(figure).values(), [])


def given_values(wildcards, needed):
    """What a figure or claims need that is not in a file, by name."""
    values = {
        "stand_ins": PLAN.summary(wildcards.experiment)["stand_ins"],
        "settings": list(PLAN.experiments[wildcards.experiment].asked.settings),
        "levels": dict(sorted(PLAN.levels(wildcards.experiment).items())),
    }
    return {need: value for need, value in values.items() if need in needed}


def claims_of(wildcards):
    return PLAN.experiments[wildcards.experiment].asked.claims


def paper_method(wildcards):
    """What the paper's method is asked for with, as params; None where it is not."""
    asked = PLAN.experiments[wildcards.experiment].asked.paper
    return None if asked is None else to_params(asked)


def measurements_of(wildcards):
    """The table of a measured experiment: the user's own file, or the one that is fetched."""
    table = PLAN.measured[wildcards.experiment].measurements
    return table.path or MEASUREMENTS.format(sha256=table.sha256)


def address_of_measurements(wildcards):
    tables = (measured.measurements for measured in PLAN.measured.values())
    return next(table.url for table in tables if table.sha256 == wildcards.sha256)


def judged_files():
    """The claims of each experiment that names some, in the experiments' order."""
    return [
        f"{JUDGED.format(experiment=n)}.json" for n, record in PLAN.experiments.items() if record.asked.claims
    ]


def final_output():
    """The answer of each experiment, and samples of its settings."""
    answers = [file for record in PLAN.experiments.values() for file in record.answer]
    answers += [PAPER_SHEET] if sheet_cells(PLAN) else []
    answers += [f"{CLAIMS}.{kind}" for kind in ("md", "html", "csv")] if judged_files() else []
    return answers + expand(SAMPLES, setting=sorted(PLAN.settings))


def final_pilots(wildcards):
    """The results of each experiment's pilot: of lengths, and of what else is to be tried."""
    try:
        all_pilots(PLAN)
    except InputError as error:
        refuse([error])
    files = expand(f"{PILOT}.md", experiment=PLAN.run)
    for name, e in PLAN.run.items():
        further = {PILOT_RATES: e.pilot.rates, PILOT_PRETRAIN: e.pilot.pretrain_lengths}
        files += [f"{path.format(experiment=name)}.md" for path, tried in further.items() if tried]
    return files


# Looked for once, by the main process: every call warns, and onstart refuses, which no dry run reaches.
DATA = missing_data(PLAN, ROOT) if workflow.is_main_process else Findings()
for problem in [*DATA.refusals, *DATA.warnings]:
    print(f"warning: {problem}", file=sys.stderr)


onstart:
    # Blender is looked for here unless rendering jobs get an environment of their own.
    deployed = workflow.deployment_settings.deployment_method
    if problems := [*DATA.refusals, *([] if deployed else missing_blender(PLAN))]:
        refuse(problems)
    # On a terminal the logger's bar shows it.
    if not sys.stderr.isatty():
        report_progress(
            PLAN,
            all_pilots(PLAN) if "pilot" in workflow.dag_settings.targets else runs_of(PLAN),
            sys.stderr,
        )


onsuccess:
    print(*answers(PLAN), sep="\n", file=sys.stderr)
