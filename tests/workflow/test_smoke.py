"""All twelve task pairs through the same rules, once, with real renders and real training."""

import json
import shutil

import pandas as pd
from checkout import Checkout, metrics


def test_every_pair_is_measured(finished: Checkout) -> None:
    points = pd.read_csv(finished.folder / "results/points/smoke.csv", keep_default_na=False)
    pairs = set(zip(points["ptask"], points["ftask"], strict=True))
    assert len(points) == 15
    assert pairs == {
        (ptask, ftask)
        for ptask in ("mulclass", "objdet", "semseg", "normal", "none")
        for ftask in ("sinclass", "objdet", "semseg")
    }
    assert ((points["error"] >= 0) & (points["error"] <= 1)).all()
    assert (points["error"] - (1 - points["value"])).abs().max() == 0
    assert set(points["s"]) == {48}


def test_the_fit_says_that_two_sizes_support_no_law(finished: Checkout) -> None:
    fits = json.loads((finished.folder / "results/laws/smoke/fits.json").read_text())
    assert fits["curves"] and all(curve["fit"] is None for curve in fits["curves"])
    advice = (finished.folder / "results/laws/smoke/advice.md").read_text()
    assert "Rendered stand-in" in advice and "no fit" in advice


def test_the_report_holds_answer_curves_and_images(finished: Checkout) -> None:
    report = (finished.folder / "results/report.html").read_text()
    for part in ("advice.html", "curves.svg", "parameters.svg", "smoke.png", "smoke-stand-in.png"):
        assert part in report, part


def test_every_job_has_its_log(finished: Checkout) -> None:
    logs = finished.folder / "results/logs"
    assert len(list(logs.glob("finetune/**/*.log"))) == 15
    assert len(list(logs.glob("render/**/*.log"))) == 4


def test_no_unfinished_work_is_left(finished: Checkout) -> None:
    hidden = [p for p in (finished.folder / "results").rglob(".*") if p.name != ".snakemake_timestamp"]
    assert hidden == []


def test_metrics_say_what_was_run(finished: Checkout) -> None:
    runs = metrics(finished.folder)
    assert len(runs) == 4 + 15 + 1  # the last is the reference backbone's
    run = runs[
        "results/finetune/smoke/smoke/mulclass/resnet18/n8/seed0/sinclass-smoke-stand-in-imagenet/s100/metrics.json"
    ]
    assert run["key"]["n"] == 8 and run["key"]["ftask"] == "sinclass"
    assert run["n_params"] == 11_176_512
    assert (run["n_train"], run["n_test"]) == (48, 12)


def test_a_second_call_does_nothing(finished: Checkout) -> None:
    done = finished.snakemake("--profile", "profiles/ci")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_points_are_gathered_outside_the_workflow(finished: Checkout, tmp_path) -> None:
    shutil.copytree(finished.folder / "results/finetune", tmp_path / "results/finetune")
    done = finished.syn2real("points", str(tmp_path / "results"))
    inside = (finished.folder / "results/points/smoke.csv").read_text()
    assert done.returncode == 0 and done.stdout.replace(f"{tmp_path}/", "") == inside


def test_a_shard_is_shown(finished: Checkout, tmp_path) -> None:
    shard = "results/renders/smoke/train/shard-000000.tar"
    done = finished.syn2real("show", shard, "-o", str(tmp_path / "sheet.png"), "--views", "4")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_the_complexity_of_the_setting_is_measured_by_the_reference(finished: Checkout) -> None:
    measured = json.loads(
        (finished.folder / "results/complexity/smoke/pooled-48px/n8/smoke.json").read_text(encoding="utf-8")
    )
    assert {"images": 8, "scenes": 4, "dimensions": 512, "reference": "smoke"}.items() <= measured.items()
    assert measured["standard_error"] > 0 and measured["rank"] == 7
    found = json.loads((finished.folder / "results/complexity/smoke.json").read_text(encoding="utf-8"))
    assert {row["target"]: row["photographs"] for row in found["distances"]} == {
        "smoke-stand-in-imagenet": 12, "smoke-stand-in-coco": 48, "smoke-stand-in-ade20k": 48
    }  # fmt: skip
    assert found["splits"]["smoke-stand-in-imagenet"] == "test", "the reference has learnt from the others"
    text = (finished.folder / "results/laws/smoke/gaps-by-distance.md").read_text(encoding="utf-8")
    assert "Too few to say whether the distance orders C" in text
    assert "| smoke |" in (finished.folder / "results/complexity/smoke.md").read_text(encoding="utf-8")
    assert "complexity.svg" in (finished.folder / "results/report.html").read_text(encoding="utf-8")
