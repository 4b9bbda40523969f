"""`make env`: the lock, or with TORCH=cpu PyTorch without CUDA; where there is no GPU it says so."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HINT = "No GPU found: make -B env TORCH=cpu installs PyTorch without CUDA, over 4 GB less.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder, and a `uv` that writes down what it is asked for."""
    for name in ("Makefile", "pyproject.toml", "envs/requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    program(tmp_path, "uv", 'mkdir -p .venv; echo "$@" >> asked')
    program(tmp_path, "nvidia-smi", "exit 9")
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    """Write a program that comes first on PATH."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / "bin" / name).chmod(0o755)


def make(folder: Path, *words: str) -> str:
    """Return what `make --silent` prints."""
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    command = ["make", "--silent", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


def locked(path: Path) -> dict[str, str]:
    """Return the versions of a lock."""
    lines = [line.split()[0].split("==") for line in path.read_text().splitlines() if line[:1].isalpha()]
    return dict(lines)


def test_without_a_gpu_it_says_how_to_get_a_smaller_pytorch(folder: Path) -> None:
    assert make(folder, "env") == HINT
    assert make(folder, "env") == ""
    assert (
        "--require-hashes" in (folder / "asked").read_text() and "torch" not in (folder / "asked").read_text()
    )


def test_with_a_gpu_it_says_nothing(folder: Path) -> None:
    program(folder, "nvidia-smi", "echo GPU 0")
    assert make(folder, "env") == ""


def test_the_smaller_one_is_the_lock_without_cuda_and_pytorch_of_its_version(folder: Path) -> None:
    make(folder, "env")
    assert make(folder, "-B", "env", "TORCH=cpu") == ""
    [sync, torch] = (folder / "asked").read_text().splitlines()[-3:-1]
    assert sync.endswith(" .venv/without-cuda.txt") and "--require-hashes" in sync
    whole, smaller = locked(ROOT / "envs/requirements.txt"), locked(folder / ".venv/without-cuda.txt")
    assert torch.endswith(f" torch=={whole['torch']} torchvision=={whole['torchvision']}")
    assert "--torch-backend cpu" in torch and "--no-deps" in torch
    gone = {name for name in whole.keys() - smaller.keys() if not name.startswith(("nvidia-", "cuda-"))}
    assert gone == {"torch", "torchvision", "triton"} and smaller.items() < whole.items()
