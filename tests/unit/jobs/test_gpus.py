"""Two jobs never share a GPU, whoever starts them; the machine's GPUs are what a pretended driver lists."""

import fcntl
import signal
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest

from syn2real.errors import InputError
from syn2real.jobs import gpus as devices
from syn2real.jobs import locks

HOLDER = """
import sys, time
from syn2real.jobs import gpus as devices
devices.RETRY_SECONDS = 0.05
print(",".join(devices.use_gpus(int(sys.argv[1]))), flush=True)
time.sleep(600)
"""


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Return a function that pretends a driver of so many GPUs, and what CUDA_VISIBLE_DEVICES says."""
    monkeypatch.setattr(devices, "_held", held := [])
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("SLURM_JOB_ID", devices.VARIABLE):
        monkeypatch.delenv(name, raising=False)

    def pretend(count, visible=None):
        tool = tmp_path / "nvidia-smi"
        lines = "\n".join(f"echo 'GPU {index}: pretended (UUID: GPU-{index})'" for index in range(count))
        tool.write_text(f"#!/bin/sh\n{lines}\n")
        tool.chmod(0o755)
        if visible is not None:
            monkeypatch.setenv(devices.VARIABLE, visible)

    yield pretend
    for lock in held:
        lock.release()


@pytest.fixture
def hold():
    """Return a function that starts a process which takes GPUs, and the process."""
    started = []

    def start(wanted):
        command = [sys.executable, "-c", HOLDER, str(wanted)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("count", "visible", "wanted", "taken"),
    [
        (0, None, 1, []),
        (0, "0,1", 1, []),
        (2, "", 1, []),
        (2, "NoDevFiles", 1, []),
        (4, None, 0, []),
        (1, None, 1, ["0"]),
        (8, "3,5", 2, ["3", "5"]),
        (4, None, 2, ["0", "1"]),
        (2, "GPU-1,GPU-2", 1, ["GPU-1"]),
    ],
)
def test_a_job_takes_no_more_than_it_is_given(count, visible, wanted, taken, gpus):
    gpus(count, visible)
    assert devices.take_gpus(wanted) == taken


def test_without_a_driver_there_is_no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.count_gpus() == 0 and devices.take_gpus(1) == []


def test_fewer_than_given_are_refused(gpus):
    gpus(2)
    with pytest.raises(InputError, match="gpu: the job is given 4 GPUs, but 2 are visible"):
        devices.take_gpus(4)


def test_processes_hide_what_they_have_not_taken_and_wait_for_a_killed_one(gpus, hold):
    gpus(2)
    first, second = hold(1), hold(1)
    taken = [process.stdout.readline().strip() for process in (first, second)]
    assert sorted(taken) == ["0", "1"]
    third = hold(1)
    with pytest.raises(subprocess.TimeoutExpired):
        third.wait(1.0)
    second.send_signal(signal.SIGKILL)
    assert third.stdout.readline().strip() == taken[1]


def test_even_a_machines_only_gpu_is_locked(gpus, hold, monkeypatch):
    gpus(1)
    assert hold(1).stdout.readline().strip() == "0"
    waits = []

    def leave(seconds):
        raise TimeoutError(waits.append(seconds))

    monkeypatch.setattr(devices, "time", SimpleNamespace(sleep=leave))  # other threads sleep on
    with pytest.raises(TimeoutError):
        devices.take_gpus(1)
    assert len(waits) == 1


def test_several_are_taken_together_or_not_at_all(gpus, hold):
    gpus(3)
    assert hold(2).stdout.readline().strip() == "0,1"
    waiting = hold(2)
    assert hold(1).stdout.readline().strip() == "2"
    assert waiting.poll() is None


def test_slurm_jobs_may_have_gpus_of_one_number(gpus, monkeypatch):
    gpus(1)
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert devices.take_gpus(1) == ["0"]


def test_ended_slurm_jobs_leave_no_locks(gpus, monkeypatch):
    gpus(2)
    for job in ("7", "8", "9"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        assert devices.take_gpus(1) == ["0"]
        if job != "8":
            devices._held.pop().release()
    monkeypatch.setenv("SLURM_JOB_ID", "10")
    devices.take_gpus(2)
    assert sorted(path.name for path in devices.locks().iterdir()) == ["10-0", "10-1", "8-0"]


def test_a_lock_swept_away_before_it_is_locked_is_none(gpus, monkeypatch):
    gpus(1)
    flock, path, swept = fcntl.flock, devices.locks() / "7-0", []

    def sweep_first(file, how):
        if not swept:
            swept.append(path)
            path.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    devices.locks().mkdir()
    assert locks.lock(path) is None
    assert locks.lock(path) is not None
