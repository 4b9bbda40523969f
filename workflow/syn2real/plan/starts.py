"""What runs start from: random weights, published ones, or files of a user's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syn2real.backbones.schema import RANDOM, published_starts
from syn2real.config.experiment import Experiment
from syn2real.data.targets.labels import kept_digest
from syn2real.errors import InputError
from syn2real.files import digest, file_digest, require_file
from syn2real.plan.plan import Plan
from syn2real.plan.runs import INITIAL
from syn2real.plugins import constant, names, unknown
from syn2real.tasks.schema import Stage

DIGESTS = Path("results/initial")
"""Where the digest of each file of a user's own is kept."""
MADE = "results/"
"""How the path of a file that the workflow makes begins."""


def check_starts(plan: Plan, e: Experiment, file: str) -> None:
    """Raise InputError unless an experiment's initial weights are defined, and of each of its backbones."""
    published = {model: published_starts(model) for model in e.models}
    for name in e.initial_weights:
        if name in {RANDOM}.union(*published.values()):
            problem = "this name means weights that are known already; choose another name"
            raise InputError(problem, file=file, key=f"initial_weights.{name}")
        if name not in e.initial:
            problem = f"nothing starts from these weights; list {name} under initial, or remove them"
            raise InputError(problem, file=file, key=f"initial_weights.{name}")
    if e.sizes and 0 not in e.sizes and {*e.initial} != {RANDOM}:
        problem = "add 0: each start is compared with the same weights without renders"
        raise InputError(problem, file=file, key="sizes")
    for name in e.initial:
        lacking = [model for model, starts in published.items() if name not in starts]
        if not lacking or name == RANDOM or name in e.initial_weights:
            continue
        every = set().union(*(constant("backbones", family, "PUBLISHED") for family in names("backbones")))
        if name not in every:
            known = [RANDOM, *sorted(every), *e.initial_weights]
            problem = f"{unknown(name, known)} (a file of yours is named under `initial_weights`)"
        else:
            there = ", ".join([RANDOM, *published[lacking[0]]])
            problem = f"no '{name}' is published for {lacking[0]} (there: {there}); leave one of them out"
        raise InputError(problem, file=file, key="initial")


def start_file(plan: Plan, model: str, initial: str) -> str | None:
    """Return the file that a run starts from; None for random weights."""
    if initial == RANDOM:
        return None
    own = plan.initial_weights.get(initial)
    return own.path if own else INITIAL.format(model=model, initial=initial)


def start_input(plan: Plan, model: str, initial: str) -> list[str]:
    """Return the file that a run starts from as its input, where the workflow makes or fetches it."""
    path = start_file(plan, model, initial)
    return [path] if path and path.startswith(MADE) else []


def start_params(
    plan: Plan, model: str, initial: str, *, look: bool = True, keep: bool = True
) -> dict[str, Any] | None:
    """Return what a run starts from as params; None for random weights.

    Parameters
    ----------
    plan : Plan
        The definitions.
    model, initial : str
        The run's backbone, and the name of its initial weights.
    look, keep : bool
        As `labels_digest` has them.

    Returns
    -------
    dict or None
        "path", whether it is a "detector", and of a user's own file its "digest", so that another content
        runs again; what the workflow makes is an input, whose time says it.
    """
    path = start_file(plan, model, initial)
    if path is None:
        return None
    own = plan.initial_weights.get(initial)
    detector = own.detector if own else bool(published_starts(model)[initial].get("detector"))
    found: dict[str, Any] = {"detector": detector, "path": path}
    if own and not path.startswith(MADE):
        kept = DIGESTS / f"{initial}-{digest(path)[:8]}.json"
        found["digest"] = kept_digest(
            kept, [Path(path)], lambda: file_digest(path)[:16], look=look, keep=keep
        )
    return dict(sorted(found.items()))


def starts_to_fetch(plan: Plan, e: Experiment) -> Iterator[str]:
    """Yield a line for each of an experiment's published weights that are not there yet, with its licence."""
    for model in e.models:
        for initial in e.initial:
            path = start_file(plan, model, initial)
            if path and initial not in plan.initial_weights and not Path(path).is_file():
                about = published_starts(model)[initial]
                yield f"{model}+{initial}: published weights; licence: {about['licence']}"


def missing_starts(plan: Plan, e: Experiment) -> Iterator[InputError]:
    """Yield what is wrong with the files that an experiment starts from: they are missing, or do not fit.

    Names and shapes of the tensors are held against the networks where PyTorch is installed; where it is not,
    the jobs do it. What the workflow makes is looked at once it is there.
    """
    for initial in e.initial:
        for model in e.models:
            path = start_file(plan, model, initial)
            if path is None or (path.startswith(MADE) and not Path(path).is_file()):
                continue
            try:
                require_file(path)
                _require_fit(plan, e, model, start_params(plan, model, initial, keep=False) or {})
            except InputError as error:
                yield error


def _require_fit(plan: Plan, e: Experiment, model: str, start: dict[str, Any]) -> None:
    """Raise InputError unless a file holds a backbone, and of a detector what the tasks take of it."""
    for task, backbone, net in networks(plan, e, model):
        from syn2real.tasks.base import load_start

        load_start(task, backbone, net, start["path"], detector=start["detector"], values=False)
        if not start["detector"]:  # all tasks take the same of it
            return


def networks(plan: Plan, e: Experiment, model: str) -> Iterator[tuple[Any, Any, Any]]:
    """Yield task, backbone and network of each task that an experiment trains, without any numbers.

    Nothing is yielded where PyTorch is not installed.

    Raises
    ------
    InputError
        A task cannot be trained with this backbone.
    """
    try:
        import torch

        from syn2real.tasks.base import build_model, task_class
    except ModuleNotFoundError:
        return
    trained: list[tuple[Stage, str]] = [("pretrain", ptask) for ptask in e.ptasks]
    trained += [("finetune", f.task) for f in e.ftasks]
    for stage, name in trained:
        task = task_class(name)(plan.recipes[e.trained_by].section(stage, name, model), ["any"])
        with torch.device("meta"):
            backbone, net = build_model(task, model)
        yield task, backbone, net
