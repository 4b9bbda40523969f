"""Retries cure kills, time limits and a lack of memory; what would fail again is tried once a call."""

import json
from pathlib import Path

from checkout import Checkout

RUN = "results/pretrain/smoke/smoke/mulclass/resnet18/n8/seed0"


def pretrain(checkout: Checkout, retries: int) -> str:
    """Run one pre-training, which must fail; return what the terminal shows."""
    done = checkout.snakemake(
        f"{RUN}/metrics.json", "--allowed-rules", "pretrain", "--cores", "1", "--retries", str(retries)
    )
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_bad_input_is_met_once_a_call(checkout: Checkout) -> None:
    for split in ("train", "val"):
        shard = checkout.folder / f"results/renders/smoke/{split}/shard-000000.tar"
        shard.parent.mkdir(parents=True)
        shard.write_bytes(b"no shard")
    output = pretrain(checkout, retries=2)
    assert output.count("Trying to restart job") == 2
    assert output.count("(not tried again in this call)") == 2
    assert "error: results/renders/smoke/train/shard-000000.tar: " in output
    (record,) = (checkout.folder / RUN).glob(".metrics-*/failures.json")
    assert [failure["final"] for failure in json.loads(record.read_text())] == [True]

    log: Path = checkout.folder / f"results/logs/{RUN.removeprefix('results/')}.log"
    assert "shard-000000.tar: " in log.read_text()
    log.unlink()
    assert "(not tried again in this call)" not in pretrain(checkout, retries=0)
    assert "shard-000000.tar: " in log.read_text()  # the next call tried in earnest
