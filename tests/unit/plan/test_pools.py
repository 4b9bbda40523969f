"""Settings of images drawn from a pool: what they are taken from, their runs, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from syn2real.errors import InputError
from syn2real.plan.costs import plan_lines
from syn2real.plan.estimates import Estimates
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]
SMOKE = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
DRAWN = {"subset": "images", "of": "smoke", "pools": [16, 40]}
OTHER = SMOKE["renderings"]["smoke"] | {"views": 4}
OWN = {"images": {"train": "t", "val": "v"}, "annotations": {"train": "t.json", "val": "v.json"}}


def _load(tmp_path: Path, drawn: dict[str, Any] | None = None, **changes: Any) -> Plan:
    """Return the plan of the smoke experiment on draws from its setting, whose shards hold 8 images."""
    settings = {"drawn": DRAWN | (drawn or {}), "views-4": OTHER, "own": OWN} | changes.pop("renderings", {})
    value = SMOKE | {"settings": ["drawn"], "sizes": [0, 7], "complexity": None} | changes
    value["renderings"] = SMOKE["renderings"] | settings
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value))
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    shared["datasets"] = str(ROOT / "config/datasets.tsv")
    return load_plan(
        {"experiment": str(tmp_path / "e.yaml"), "recipes": str(ROOT / "config/recipes"), **shared}
    )


@pytest.mark.parametrize(
    ("n", "pool", "shards"), [(0, 0, 0), (1, 16, 2), (16, 16, 2), (17, 40, 5), (40, 40, 5)]
)
def test_n_is_drawn_from_the_smallest_pool_that_holds_it(
    tmp_path: Path, n: int, pool: int, shards: int
) -> None:
    plan = _load(tmp_path)
    assert plan.pool("drawn", n) == {"images": pool, "of": "smoke"}
    assert plan.shards("drawn", "train", n) == plan.shards("smoke", "train", pool)
    assert len(plan.shards("drawn", "train", n)) == shards
    assert plan.shards("drawn", "val", 8) == plan.shards("smoke", "val", 8)
    assert plan.pool("smoke", 8) is None and plan.val_images("smoke", "drawn") == 8


def test_a_larger_pool_changes_no_smaller_run(tmp_path: Path) -> None:
    one, both = (_load(tmp_path, {"pools": pools}) for pools in ([16], [16, 40]))
    runs = [plan.experiments["smoke"].pretrainings for plan in (one, both)]
    assert runs[0] == runs[1] and runs[0][0].folder.startswith("results/pretrain/smoke/drawn/mulclass/")
    for run in runs[0]:
        assert one.pool(run.setting, run.n) == both.pool(run.setting, run.n)
        assert one.shards(run.setting, "train", run.n) == both.shards(run.setting, "train", run.n)


def test_what_is_rendered_is_the_whole_pool_once(tmp_path: Path) -> None:
    plan = _load(tmp_path, settings=["smoke", "drawn"], sizes=[0, 2, 18])
    record = plan.experiments["smoke"]
    assert record.settings == ("smoke", "smoke-stand-in")
    assert record.images["smoke"] == {"train": 40, "val": 8}
    assert {run.setting for run in record.pretrainings} == {"smoke", "drawn"}
    assert len(plan.needed_shards(["smoke"])) == 5 + 1
    assert list(plan.rendered(record.settings)) == ["smoke", "smoke-stand-in"]


def _lines(plan: Plan) -> list[str]:
    return plan_lines(plan, "smoke", Estimates(plan, {}))


def test_check_says_which_pools_are_rendered_and_what_disk_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = _lines(_load(tmp_path, sizes=[0, 3, 7, 18]))
    assert "  render    smoke: 48 images in 6 shards, 0 of them rendered already" in lines
    pools = "n up to 7 from the pool of 16 images, n up to 18 from the pool of 40 images of smoke"
    assert f"  draw      drawn: {pools}" in lines
    shard = tmp_path / "results/renders/smoke/train/shard-000000.tar"
    shard.parent.mkdir(parents=True)
    with shard.open("wb") as stream:
        stream.truncate(20_000_000)
    lines = _lines(_load(tmp_path, sizes=[0, 3, 7, 18]))
    done = "48 images in 6 shards, 1 of them rendered already, about 0.12 GB in all"
    assert f"  render    smoke: {done}" in lines
    assert not [line for line in _lines(_load(tmp_path, settings=["smoke"], sizes=[8]))
                if "draw" in line]  # fmt: skip


def test_a_pool_has_the_papers_attributes_of_its_setting(tmp_path: Path) -> None:
    plan = _load(tmp_path, settings=["smoke", "drawn"], sizes=[8])
    assert plan.levels("smoke")["drawn"] == plan.levels("smoke")["smoke"]


def test_a_pool_of_own_renders_needs_all_of_it(tmp_path: Path) -> None:
    plan = _load(tmp_path, {"of": "own", "pools": [15]}, ptasks=["objdet"])
    record = plan.experiments["smoke"]
    assert record.images["own"] == {"train": 15, "val": 8}
    assert list(plan.own_renders(record.settings)) == ["own"]


def test_the_pool_that_own_renders_yaml_offers_can_be_drawn_from(tmp_path: Path) -> None:
    text = (ROOT / "config/experiments/own-renders.yaml").read_text().replace("# my-draws:", "my-draws:")
    value = yaml.safe_load(text) | {"settings": ["my-draws"], "stand_ins": {}, "references": {}}
    plan = _load(tmp_path, **value)
    assert plan.pool("my-draws", max(value["sizes"])) == {"images": 16_000, "of": "my-renders"}


COMPLEXITY = {"reference": "smoke", "images": 16, "image_size": 48}


@pytest.mark.parametrize(
    ("drawn", "changes", "message"),
    [
        ({"of": "smokee"}, {}, "renderings.drawn.of: 'smokee' is not defined; did you mean 'smoke'?"),
        ({"of": "drawn"}, {}, "renderings.drawn.of: drawn draws from a pool itself, and pools hold another"),
        (
            {"of": "more"},
            {"renderings": {"more": DRAWN}},
            "renderings.drawn.of: more draws from a pool itself; name smoke",
        ),
        ({"pools": [16, 41]}, {}, "renderings.drawn.pools: 41 images are not a whole number of scenes of 2"),
        ({"pools": [40, 16]}, {}, "renderings.drawn.pools: list each size once, the smallest first"),
        ({"pools": [16, 16]}, {}, "renderings.drawn.pools: list each size once, the smallest first"),
        ({"pools": []}, {}, "renderings.drawn.pools: at least 1 value belongs in this list; it is []"),
        ({"pools": [0]}, {}, "renderings.drawn.pools.0: must be"),
        ({"pools": [10**9]}, {}, "renderings.drawn.pools: 1,000,000,000 images are 125,000,000 shards"),
        ({"subset": "scenes"}, {}, 'renderings.drawn.subset: one of images belongs here; it is "scenes"'),
        ({"views": 2}, {}, "renderings.drawn.views: unknown key; "),
        ({"pool": [2]}, {}, "renderings.drawn.pool: unknown key; did you mean 'pools'?"),
        (
            {},
            {"sizes": [0, 41]},
            "sizes: 41 images are more than the largest pool of setting drawn, 40; ask for fewer or add a po",
        ),
        (
            {},
            {"complexity": COMPLEXITY | {"images": 42}},
            "complexity.images: 42 images are more than the largest",
        ),
        (
            {},
            {"complexity": COMPLEXITY | {"images": 4}, "settings": ["drawn", "smoke"], "sizes": [4]},
            "complexity: its 4 images are taken from 4 and 16 images; complexities are compared at",
        ),
        (
            {},
            {"complexity": COMPLEXITY, "settings": ["drawn", "views-4"], "sizes": [4]},
            "complexity: the settings have 2 and 4 views a scene",
        ),
        (
            {"of": "own", "pools": [9]},
            {"ptasks": ["normal"]},
            "ptasks: setting own has no normals; give its `normals`",
        ),
        (
            {},
            {"stand_ins": {"smoke-stand-in": {"setting": "drawn", "train_images": 4, "val_images": 4}}},
            "stand_ins.smoke-stand-in.setting: drawn draws from a pool, and a stand-in is made of whole "
            "scenes; name smoke",
        ),
        ({}, {"settings": ["drawm"]}, "settings: 'drawm' is not defined; did you mean 'drawn'?"),
        (
            {},
            {"renderings": {"single-fix-fix-textured": DRAWN}},
            "renderings.single-fix-fix-textured: this name is already defined, with other values",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_refused_in_one_line(
    tmp_path: Path, drawn: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match="e.yaml") as caught:
        _load(tmp_path, drawn, **changes)
    assert str(caught.value).startswith(f"{tmp_path}/e.yaml: {message}")
    assert "\n" not in str(caught.value)


def test_complexity_of_a_whole_pool_is_that_of_its_scenes(tmp_path: Path) -> None:
    plan = _load(tmp_path, complexity=COMPLEXITY, settings=["drawn", "smoke"], sizes=[4])
    assert [Path(path).stem for path in plan.experiments["smoke"].complexities] == ["drawn", "smoke"]
