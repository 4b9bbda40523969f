import os

import torch

from syn2real.training.checkpoints import Checkpoints


def test_saved_and_loaded(tmp_path):
    checkpoints = Checkpoints(tmp_path / "scratch", "me")
    assert checkpoints.load() is None
    state = {"weights": torch.arange(4), "numbers": [1, 2.5, None], "seen": {"a": (1, "b")}}
    checkpoints.save(state)
    found = Checkpoints(tmp_path / "scratch", "me").load()
    assert torch.equal(found["weights"], state["weights"]) and found["numbers"] == state["numbers"]
    checkpoints.remove()
    assert not (tmp_path / "scratch").exists()
    checkpoints.remove()


def test_another_runs_state_is_not_taken(tmp_path, caplog):
    Checkpoints(tmp_path, "me").save({"iteration": 3})
    assert Checkpoints(tmp_path, "you").load() is None
    assert "belongs to another run" in caplog.text


def test_a_damaged_state_means_a_fresh_start(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path, "me")
    checkpoints.save({"weights": torch.zeros(1000)})
    os.truncate(checkpoints.path, 2000)
    assert checkpoints.load() is None
    checkpoints.path.write_bytes(b"nothing of torch's")
    assert checkpoints.load() is None
    assert caplog.text.count("cannot be read") == 2


def test_a_state_that_would_run_code_is_refused(tmp_path):
    class Danger:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    checkpoints = Checkpoints(tmp_path, "me")
    torch.save({"identity": "me", "state": Danger()}, checkpoints.path)
    assert checkpoints.load() is None
    assert not (tmp_path / "ran").exists()


def test_due_by_time(tmp_path):
    assert Checkpoints(tmp_path, "me", seconds=0).due()
    assert not Checkpoints(tmp_path, "me", seconds=1000).due()
