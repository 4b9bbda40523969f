"""Killed at any instant, the workflow goes on and ends with the numbers of an undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkout import Checkout, assert_same_measurements, failed_logs


def _start(checkout: Checkout) -> subprocess.Popen:
    """Start the smoke experiment as the leader of a process group of its own."""
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/ci"]
    command += ["--config", "experiment=config/experiments/smoke.yaml"]
    log = (checkout.folder / "run.log").open("a")
    return subprocess.Popen(
        command, cwd=checkout.folder, env=checkout.environment, stdout=log, stderr=log, start_new_session=True
    )


def _kill_when(run: subprocess.Popen, folder: Path, pattern: str, count: int, seconds: float = 600) -> None:
    """SIGKILL the group once `count` files of `pattern` are there: jobs, Blender and Snakemake itself."""
    end = time.monotonic() + seconds
    while sum(1 for _ in folder.glob(pattern)) < count:
        assert run.poll() is None, f"ended before {pattern} appeared\n{failed_logs(folder)}"
        assert time.monotonic() < end, f"{pattern} never appeared"
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


@pytest.mark.slow
@pytest.mark.timeout(1700)
def test_kills_while_rendering_training_and_measuring_change_no_number(
    checkout: Checkout, finished: Checkout
) -> None:
    for pattern, count in (
        ("results/renders/*/*/.shard-*/0*.tar", 1),  # some scenes of a shard are rendered
        ("results/logs/pretrain/**/*.log", 1),  # the first pre-training has begun
        ("results/finetune/**/metrics.json", 5),  # five runs are measured, others are under way
    ):
        _kill_when(_start(checkout), checkout.folder, pattern, count)
        assert checkout.snakemake("--unlock").returncode == 0
    last = _start(checkout)
    assert last.wait() == 0, (checkout.folder / "run.log").read_text()[-3000:] + failed_logs(checkout.folder)

    assert_same_measurements(checkout, finished)
    shard = "results/renders/smoke/train/shard-000000.tar"
    assert (checkout.folder / shard).read_bytes() == (finished.folder / shard).read_bytes()
