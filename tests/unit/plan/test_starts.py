"""Initial weights: each has its runs, random ones keep paths and params, what does not fit is refused."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torchvision.models import resnet18, resnet50

from syn2real.errors import InputError
from syn2real.plan.costs import plan_lines
from syn2real.plan.estimates import Estimates
from syn2real.plan.missing import missing_data
from syn2real.plan.pilot import pilot_runs
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.plan.starts import start_input, start_params

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _load(**changes: object) -> Plan:
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text()) | changes
    Path("e.yaml").write_text(yaml.safe_dump(value))
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    shared["datasets"] = str(ROOT / "config/datasets.tsv")
    return load_plan({"experiment": "e.yaml", "recipes": str(ROOT / "config/recipes"), **shared})


def _own(path: str, **more: object) -> dict[str, object]:
    return {"initial": ["random", "mine"], "initial_weights": {"mine": {"path": path} | more}}


def test_every_start_has_its_runs_and_its_own_n_0_and_random_ones_stay_as_they_were() -> None:
    before = _load().experiments["smoke"]
    after = _load(**_own("w.pt")).experiments["smoke"]
    new = {run.folder for run in after.finetunings} - {run.folder for run in before.finetunings}
    assert len(after.finetunings) == len(before.finetunings) + len(new) == 2 * len(before.finetunings)
    assert {Path(folder).parts[-5] for folder in new} == {"resnet18+mine"}
    assert sum("/none/none/resnet18+mine/n0/seed0/" in folder for folder in new) == 3
    assert [run.folder for run in after.pretrainings if run.initial == "random"] == [
        run.folder for run in before.pretrainings
    ]
    folders = {run.pretraining.folder for run in after.finetunings if run.pretraining.n}
    assert folders == {run.folder for run in after.pretrainings}


def test_a_start_is_a_param_by_its_content_and_random_is_none() -> None:
    plan = _load(**_own("w.pt"))
    assert start_params(plan, "resnet18", "random") is None
    assert start_input(plan, "resnet18", "random") == start_input(plan, "resnet18", "mine") == []
    assert start_params(plan, "resnet18", "mine")["digest"] is None, "it is not there yet"
    found = []
    for content in (b"one", b"one", b"other"):
        Path("w.pt").write_bytes(content)
        found.append(start_params(plan, "resnet18", "mine"))
    assert found[0] == found[1] != found[2]
    assert [*found[0]] == ["detector", "digest", "path"] and found[0]["path"] == "w.pt"
    Path("w.pt").unlink()
    assert start_params(plan, "resnet18", "mine", look=False) == found[2], "a job takes what was planned"


def test_what_the_workflow_fetches_or_makes_is_an_input() -> None:
    made = "results/pretrain/smoke/smoke/mulclass/resnet18/n8/seed0/backbone.safetensors"
    plan = _load(initial=["imagenet", "mine"], initial_weights={"mine": {"path": made}})
    fetched = "results/initial/resnet18+imagenet.safetensors"
    assert start_input(plan, "resnet18", "imagenet") == [fetched]
    assert start_params(plan, "resnet18", "imagenet") == {"detector": False, "path": fetched}
    assert start_input(plan, "resnet18", "mine") == [made]
    assert start_params(plan, "resnet18", "mine") == {"detector": False, "path": made}
    assert missing_data(plan).refusals == []
    lines = "\n".join(plan_lines(plan, "smoke", Estimates(plan, {})))
    assert "fetch     resnet18+imagenet: published weights; licence: BSD-3-Clause" in lines
    assert "from weights: imagenet, mine" in lines


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial": ["imagnet"]}, "initial: 'imagnet' is not defined; did you mean 'imagenet'"),
        (
            {"initial": ["coco"], "models": ["resnet50", "resnet18"]},
            "initial: no 'coco' is published for resnet18 .there: random, imagenet.;",
        ),
        ({"initial": ["dino"]}, "initial: no 'dino' is published for resnet18 .there: random, imagenet.;"),
        ({"initial": ["random", "random"]}, "initial: 'random' is listed twice"),
        ({"initial": []}, "initial: "),
        (
            {"initial": ["imagenet"], "sizes": [8]},
            "sizes: add 0: each start is compared with the same weights",
        ),
        ({"initial": ["ImageNet"]}, "initial.0: "),
        (
            {"initial_weights": {"imagenet": {"path": "w.pt"}}},
            "initial_weights.imagenet: this name means weights that are known already; choose another",
        ),
        (
            {"initial_weights": {"mine": {"path": "w.pt"}}},
            "initial_weights.mine: nothing starts from these weights; list mine under initial, or remove",
        ),
        (
            {"initial_weights": {"mine": {"pth": "w.pt"}}},
            "initial_weights.mine.pth: unknown key; did you mean",
        ),
    ],
)
def test_a_start_that_is_none_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _load(**changes)


def _safetensors(state: dict[str, torch.Tensor]) -> None:
    save_file(state, "w")


def _torch(state: dict[str, torch.Tensor]) -> None:
    torch.save(state, "w")


@pytest.mark.parametrize("write", [_safetensors, _torch])
def test_the_first_tensor_that_does_not_fit_is_named_before_any_job(write) -> None:
    plan = _load(**_own("w"))
    assert missing_data(plan).missing == [
        "w: there is no such file (needed by the trainings of experiment smoke)"
    ]
    write(resnet50().state_dict())
    [problem] = missing_data(plan).problems
    assert problem.startswith("w: layer1.0.conv1.weight: has the shape [64, 64, 1, 1], not [64, 64, 3, 3]: ")
    assert "\n" not in problem and "resnet18" in problem
    write(resnet18().state_dict())
    assert missing_data(plan).refusals == []


def test_a_detector_whose_parts_do_not_fit_the_recipe_is_refused() -> None:
    plan = _load(**_own("w", detector=True))
    _torch({f"backbone.body.{key}": value for key, value in resnet18().state_dict().items()})
    [problem] = missing_data(plan).problems
    assert "backbone.fpn.inner_blocks.0.0.weight: is missing: " in problem


def test_frozen_batch_norm_needs_a_start_with_statistics(tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    text = (ROOT / "config/recipes/smoke.yaml").read_text()
    value = yaml.safe_load(text)
    value["finetune"]["sinclass"] |= {"norm": "frozen"}
    (recipes / "smoke.yaml").write_text(yaml.safe_dump(value))
    given = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    given |= {"complexity": None, "references": {}, "figures": ["curves"], "paper_figures": {}, "claims": []}
    config = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    config["datasets"] = str(ROOT / "config/datasets.tsv")
    config |= {"experiment": "e.yaml", "recipes": str(recipes)}
    for initial in (["random", "mine"], ["mine"]):
        Path("e.yaml").write_text(yaml.safe_dump(given | _own("w") | {"initial": initial}))
        if initial == ["mine"]:
            load_plan(config)
        else:
            with pytest.raises(
                InputError, match="norm: size 0 is trained from scratch.*or random from initial"
            ):
                load_plan(config)


def test_a_pilot_tries_every_start() -> None:
    changes = {"sizes": [0, 8, 16], "pilot": {"lengths": [0.5, 1], "parts": 1, "tolerance": 0.9}}
    runs = pilot_runs(_load(**changes | _own("w")), "smoke")
    assert {run.pretraining.initial for run in runs} == {"random", "mine"}
    assert len(runs) == 2 * len(pilot_runs(_load(**changes), "smoke"))
