"""Nothing half written is ever taken for a result."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from syn2real.files import (
    atomic,
    check_output,
    digest,
    file_digest,
    read_json,
    scratch_folder,
    write_json,
    write_text,
)


def test_an_exception_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "value.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["value.txt"]


def test_a_killed_writer_leaves_no_file_under_the_name(tmp_path: Path) -> None:
    path = tmp_path / "value.txt"
    code = (
        "import os, signal, sys; from syn2real.files import atomic\n"
        "with atomic(sys.argv[1]) as t:\n"
        "    t.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert result.returncode == -signal.SIGKILL
    assert not path.exists()


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "value.txt", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "value.txt").stat().st_mode & 0o777 == 0o640


def test_nan_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "value.json", {"value": float("nan")})
    assert not (tmp_path / "value.json").exists()
    write_json(tmp_path / "value.json", {"α": 1})
    assert read_json(tmp_path / "value.json") == {"α": 1}


def test_digest_ignores_the_order_of_keys_alone() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_file_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_digest(tmp_path / "f").startswith("ba7816bf8f01cfea")


def test_unfinished_work_is_bound_to_its_conditions(tmp_path: Path) -> None:
    one = scratch_folder(tmp_path / "metrics.json", [{"lr": 0.1}])
    assert one == scratch_folder(tmp_path / "metrics.json", [{"lr": 0.1}])
    assert one != scratch_folder(tmp_path / "metrics.json", [{"lr": 0.2}])
    assert one.parent == tmp_path and one.name.startswith(".")


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no folder in memory")
def test_a_file_in_memory_is_written_again() -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        check_output(file.name)
