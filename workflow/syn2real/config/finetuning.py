"""One fine-tuning task of an experiment: its target, the shares of its labels, and its arms."""

from typing import TYPE_CHECKING, Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from syn2real import plugins
from syn2real.complexity.schema import FTask
from syn2real.config.lengths import Percent, Rate, without_duplicates
from syn2real.data.arms import BACKBONE, LONGER, RENDERS_ONLY, Arm, ArmName
from syn2real.schema import Name, Section, later
from syn2real.tasks.schema import tasks_of

PHOTOGRAPHS = "photographs"
"""Of `rates`: fine-tuning without pre-training (n = 0)."""

if TYPE_CHECKING:
    PTask = str
else:
    PTask = plugins.one_of(
        tasks_of("pretrain"), dict.fromkeys(plugins.names("tasks"), "a task for fine-tuning only")
    )

T = TypeVar("T")


def _rated(name: str) -> str:
    """Return the name of what has a learning rate of its own, or refuse another."""
    if name == RENDERS_ONLY:
        raise ValueError(f"{RENDERS_ONLY} trains nothing on photographs, so it has no learning rate; drop it")
    return name if name == PHOTOGRAPHS else Arm.named(name).name


class FineTuning(Section):
    """One fine-tuning task, its target and the shares of the target's training set to use."""

    task: FTask = Field(description="the fine-tuning task")
    target: Name = Field(description="the target data set, by its name in targets.yaml or here")
    percents: tuple[Percent, ...] = Field(
        (1.0,), min_length=1, description="shares of the target's training set (§4.1: 1), in percent"
    )
    ptasks: tuple[PTask, ...] | None = Field(
        None,
        min_length=1,
        description="the pre-training tasks it follows; all of the experiment's by default",
    )
    arms: tuple[ArmName, ...] = later(
        (BACKBONE,),
        min_length=1,
        description="ways to use the renders, each with runs of its own: backbone (the paper's: the "
        "pre-trained backbone under a new head), whole (the pre-trained head too), renders-only (the "
        "pre-trained model as it is, no photographs), mixed-0.5 (one training, half of each batch renders; "
        "any share below 1), photographs-longer (photographs alone, as many updates as pre-training and "
        "fine-tuning together; mixed brings it along as its n = 0). whole, renders-only and mixed need "
        "labels on the renders: the task among ptasks",
    )
    classes: dict[str, str] = later(
        {},
        description="class of the renders → class of the photographs, for whole, renders-only and mixed, "
        "where their names differ",
    )
    rates: dict[Annotated[str, AfterValidator(_rated)], Rate] = later(
        {},
        description="arm → learning rate of its fine-tuning, in units of the recipe's; photographs: that of "
        "n = 0 (default: 1). An arm should not lose by a rate that suits another",
    )

    @field_validator("percents", "ptasks", "arms")
    @classmethod
    def _no_duplicates(cls, values: tuple[T, ...] | None) -> tuple[T, ...] | None:
        return values and without_duplicates(values)

    @model_validator(mode="after")
    def _renders_are_labelled(self) -> Self:
        needing = [arm.name for arm in self._arms if arm.needs_labels_on_renders]
        if needing and self.task not in tasks_of("pretrain"):
            raise ValueError(
                f"arms: renders carry no labels of {self.task}, which {needing[0]} needs; drop it"
            )
        if needing and self.ptasks and self.task not in self.ptasks:
            raise ValueError(
                f"arms: {needing[0]} needs renders labelled for {self.task}; add it to its ptasks"
            )
        if self.classes and not needing:
            raise ValueError(
                "classes: no arm here reads the renders' classes (whole, renders-only, mixed do); drop it"
            )
        if {arm.name for arm in self._arms} == {LONGER}:
            raise ValueError(f"arms: {LONGER} uses no renders; name an arm to compare it with, as {BACKBONE}")
        return self

    @model_validator(mode="after")
    def _rates_are_used(self) -> Self:
        used = {*self.arms} | ({LONGER} if self.longer else set())
        used |= set() if all(arm.longer for arm in self._arms) else {PHOTOGRAPHS}
        for name in self.rates:
            if name not in used:
                raise ValueError(f"rates: {name} is not among its arms; add it there, or drop it here")
        return self

    @property
    def _arms(self) -> list[Arm]:
        return [Arm.named(name) for name in self.arms]

    @property
    def longer(self) -> str | None:
        """The first arm, if any, that needs photographs alone trained as long as with renders."""
        return next((arm.name for arm in self._arms if arm.longer), None)

    def follows(self, ptask: str) -> bool:
        """Whether one of its arms follows a pre-training task."""
        return any(self.arm_follows(arm, ptask) for arm in self._arms)

    def arm_follows(self, arm: Arm, ptask: str) -> bool:
        """Whether an arm learns from renders by a pre-training task."""
        named = self.ptasks is None or ptask in self.ptasks
        return named and (ptask == self.task or not arm.needs_labels_on_renders)

    def rate(self, arm: str, n: int) -> float:
        """Return the learning rate of an arm's fine-tuning after n renders, in units of the recipe's."""
        return self.rates.get(PHOTOGRAPHS if arm == BACKBONE and n == 0 else arm, 1.0)
