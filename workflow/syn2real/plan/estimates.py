"""How long runs take: by finished runs of their kind, else measured steps, else the recipe's assumption."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from syn2real.data.arms import Arm
from syn2real.data.targets.schema import fold_of
from syn2real.files import read_json
from syn2real.plan.measured import is_trained, measured_hours, read_measured, section_of, stage_of
from syn2real.plan.plan import Plan
from syn2real.plan.runs import Finetuning, Pretraining

Run = Pretraining | Finetuning
RECIPE = "the recipe's assumption"


def runs_of(plan: Plan) -> list[Run]:
    """Return the runs of all experiments of a plan, each once."""
    records = plan.experiments.values()
    pretrainings = {run for record in records for run in record.pretrainings}
    return [*sorted(pretrainings), *sorted({run for record in records for run in record.finetunings})]


def read_done(run: Run) -> dict[str, Any] | None:
    """Return what a run's metrics.json holds; None where it is not there, or lacks a run's numbers."""
    try:
        found = read_json(run.metrics)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and _is_whole(found, isinstance(run, Finetuning)) else None


def _is_whole(metrics: Mapping[str, Any], tested: bool) -> bool:
    """Whether metrics have a device and finite numbers: seconds, and of a tested run its error."""
    numbers = [metrics.get("seconds"), metrics.get("devices", 1), metrics.get("error") if tested else 0]
    return isinstance(metrics.get("device"), str) and all(
        type(value) in (int, float) and 0 <= value < math.inf for value in numbers
    )


def hours_text(hours: float) -> str:
    """Return hours in words: two decimals, of few minutes four."""
    return f"{hours:,.2f}" if hours >= 0.1 or hours == 0 else f"{hours:.4f}"


def read_finished(runs: Iterable[Run]) -> dict[Run, dict[str, Any]]:
    """Return the metrics of the runs that are done."""
    return {run: found for run in runs if (found := read_done(run))}


@dataclass(frozen=True)
class Estimate:
    """The hours of a run on one device, and what they are read from; None where nothing says."""

    hours: float | None
    source: str


class Estimates:
    """Hours of the runs of a plan.

    A run of another n takes as long (§4.1), so finished runs stand for all of their kind: those on the
    device that `check --measure` found, and without it on the commonest.

    Parameters
    ----------
    plan : Plan
        The definitions.
    finished : mapping of run to dict
        As `read_finished` returns it.
    price : float, optional
        Of an hour of a device.
    """

    def __init__(
        self, plan: Plan, finished: Mapping[Run, dict[str, Any]], price: float | None = None
    ) -> None:
        self.plan, self.price = plan, price
        devices = Counter(metrics["device"] for metrics in finished.values())
        self.measured = read_measured()
        self.device = self.measured.get("device") or (devices.most_common(1)[0][0] if devices else "")
        self.seconds: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for run, metrics in finished.items():
            # A training that diverged, as a pilot's may, ended early.
            if metrics["device"] == self.device and not metrics.get("diverged"):
                self.seconds[_kind(run)].append(metrics["seconds"] * metrics.get("devices", 1))

    def of(self, run: Run) -> Estimate:
        """Return the estimate of a run."""
        if times := self.seconds.get(_kind(run)):
            return Estimate(mean(times) / 3600, f"finished runs on {self.device}")
        if (measured := measured_hours(self.plan, run, self.measured)) is not None:
            return Estimate(measured, f"measured steps on {self.device}")
        hours = section_of(self.plan, run).hours() if is_trained(run) else 0.0
        return Estimate(hours, RECIPE if _is_stated(self.plan, run) else f"{RECIPE} for a ResNet")

    def text(self, estimates: Iterable[Estimate]) -> str:
        """Return the sum of some estimates in words: the longest run, the price, what they are read from."""
        each = list(estimates)
        known = [estimate.hours for estimate in each if estimate.hours is not None]
        if each and not known:
            return "an unknown time"
        longest = f", the longest run {hours_text(max(known))}" if len(known) > 1 else ""
        unknown = f" and {len(each) - len(known)} runs without an estimate" if len(known) < len(each) else ""
        cost = f", {self.price * sum(known):,.2f} at {self.price:g} an hour" if self.price is not None else ""
        sources = Counter(estimate.source for estimate in each if estimate.hours is not None)
        named = sorted(sources)
        by = named[0] if len(named) == 1 else ", ".join(f"{sources[source]} by {source}" for source in named)
        source = f" ({'by ' if len(named) == 1 else ''}{by})" if named else ""
        return f"about {hours_text(sum(known))} device hours{longest}{unknown}{cost}{source}"


def _is_stated(plan: Plan, run: Run) -> bool:
    """Whether a recipe states the hours of a run's own backbone, as it does a ResNet's and some others'."""
    stage, recipe, task, model = stage_of(run)
    given = plan.recipes[recipe].require(stage, task).models.get(model)
    return "resnet" in model or bool(given and given.seconds_per_1000_images) or not is_trained(run)


def _kind(run: Run) -> tuple[str, ...]:
    """Return what a run's duration depends on."""
    if isinstance(run, Pretraining):
        return stage_of(run)
    arm = Arm.named(run.arm)
    # The others train alike, from what they load.
    own = (arm.name, run.pretraining.ptask) if arm.longer or not is_trained(run) else ()
    return (*stage_of(run), fold_of(run.target)[0], str(run.percent), *own)
