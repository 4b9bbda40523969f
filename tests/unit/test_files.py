"""Nothing half written is ever taken for a result."""

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syn2real import files
from syn2real.files import (
    atomic,
    digest,
    exclusive,
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


def test_one_at_a_time_holds_a_lock_and_its_file_goes(tmp_path: Path) -> None:
    """Also where the file is removed and made anew between those who wait."""
    inside, most = 0, 0

    def hold(_: int) -> None:
        nonlocal inside, most
        with exclusive(tmp_path / "folder" / "work.lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.005)
            inside -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hold, range(24)))
    assert most == 1
    assert not list((tmp_path / "folder").iterdir())


def test_who_waits_for_a_lock_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    def hold() -> bool:
        with exclusive(tmp_path / "work.lock") as waited:
            return waited

    with ThreadPoolExecutor(1) as pool:
        with exclusive(tmp_path / "work.lock") as waited:
            assert not waited
            waiting = pool.submit(hold)
            while not caplog.messages and not waiting.done():
                time.sleep(0.005)
        assert waiting.result()
    assert caplog.messages == [f"waiting: another process holds {tmp_path / 'work.lock'}"]


def test_a_file_system_without_locks_is_told_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def flock(*_: object) -> None:
        raise OSError(failure, os.strerror(failure))

    monkeypatch.setattr(files.fcntl, "flock", flock)
    failure = errno.ENOLCK
    with exclusive(tmp_path / "work.lock"):
        pass
    assert "no locks on this file system" in caplog.text
    failure = errno.EIO
    with pytest.raises(OSError, match="Input/output error"), exclusive(tmp_path / "work.lock"):
        pass
