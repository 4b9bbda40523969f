"""Two processes never do at once what a lock keeps apart."""

import errno
import fcntl
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syn2real.jobs.locks import exclusive


def test_one_at_a_time_holds_a_lock_and_its_file_goes(tmp_path: Path) -> None:
    """Also where the file is removed and made again between those who wait."""
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


def test_who_waits_for_a_lock_learns_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
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


def test_a_file_system_without_locks_is_logged_and_nothing_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def flock(*_: object) -> None:
        raise OSError(failure, os.strerror(failure))

    monkeypatch.setattr(fcntl, "flock", flock)
    failure = errno.ENOLCK
    with exclusive(tmp_path / "work.lock"):
        pass
    assert "no locks on this file system" in caplog.text
    failure = errno.EIO
    with pytest.raises(OSError, match="Input/output error"), exclusive(tmp_path / "work.lock"):
        pass
