"""A job trains on the GPUs that it was given, in the numbers that a machine would run it in."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from syn2real.errors import InputError
from syn2real.training import launch
from syn2real.training.distributed import World
from syn2real.training.precision import autocast, computed_precision, use_tf32

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")


@pytest.mark.parametrize(
    ("count", "wanted", "how"), [(0, 1, "here"), (1, 1, "here"), (4, 0, "here"), (4, 2, "2 processes")]
)
def test_several_gpus_mean_several_processes(count, wanted, how, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(launch, "use_gpus", lambda wanted: list("0123"[: min(count, wanted)]))
    started = lambda function, arguments, processes: calls.append(f"{processes} processes")  # noqa: E731
    monkeypatch.setattr(launch, "run_processes", started)
    launch.launch(
        lambda **_: calls.append("here"),
        gpus=wanted,
        scratch=tmp_path / "s",
        outputs={"metrics": "metrics.json"},
    )
    assert calls == [how]


@pytest.mark.parametrize("finished", [True, False])
def test_jobs_of_one_run_take_turns(finished, tmp_path, caplog):
    """The second one takes what the first one finished, and does itself what the first one did not."""
    caplog.set_level("INFO")
    scratch = tmp_path / ".metrics-run"
    outputs = {name: tmp_path / name for name in ("backbone", "metrics")}
    calls, let_go = [], threading.Event()

    def train(outputs, scratch):
        assert scratch.with_suffix(".lock").exists()
        calls.append("started")
        assert let_go.wait(60)
        for path in list(outputs.values())[: None if finished else 1]:
            path.touch()
        calls.append("ended")

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(launch.launch, train, gpus=0, outputs=outputs, scratch=scratch) for _ in range(2)]
        while not any("waiting: another process holds" in message for message in caplog.messages):
            time.sleep(0.005)
        let_go.set()
        for job in jobs:
            job.result()
    assert calls == ["started", "ended"] * (1 if finished else 2)
    assert ("another job of this run has finished it meanwhile" in caplog.messages) == finished
    assert not scratch.with_suffix(".lock").exists()


def test_what_was_there_before_is_computed_again(tmp_path):
    output = tmp_path / "metrics.json"
    output.write_text("old")
    launch.launch(
        lambda outputs, scratch: output.write_text("new"),
        gpus=0,
        outputs={"metrics": output},
        scratch=tmp_path / "s",
    )
    assert output.read_text() == "new"


@pytest.mark.parametrize(
    ("precision", "native", "computed"),
    [
        ("mixed16", True, "bf16"),
        ("mixed16", False, "fp16"),
        ("fp16", True, "fp16"),
        ("bf16", True, "bf16"),
        ("fp32", True, "fp32"),
    ],
)
def test_precision_by_hardware(precision, native, computed, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert computed_precision(precision, CUDA) == computed
    assert computed_precision(precision, CPU) == "fp32"


def test_bf16_is_never_replaced_silently(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(InputError, match="precision: bf16: this GPU has no bf16"):
        computed_precision("bf16", CUDA)


def test_single_precision_is_left_alone():
    assert not autocast(CPU, "fp32")._enabled
    assert autocast(CPU, "bf16").fast_dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("device", "allowed", "matrices", "convolutions"),
    [(CUDA, True, "high", True), (CUDA, False, "highest", False), (CPU, False, "highest", True)],
)
def test_tf32_is_on_or_off_for_matrices_and_convolutions(device, allowed, matrices, convolutions):
    try:
        use_tf32(device, allowed)
        found = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
    assert found == (matrices, convolutions)


def test_the_first_process_writes():
    assert World().is_main and World(0, 4).is_main and not World(3, 4).is_main
