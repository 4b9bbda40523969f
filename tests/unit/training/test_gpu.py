"""What only GPUs can show; skipped where there are none."""

import json
from pathlib import Path

import pytest
import torch

from syn2real.training.launch import run_processes
from syn2real.training.precision import use_tf32
from syn2real.training.pretrain import pretrain
from syn2real.training.progress import Progress

GPUS = torch.cuda.device_count()


@pytest.fixture
def arguments(shards, key, resolve, tmp_path):
    """Return a function that makes the arguments of a pre-training."""

    def make(folder, ptask, **changes):
        names = {"backbone": "backbone.safetensors", "metrics": "metrics.json", "curve": "curve.csv"}
        return {
            "key": key | {"ptask": ptask},
            "recipe": resolve("pretrain", ptask, batch_size=8, **changes),
            "shards": shards[0],
            "val_shards": shards[1],
            "n": 16,
            "n_val": 8,
            "outputs": {name: str(tmp_path / folder / file) for name, file in names.items()},
            "scratch": tmp_path / folder / ".scratch",
            "threads": 1,
        }

    return make


def outcome(arguments):
    """Return metrics and the curve's losses."""
    rows = Path(arguments["outputs"]["curve"]).read_text().splitlines()[1:]
    metrics = json.loads(Path(arguments["outputs"]["metrics"]).read_text())
    return metrics, [float(row.split(",")[3]) for row in rows]


@pytest.mark.skipif(GPUS < 1, reason="needs a GPU")
@pytest.mark.parametrize("ptask", ["mulclass", "objdet", "semseg", "normal"])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "mixed16"])
def test_every_task_trains_in_every_precision(ptask, precision, arguments):
    given = arguments("run", ptask, precision=precision)
    pretrain(**given)
    metrics, _ = outcome(given)
    assert metrics["device"] == torch.cuda.get_device_name()
    assert metrics["precision"] in {"mixed16": ("fp16", "bf16")}.get(precision, (precision,))


@pytest.mark.skipif(GPUS < 1, reason="needs a GPU")
@pytest.mark.parametrize("kind", ["matrices", "convolutions"])
def test_without_tf32_products_have_all_digits(kind):
    """An error of TF32 is some 3e-4 of a product's size, one of fp32 some 1e-6."""
    torch.manual_seed(0)
    one, other = torch.randn(1024, 1024), torch.randn(1024, 1024)
    image, kernel = torch.randn(4, 256, 32, 32), torch.randn(256, 256, 3, 3)

    def product(device, number):
        if kind == "matrices":
            return one.to(device, number) @ other.to(device, number)
        return torch.nn.functional.conv2d(image.to(device, number), kernel.to(device, number))

    use_tf32(torch.device("cuda"), False)
    exact = product("cpu", torch.float64)
    error = (product("cuda", torch.float32).cpu() - exact).abs().max() / exact.std()
    assert error < 2e-5


@pytest.mark.skipif(GPUS < 1, reason="needs a GPU")
@pytest.mark.parametrize("ptask", ["mulclass", "objdet", "semseg"])
def test_compiling_changes_rounding_alone(ptask, arguments):
    """TF32's rounding is not a small one where batch norm takes its statistics over eight numbers."""
    recipe = {"tf32": False, "small_first": {"part": 0.5, "scale": 0.5}}
    plain, compiled = (
        arguments("plain", ptask, **recipe),
        arguments("compiled", ptask, **recipe, compile=True),
    )
    pretrain(**plain)
    pretrain(**compiled)
    assert outcome(compiled)[1] == pytest.approx(outcome(plain)[1], rel=2e-2)


@pytest.mark.skipif(GPUS < 1, reason="needs a GPU")
@pytest.mark.parametrize(
    ("ptask", "changes"),
    [
        ("mulclass", {"precision": "fp16"}),
        ("normal", {"precision": "mixed16"}),
        ("objdet", {"compile": True}),
    ],
)
def test_a_stopped_training_goes_on_as_the_whole_one_does(ptask, changes, arguments, monkeypatch):
    """Its digits are the whole one's but for rounding: gradients are summed in any order on a GPU."""
    recipe = {"iterations": 6, "evaluation_iterations": 3, **changes}
    whole, broken = arguments("whole", ptask, **recipe), arguments("broken", ptask, **recipe)
    broken["checkpoint_seconds"] = 0
    pretrain(**whole)
    original, calls = Progress.step, []

    def step(*given):
        original(*given)
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "step", step)
    with pytest.raises(KeyboardInterrupt):
        pretrain(**broken)
    pretrain(**broken)
    assert len(calls) == 4 + 3  # the state of the step before was kept
    assert outcome(broken)[1] == pytest.approx(outcome(whole)[1], rel=2e-2)


@pytest.mark.skipif(GPUS < 2, reason="needs two GPUs")
def test_synchronised_statistics_are_those_of_one_gpu(arguments):
    """One group of batch norm is spread over two GPUs; nothing in this task's forward pass is random."""
    one, two = arguments("one", "mulclass"), arguments("two", "mulclass")
    pretrain(**one)
    run_processes(pretrain, two, processes=2)
    (metrics, losses), (metrics2, losses2) = outcome(one), outcome(two)
    assert (metrics["devices"], metrics2["devices"]) == (1, 2)
    assert metrics["norm_batch_size"] == metrics2["norm_batch_size"] == 8
    assert losses2 == pytest.approx(losses, rel=2e-2)
