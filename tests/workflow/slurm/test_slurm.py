"""The smoke experiment through a real Slurm that does to its jobs whatever clusters do to jobs.

One run meets it all, because a job costs ten seconds of a core: three of its four pre-trainings are
cancelled, killed and out of time, the GPU node is lost under a fine-tuning, and Snakemake is killed while
jobs of its own run and wait. It must end with what an undisturbed run on one machine ends with.
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ROOT, Checkout, assert_same_measurements, metrics
from slurm.cluster import GPU_NODE, Cluster, missing
from slurm.story import Job, Story

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2500),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
ENDS = {"mulclass": "CANCELLED", "objdet": "FAILED", "semseg": "TIMEOUT"}
"""How the first attempt at each disturbed pre-training ends, by its task."""
BUNDLES = ("assets", "answer", "samples")
TWO_GPUS = "results/pretrain/smoke/smoke/mulclass/resnet18/n8/seed1"
ON_TWO = {"gpu": 2, "nodes": 1, "runtime": 30, "slurm_partition": "accelerated"}
NORM_GROUPS = "    norm_batch_size: 2\n    iterations: 4\n    lr: 0.05"
ON_GPUS = ("render", "reference", "complexity", "distances", "pretrain", "finetune")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm of our own, for the tests of this file."""
    made = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def story(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The whole run, with every disturbance in it."""
    story = Story(cluster, Checkout(tmp_path_factory.mktemp("run") / "checkout"))
    name_the_profile(story)
    run = story.start()
    disturb_pretrainings(story, run)
    lose_a_node(story, run)
    kill_snakemake(story, run)
    assert story.start("--unlock").wait() == 0, story.report()
    story.finish(story.start())
    return story


def name_the_profile(story: Story) -> None:
    """Do what the README says: name the partitions in the profile, and let Snakemake know its name."""
    profile = "profiles/slurm/config.yaml"
    story.checkout.edit(profile, '\n  partition: ""', "\n  partition: small")
    story.checkout.edit(profile, '\n  gpu_partition: ""', "\n  gpu_partition: accelerated")
    shutil.copy(ROOT / "Makefile", story.checkout.folder)
    subprocess.run(["make", "profiles"], cwd=story.checkout.folder, env=story.environment, check=True)


def disturb_pretrainings(story: Story, run: subprocess.Popen) -> None:
    """Cancel one pre-training, kill one, let one run out of time, each once it computes."""
    disturbances = {"mulclass": story.cancel, "objdet": story.kill, "semseg": story.run_out_of_time}

    def all_met(running: list[Job]) -> bool:
        for job in running:
            for task in [task for task in disturbances if rule(job).startswith(pretraining(task))]:
                if story.computing(job):
                    disturbances.pop(task)(job)
                    story.disturbed[task] = job["JobId"]
        return not disturbances

    story.watch(run, all_met)


def lose_a_node(story: Story, run: subprocess.Popen) -> None:
    """Lose the GPU node while a fine-tuning computes on it; it comes back when Slurm has missed it.

    Nothing but fine-tunings may be there: a pre-training's files are written a moment before its job is over.
    No job may be about to start: Slurm 22.05 forgets the GPUs of one that it could not launch on a lost node,
    which then fails when it is repeated, and keeps them for ever.
    """
    gpus = ("scontrol", "update", "PartitionName=accelerated")

    def computing(running: list[Job]) -> list[Job]:
        there = [job for job in running if job["NodeList"] == GPU_NODE]
        ready = all("rule_finetune" in rule(job) and story.launched(job) for job in there)
        return [job for job in there if ready and story.computing(job)]

    def lost(running: list[Job]) -> bool:
        if not computing(running):
            return False
        story.cluster.run(*gpus, "State=DOWN")  # it starts no further job
        if there := computing(story.running()):
            story.disturbed["node"] = there[0]["JobId"]
            story.cluster.lose_node(GPU_NODE)
        else:
            story.cluster.run(*gpus, "State=UP")
        return bool(there)

    story.watch(run, lost)
    story.watch(run, lambda running: "down" in story.cluster.run("sinfo", "-hn", GPU_NODE, "-o", "%T"))
    story.cluster.start_node(GPU_NODE)
    story.cluster.run(*gpus, "State=UP")


def kill_snakemake(story: Story, run: subprocess.Popen) -> None:
    """Kill Snakemake while jobs of its own compute and others wait."""

    def late(running: list[Job]) -> bool:
        waiting = any(job["JobState"] == "PENDING" for job in unfinished(story.cluster))
        done = story.done("results/finetune/**/metrics.json")
        return done >= 9 and waiting and any(story.computing(job) for job in running)

    story.watch(run, late)
    run.kill()
    run.wait()
    story.orphans = [job["JobId"] for job in unfinished(story.cluster)]


def train_on_two_gpus(story: Story, folder: Path) -> Story:
    """Run one pre-training as one job on both GPUs, in a checkout that has the story's renders."""
    shutil.copytree(story.checkout.folder, folder, ignore=shutil.ignore_patterns("pretrain", "logs"))
    two = Story(story.cluster, Checkout.there(folder))
    # Without a real GPU two processes cannot share a batch norm: each has a group of its own.
    two.checkout.edit("config/recipes/smoke.yaml", "    iterations: 4\n    lr: 0.05", NORM_GROUPS)
    run = two.start(
        f"{TWO_GPUS}/metrics.json",
        "--set-threads",
        "pretrain=2",
        "--set-resources",
        *(f"pretrain:{name}={value}" for name, value in ON_TWO.items()),
        "--preemptible-retries",
        "0",
    )
    two.finish(run)
    return two


def rule(job: Job) -> str:
    """Return the rule and wildcards that a Slurm job was submitted for."""
    return job.get("Comment", "")


def pretraining(task: str) -> str:
    """Return how the comment of a task's pre-training begins."""
    return f"rule_pretrain_wildcards_smoke_smoke_{task}_"


def unfinished(cluster: Cluster) -> list[Job]:
    """Return the jobs that run or wait."""
    return [job for job in cluster.jobs() if job["JobState"] in ("RUNNING", "PENDING")]


def test_the_points_are_those_of_an_undisturbed_run(story: Story, finished: Checkout) -> None:
    assert_same_measurements(story.checkout, finished)


def test_every_job_goes_through_slurm_and_small_ones_together(story: Story) -> None:
    comments = {rule(job) for job in story.cluster.jobs()}
    kinds = Counter(comment.split("_wildcards_")[0].removeprefix("rule_") for comment in comments)
    bundles = {kind.split("_")[0]: kinds.pop(kind) for kind in list(kinds) if kind.split("_")[0] in BUNDLES}
    assert bundles == dict.fromkeys(BUNDLES, 1)
    assert kinds == {
        "render": 4, "export_stand_in": 1, "pretrain": 4, "finetune": 15, "reference": 1, "complexity": 1,
        "distances": 1,
    }  # fmt: skip


def test_gpu_jobs_run_on_the_gpu_node_and_never_share_one(story: Story) -> None:
    for job in story.cluster.jobs():
        on_gpus = rule(job).startswith(tuple(f"rule_{name}_wildcards" for name in ON_GPUS))
        assert (job["NodeList"] == GPU_NODE) == on_gpus, rule(job)
    logs = story.checkout.folder.glob("results/logs/pretrain/**/*.log")
    assert all(re.search("computing on GPU [01]$", log.read_text(), flags=re.MULTILINE) for log in logs)
    assert story.side_by_side
    assert all(sorted(gpus.values()) == ["0", "1"] for gpus in story.side_by_side)


@pytest.mark.parametrize(("task", "state"), ENDS.items())
def test_a_second_attempt_gets_more_memory_and_all_the_time(story: Story, task: str, state: str) -> None:
    jobs = [job for job in story.cluster.jobs() if rule(job).startswith(pretraining(task))]
    first, second = sorted(jobs, key=lambda job: int(job["JobId"]))
    assert first["JobId"] == story.disturbed[task]
    assert (first["JobState"], second["JobState"]) == (state, "COMPLETED")
    assert ("mem=2500M" in first["TRES"], "mem=3750M" in second["TRES"]) == (True, True)
    assert second["TimeLimit"] == "1-00:00:00"
    if state != "TIMEOUT":  # whose limit the story moved near
        assert first["TimeLimit"] == "1-00:00:00"


def test_slurm_itself_repeats_what_a_lost_node_ran(story: Story) -> None:
    lost = next(job for job in story.cluster.jobs() if job["JobId"] == story.disturbed["node"])
    assert (lost["JobState"], lost["Restarts"]) == ("COMPLETED", "1")


def test_orphans_of_a_killed_snakemake_do_no_harm(story: Story) -> None:
    jobs = story.cluster.jobs()
    orphaned = {rule(job) for job in jobs if job["JobId"] in story.orphans}
    assert 2 in Counter(rule(job) for job in jobs if rule(job) in orphaned).values()  # the next call's copy
    assert not unfinished(story.cluster)
    unhappy = {job["JobId"]: job["JobState"] for job in jobs if job["JobState"] != "COMPLETED"}
    assert unhappy == {story.disturbed[task]: state for task, state in ENDS.items()}, story.report()
    assert story.checkout.planned() == {}


def test_a_lost_node_has_its_gpus_again(story: Story) -> None:
    assert "GresUsed=gpu:0" in story.cluster.run("scontrol", "show", "node", GPU_NODE, "--details")


def test_a_pretraining_on_two_gpus_is_one_job(story: Story, tmp_path: Path) -> None:
    # Last of all: its job is none of the story's.
    before = {job["JobId"] for job in story.cluster.jobs()}
    two = train_on_two_gpus(story, tmp_path / "checkout")
    (job,) = [job for job in story.cluster.jobs() if job["JobId"] not in before]
    assert (job["JobState"], job["NodeList"], job["JOB_GRES"]) == ("COMPLETED", GPU_NODE, "gpu:2")
    assert (job["NumNodes"], job["CPUs/Task"]) == ("1", "2") and "mem=5000M" in job["TRES"]
    log = (two.checkout.folder / TWO_GPUS.replace("results", "results/logs", 1)).with_suffix(".log")
    assert "computing on GPU 0,1" in log.read_text()
    assert "a step is 2 device(s) x 1 pass(es) x 2 images" in log.read_text()
    assert metrics(two.checkout.folder)[f"{TWO_GPUS}/metrics.json"]["devices"] == 2
