"""The runs of an experiment, and the path of everything the workflow makes: a path says what was run."""

from dataclasses import dataclass
from typing import Any

from syn2real.backbones.schema import RANDOM, ModelName
from syn2real.data.arms import BACKBONE, Arm

NONE = "none"
"""Setting and task of a run without pre-training (n = 0)."""

# Templates of Snakemake: what stands in braces is a wildcard of a rule.
OBJECTS = "results/assets/objects/{collection}"
TEXTURES = "results/assets/textures/{collection}"
MATERIAL = "results/assets/materials/{collection}/{material}"
SHARD = "results/renders/{setting}/{split}/shard-{shard}.tar"
RENDER_LOG = "results/logs/render/{setting}/{split}/shard-{shard}.log"
IMPORT_LOG = "results/logs/import-renders/{setting}/{split}/shard-{shard}.log"
SAMPLES = "results/figures/samples/{setting}.png"
STAND_IN = "results/targets/{stand_in}"
SCANS = "results/scans/{target}"
INITIAL = "results/initial/{model}+{initial}.safetensors"
FETCHED_TARGET = "results/targets/{target}.fetched"
MEASUREMENTS = "results/measurements/{sha256}.csv"
PRETRAIN = "results/pretrain/{recipe}/{setting}/{ptask}/{model}{initial}/n{n}/seed{seed}"
FINETUNE = (
    "results/finetune/{recipe}/{setting}/{ptask}/{model}{initial}/n{n}/seed{seed}/{ftask}-{target}/"
    "s{percent}{arm}{rate}"
)
REFERENCE = "results/references/{reference}"
COMPLEXITY = "results/complexity/{reference}/{activation}-{image_size}px/n{n}/{setting}.json"
COMPARISON = "results/complexity/{experiment}.md"
DISTANCES = "results/complexity/{experiment}.json"
PILOT = "results/pilot/{experiment}"
PILOT_RATES = "results/pilot/{experiment}/rates"
PILOT_PRETRAIN = "results/pilot/{experiment}/pretrain-lengths"
POINTS = "results/points/{experiment}.csv"
LAW = "results/laws/{experiment}/{law}.json"
FITS = LAW.replace("{law}", "fits")
PAPER_LAW = "results/laws/{experiment}/paper/{law}.json"
PAPER_TABLE = "results/laws/{experiment}/paper/{law}.csv"
EXTRAPOLATION = LAW.replace("{law}", "extrapolation")
EXTRAPOLATION_TABLE = "results/laws/{experiment}/extrapolation.csv"
FITS_TABLE = "results/laws/{experiment}/fits.csv"
ADVICE = "results/laws/{experiment}/advice"
BOTH_ERRORS = "results/laws/{experiment}/both-errors.csv"
GAPS = "results/laws/{experiment}/gaps-by-distance.md"
FIGURE = "results/figures/{experiment}/{figure}"
PAPER_SHEET = "results/figures/paper.png"
JUDGED = "results/laws/{experiment}/claims"
CLAIMS = "results/claims"


def initial_name(wildcard: str) -> str:
    """Return the initial weights' name in a path's wildcard: `+imagenet` → `imagenet`; empty: `random`."""
    return wildcard.removeprefix("+") or RANDOM


def arm_of(wildcard: str) -> Arm:
    """Return the arm in a path's wildcard: `+whole` → `whole`; empty: `backbone`."""
    return Arm.named(wildcard.removeprefix("+") or BACKBONE)


def rate_of(wildcard: str) -> float:
    """Return the learning rate in a path's wildcard, in units of the recipe's: `+lr0.3` → 0.3; empty: 1."""
    return float(wildcard.removeprefix("+lr") or 1)


def number_name(number: float) -> str:
    """Return how a share of the labels, or a rate, is written in a path: 1 → `1`, 0.5 → `0.5`."""
    return f"{number:.10g}"


def shard_files(setting: str, split: str, count: int) -> list[str]:
    """Return the first `count` shards of a setting's split."""
    return [SHARD.format(setting=setting, split=split, shard=f"{k:06d}") for k in range(count)]


@dataclass(frozen=True, order=True)
class Pretraining:
    """One pre-training run.

    Attributes
    ----------
    recipe, setting, ptask, model : str
        Names; setting and ptask are "none" for n = 0.
    n : int
        Number of synthetic images.
    seed : int
        Run seed: initialisation and order, not the images.
    initial : str
        The weights that it starts from, by name.
    """

    recipe: str
    setting: str
    ptask: str
    model: ModelName
    n: int
    seed: int
    initial: str = RANDOM

    @property
    def wildcards(self) -> dict[str, Any]:
        """The wildcards of its path; behind the backbone stand `+` and the weights, but for random ones."""
        return vars(self) | {"initial": "" if self.initial == RANDOM else f"+{self.initial}"}

    @property
    def folder(self) -> str:
        """The run's folder."""
        return PRETRAIN.format(**self.wildcards)

    @property
    def metrics(self) -> str:
        """The file that holds the run's measurement."""
        return f"{self.folder}/metrics.json"


@dataclass(frozen=True, order=True)
class Finetuning:
    """One run on a target: its arm after a pre-training (n = 0: none), a task, and a part of the labels.

    Attributes
    ----------
    pretraining : Pretraining
        What it starts from; mixed, which is one training, has the settings and the length of one.
    ftask, target : str
        Names.
    percent : float
        Share of the target's training set, in percent; 0 for renders only.
    arm : str
        The arm.
    rate : float
        Learning rate, in units of the recipe's.
    """

    pretraining: Pretraining
    ftask: str
    target: str
    percent: float
    arm: str = BACKBONE
    rate: float = 1.0

    @property
    def is_pretrained(self) -> bool:
        """Whether it starts from a pre-trained model."""
        return self.pretraining.n > 0 and not Arm.named(self.arm).longer

    @property
    def folder(self) -> str:
        """The run's folder; an arm or a rate but the default stands behind `+`."""
        return FINETUNE.format(
            **self.pretraining.wildcards,
            ftask=self.ftask,
            target=self.target,
            percent=number_name(self.percent),
            arm="" if self.arm == BACKBONE else f"+{self.arm}",
            rate="" if self.rate == 1 else f"+lr{number_name(self.rate)}",
        )

    @property
    def metrics(self) -> str:
        """The file that holds the run's measurement."""
        return f"{self.folder}/metrics.json"
