import logging

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from syn2real.training.progress import Progress


def losses(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars("loss")]


def test_curves_of_a_resumed_run_are_one_curve(tmp_path):
    with Progress("run", total=4, batch_size=2, folder=tmp_path / "tb") as progress:
        progress.resumed(0)
        for iteration in (1, 2, 3):
            progress.scalars(iteration, {"loss": float(iteration)})
    with Progress("run", total=4, batch_size=2, folder=tmp_path / "tb") as progress:
        progress.resumed(2)  # killed after 3, but saved after 2
        for iteration in (3, 4):
            progress.scalars(iteration, {"loss": 10.0 * iteration})
    assert losses(tmp_path / "tb") == [(1, 1.0), (2, 2.0), (3, 30.0), (4, 40.0)]


def test_a_fresh_start_drops_an_older_runs_curves(tmp_path):
    for value in (1.0, 2.0):
        with Progress("run", total=1, batch_size=2, folder=tmp_path / "tb") as progress:
            progress.resumed(0)
            progress.scalars(1, {"loss": value})
    assert losses(tmp_path / "tb") == [(1, 2.0)]


def test_a_log_line_says_what_matters(caplog):
    with caplog.at_level(logging.INFO), Progress("run", total=5, batch_size=8, folder=None) as progress:
        progress.resumed(3)
        progress.step(waited=0.0)
        assert not progress.logging_due(4)
        progress.step(waited=0.0)
        assert progress.logging_due(5)
        progress.log_line(5, loss=0.25, lr=0.01)
    assert "resumed at iteration 3 of 5" in caplog.text
    line = caplog.messages[-1]
    assert line.startswith("iteration 5/5, loss 0.25, lr 0.01, ")
    assert line.endswith("0 % of the time waiting for data")
