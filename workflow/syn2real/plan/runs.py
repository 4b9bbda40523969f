"""The runs of an experiment and where each lies: a path says what was run, and is its key."""

from dataclasses import dataclass

from syn2real.backbones.schema import ModelName

NONE = "none"
"""Setting and task of a run without pre-training (n = 0)."""


def percent_name(percent: float) -> str:
    """Return how a share of the target's training set is written in a path: 1 → `1`, 0.5 → `0.5`."""
    return f"{percent:.10g}"


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
    """

    recipe: str
    setting: str
    ptask: str
    model: ModelName
    n: int
    seed: int

    @property
    def name(self) -> str:
        """The part of the path that names the run."""
        return f"{self.recipe}/{self.setting}/{self.ptask}/{self.model}/n{self.n}/seed{self.seed}"

    @property
    def folder(self) -> str:
        """The run's folder."""
        return f"results/pretrain/{self.name}"


@dataclass(frozen=True, order=True)
class Finetuning:
    """One fine-tuning run: a pre-training (n = 0: none), a task, a target and a share of its labels."""

    pretraining: Pretraining
    ftask: str
    target: str
    percent: float

    @property
    def folder(self) -> str:
        """The run's folder."""
        share = percent_name(self.percent)
        return f"results/finetune/{self.pretraining.name}/{self.ftask}-{self.target}/s{share}"

    @property
    def metrics(self) -> str:
        """The file that holds the run's measurement."""
        return f"{self.folder}/metrics.json"
