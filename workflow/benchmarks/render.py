"""Rendering against BlenderProc as its users start it: a new process a scene, its defaults, its writers.

Question: what does an image of the same error cost with BlenderProc started again, in images of ours?
Cost: a quarter of an hour on two idle cores, more of it the first time, for references, which --cache keeps;
--large longer than that again.
Expected: between one and a half times and twice our CPU seconds at 128².

Both sides render the same scenes of the demo's objects, in one-thread processes side by side and in one
process of all threads; both have their bytecode. The sides take turns in going first. An image's cost is its
share of the start (ours starts once for a shard of 100 scenes, BlenderProc for each scene of ten views) and
of its scene. CPU seconds are what the ratios are of: other programs on the machine do not count. The wall's
are shown beside them. Errors are RMSE (of 255) over some views of every scene, against two references of
BlenderProc without a denoiser; for ours' these have the light tree, as ours has. It is not a matter of noise
alone: in the seams of bumpy floors Cycles loses the point lights' shine without the tree (a shining mesh in a
lamp's place, never sampled as a light, shows it), so each side is held to its own limit. BlenderProc renders
with two numbers of samples, and at ours' error its cost is read off the line through both, in logarithms.
Standard errors are jackknives over rounds of new scenes.
Left out are putting a shard together, a copy of some kilobytes an image, and BlenderProc's own launcher.

  default    128², ten views a scene, ours supersampled with 8 samples of a pixel
  --large    and then 640², ours at its defaults
  --memory   memory of one process at its 30th and its 300th scene

What was tried, at 128² with errors over ten scenes, is in the docstring of `syn2real.render.cycles`.
"""

import argparse
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from environment import machine
from numpy.typing import NDArray
from PIL import Image

from syn2real.assets.demo.make import KINDS, make_objects, make_textures
from syn2real.channels.normals import unpack
from syn2real.data.shards import Shard, view_key
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets
from syn2real.render.worker import READY, RenderRequest, scene_file

NAIVE = Path(__file__).with_name("render_naive.py")
CORES = 2
SHARD, VIEWS = 100, 10
"""Scenes over which ours shares its start-up, and the paper's views of one, over which BlenderProc does."""
TICK = os.sysconf("SC_CLK_TCK")
Images = Sequence[NDArray[np.uint8]]


@dataclass(frozen=True)
class Run:
    """What one process took until it was ready and after that: (CPU, wall) seconds; and peak memory, MB."""

    start: NDArray[np.float64]
    work: NDArray[np.float64]
    peak: float


@dataclass(frozen=True)
class Way:
    """One way of rendering: whose, with what setting, in how many processes at once of how many threads."""

    side: str
    rendering: Rendering
    processes: int = CORES

    @property
    def threads(self) -> int:
        """Threads of each process."""
        return CORES // self.processes

    @property
    def folder(self) -> str:
        """Name of the folder that it renders into."""
        return f"{self}, {self.rendering.image_size}"

    def __str__(self) -> str:
        times = "x4" if self.rendering.supersampling > 1 and self.side == "ours" else ""
        samples = -(-self.rendering.samples // 4) if times else self.rendering.samples
        return f"{self.side} {samples}{times}, {self.processes} x {self.threads}"


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process that runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def timed(command: Sequence[str | Path], request: dict[str, Any]) -> Run:
    """Run a process to its end; it says on standard error when it is ready."""
    began, ready, printed = time.monotonic(), np.zeros(2), []
    own = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    # Without the variable, what the environment's bytecode lacks is compiled in the untimed first run.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**kept, **own},
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        for line in process.stderr:
            printed.append(line)
            if line.strip() == READY:
                ready = np.array([cpu_seconds(process.pid), time.monotonic() - began])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("".join(printed))
    whole = np.array([usage.ru_utime + usage.ru_stime, time.monotonic() - began])
    return Run(ready, whole - ready, usage.ru_maxrss / 1024)


class Stage:
    """The demo's assets in a folder of its own, and both ways of rendering scenes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = {kind: folder / "objects" / kind for kind in KINDS}
        self.textures = folder / "textures"
        for kind, target in self.objects.items():
            make_objects(kind, target)
        make_textures(self.textures)

    def ours(self, rendering: Rendering, scenes: Sequence[int], name: str, threads: int = 1) -> Run:
        """Render scenes in one process, into a folder of this name."""
        found = find_scene_assets("benchmark", rendering, self.objects, self.textures)
        scratch = self.folder / name
        scratch.mkdir(exist_ok=True)
        request = RenderRequest(
            setting="benchmark", split="train", rendering=rendering.model_dump(mode="json"),
            names=list(found.objects), materials=list(found.materials), labels=[],
            objects={key: str(folder) for key, folder in self.objects.items()}, textures=str(self.textures),
            scratch=str(scratch), key="", scenes=list(scenes), threads=threads,
        )  # fmt: skip
        return timed(["-m", "syn2real.render.worker"], asdict(request))

    def naive(
        self,
        rendering: Rendering,
        scene: int,
        name: str,
        threads: int = 1,
        seed: int = 0,
        views: int = VIEWS,
        light_tree: bool = False,
    ) -> Run:
        """Render the first views of one scene of `described`, into a folder of this name."""
        shard = Shard(scene_file(self.folder / "described", scene))
        description = json.loads(shard.read(f"{scene:08d}")["scene.json"])
        description["views"] = description["views"][:views]
        request = {
            "rendering": rendering.model_dump(mode="json"),
            "description": description,
            "objects": {key: str(folder) for key, folder in self.objects.items()},
            "textures": str(self.textures),
            "output": str(self.folder / name),
            "temporary": "/dev/shm",
            "seed": seed,
            "light_tree": light_tree,
            "threads": threads,
        }
        return timed([NAIVE], request)

    def run(self, way: Way, scenes: Sequence[int]) -> list[Run]:
        """Render scenes: each process of ours its share of them, each of BlenderProc's one."""
        jobs: list[Callable[[], Run]]
        if way.side == "ours":
            shares = [scenes[k :: way.processes] for k in range(way.processes)]
            jobs = [lambda s=s: self.ours(way.rendering, s, way.folder, way.threads) for s in shares]  # type: ignore[misc]
        else:
            jobs = [
                lambda s=s: self.naive(way.rendering, s, f"{way.folder}/{s}", way.threads) for s in scenes
            ]  # type: ignore[misc]
        with ThreadPoolExecutor(way.processes) as pool:
            return list(pool.map(lambda job: job(), jobs))

    def images(self, way: Way, scene: int, views: int) -> Images:
        """Return the first images of a scene."""
        if way.side == "ours":
            shard = Shard(scene_file(self.folder / way.folder, scene))
            return [opened(shard.read(view_key(scene, view))["png"]) for view in range(views)]
        return naive_images(self.folder / way.folder / str(scene), views)


def opened(content: bytes | Path) -> NDArray[np.uint8]:
    """Return an image's pixels."""
    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
        return np.asarray(image.convert("RGB"))


def naive_images(folder: Path, views: int) -> Images:
    """Return the first images that BlenderProc left in a folder."""
    return [opened(folder / "images" / f"{view:06d}.png") for view in range(views)]


def setting(**changes: Any) -> Rendering:
    """Return the default setting with the demo's objects and materials."""
    return Rendering(collections=tuple(KINDS), textures="demo", **changes)


def references(
    stage: Stage, size: int, scene: int, views: int, samples: int, tree: bool, cache: Path
) -> NDArray[Any]:
    """Return two references of a scene, shape (2, views, H, W, 3), by seeds of their own."""
    file = cache / f"references-{size}-{scene}-{views}-{samples}{'-tree' if tree else ''}.npy"
    if not file.is_file():
        many = setting(image_size=size, samples=samples, denoise=False)
        names = [(f"reference-{size}-{scene}-{seed}-{tree}", seed) for seed in (1, 2)]
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(lambda n: stage.naive(many, scene, n[0], 1, n[1], views, tree), names))
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array([naive_images(stage.folder / name, views) for name, _ in names]))
    return np.load(file)


def squared_error(images: Images, references: NDArray[np.uint8]) -> float:
    """Return the mean squared error of images as they are seen (of 255).

    The references, shape (2, images, H, W, 3), are two renders of the same, without a denoiser, which would
    share its own faults with the images. The noise that they keep is not in the mean of the product of an
    image's differences from one and from the other.
    """
    seen = np.asarray(images, float)
    return float(np.mean((seen - references[0]) * (seen - references[1])))


def cost(way: Way, runs: Sequence[Run], scenes: int) -> NDArray[np.float64]:
    """Return the (CPU, wall) seconds of an image, where these processes rendered so many scenes."""
    start = np.mean([run.start for run in runs], axis=0) / VIEWS / (SHARD if way.side == "ours" else 1)
    work = np.sum([run.work for run in runs], axis=0) / (scenes * way.rendering.views)
    return (start + work) / [1, way.processes]


def at_equal_error(costs: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return BlenderProc's cost at ours' error, over ours: each of two of BlenderProc's, then ours."""
    part = np.log(errors[2] / errors[0]) / np.log(errors[1] / errors[0])
    return costs[0] * (costs[1] / costs[0]) ** part / costs[2]


def jackknife(
    statistic: Callable[[NDArray[Any]], NDArray[np.float64]], rounds: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a statistic of the rounds' numbers, and its standard error; it gets a weight for each round."""
    ones = np.ones(rounds)
    left_out = np.array([statistic(ones - row) for row in np.eye(rounds)])
    error = np.sqrt((rounds - 1) * np.mean((left_out - left_out.mean(axis=0)) ** 2, axis=0))
    return statistic(ones), error


def compare(stage: Stage, ways: Sequence[Way], args: argparse.Namespace, views: int) -> None:
    """Print what an image takes either way, its error, and the ratios; the first three ways are compared."""
    size, scenes = ways[0].rendering.image_size, CORES * args.scenes
    taken = np.zeros((args.rounds, len(ways), 2))
    squares, peak = np.zeros((args.rounds, 3)), np.zeros(len(ways))
    for number in range(args.rounds):
        chosen = range(number * scenes, (number + 1) * scenes)
        order = range(len(ways)) if number % 2 else reversed(range(len(ways)))
        for k in order:
            mine = ways[k].side == "ours"
            runs = stage.run(ways[k], chosen if mine else chosen[:CORES])
            taken[number, k] = cost(ways[k], runs, scenes if mine else CORES)
            peak[k] = max(peak[k], *(run.peak for run in runs))
        for scene in chosen[:CORES]:
            for k, way in enumerate(ways[:3]):
                ours = way.side == "ours"
                truth = references(stage, size, scene, views, args.reference, ours, args.cache)
                squares[number, k] += squared_error(stage.images(way, scene, views), truth)
    errors = np.sqrt(squares.mean(axis=0) / CORES)
    print(f"\n{size}², {args.rounds} rounds, {CORES} scenes a round; samples, processes x threads")
    print(f"{'an image':22}{'CPU ms':>9}{'wall ms':>9}{'RMSE':>8}{'peak MB':>9}")
    for k, way in enumerate(ways):
        cpu, wall = 1000 * taken[:, k].mean(axis=0)
        error = f"{errors[k]:8.2f}" if k < len(errors) else " " * 8
        print(f"{way!s:22}{cpu:9.0f}{wall:9.0f}{error}{peak[k]:9.0f}")

    def equal(weights: NDArray[Any]) -> NDArray[np.float64]:
        means = np.average(taken[:, :3], axis=0, weights=weights)
        return at_equal_error(means, np.sqrt(np.average(squares, axis=0, weights=weights)))

    print(f"BlenderProc over ours at equal error: {shown(*jackknife(equal, args.rounds))}")
    for one, other in ((1, 3), (2, 4))[: len(ways) - 3]:
        ratios = taken[:, other] / taken[:, one]
        error = ratios.std(axis=0, ddof=1) / math.sqrt(args.rounds)
        print(f"{ways[other]} over {ways[one]}: {shown(ratios.mean(axis=0), error)}")


def shown(ratios: NDArray[np.float64], errors: NDArray[np.float64]) -> str:
    """Return ratios of (CPU, wall) seconds with their standard errors, as text."""
    return f"CPU {ratios[0]:.2f} ± {errors[0]:.2f}, wall {ratios[1]:.2f} ± {errors[1]:.2f}"


def print_files(stage: Stage, naive: Way, ours: Way) -> None:
    """Print what an image takes on disk, and the angle between stored and BlenderProc's float32 normals."""
    shard, folder = scene_file(stage.folder / ours.folder, 0), stage.folder / naive.folder / "0"
    left = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    views, angles, opened_shard = ours.rendering.views, [], Shard(shard)
    for view in range(views):
        mine, valid = unpack(opened(opened_shard.read(view_key(0, view))["normal.png"]))
        # BlenderProc keeps (n + 1) / 2.
        theirs = 2 * np.load(folder / f"{view}.npy")[..., :3] - 1
        valid &= np.linalg.norm(theirs, axis=-1) > 0.99
        cosine = (mine * theirs).sum(-1)[valid] / np.linalg.norm(theirs[valid], axis=-1)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    angle = np.median(np.concatenate(angles))
    print(f"bytes an image: naive {left / views:.0f}, ours {shard.stat().st_size / views:.0f}")
    print(f"normals as stored against float32, median: {angle:.2f} degrees")


def memory(stage: Stage) -> None:
    """Print one process's resident memory when it has done 30 and 300 scenes of ten objects."""
    rendering, early, late = setting(image_size=32, samples=1, views=1), 30, 300
    found: dict[int, float] = {}
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(stage.ours, rendering, range(late + 1), "memory")
        while not job.done():
            for scene in (early, late):
                if scene not in found and scene_file(stage.folder / "memory", scene - 1).is_file():
                    found[scene] = child_memory()
            time.sleep(0.05)
        job.result()
    ratio = found[late] / found[early]
    print(f"\nresident memory: {found[early]:.0f} MB at scene {early}, {found[late]:.0f} MB at scene {late}, "
          f"ratio {ratio:.3f}")  # fmt: skip


def child_memory() -> float:
    """Return the resident memory, MB, of this process's one child."""
    listings = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    [child] = {pid for listing in listings for pid in listing.read_text().split()}
    pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(stage: Stage, args: argparse.Namespace) -> None:
    """Print the tables of 128² and, if asked for, of 640²."""
    print(machine())
    sizes: list[tuple[int, int, int, tuple[int, int], dict[str, int]]]
    sizes = [(128, VIEWS, 3, (8, 24), {"samples": args.samples, "supersampling": args.supersampling})]
    sizes += [(args.size, 1, 1, (24, 50), {})] if args.large else []
    for size, views, error_views, few_many, own in sizes:
        ours = setting(image_size=size, views=views, **own)
        few, many = (setting(image_size=size, views=views, samples=n) for n in few_many)
        ways = [Way("naive", few), Way("naive", many), Way("ours", ours)]
        if size == 128:
            ways += [Way("naive", many, 1), Way("ours", ours, 1)]
        # Small images of the same scenes, untimed: which ones can be built, and all bytecode.
        small = setting(image_size=16, samples=1, supersampling=1, views=views)
        stage.ours(small, range(args.rounds * CORES * args.scenes), "described")
        compare(stage, ways, args, error_views)
        print_files(stage, ways[1], ways[2])


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--samples", type=int, default=8, help="of ours at 128² (default: %(default)s)")
    add("--supersampling", type=int, default=2, help="of ours at 128² (default: %(default)s)")
    add("--rounds", type=int, default=4, help="at least 2 (default: %(default)s)")
    add("--scenes", type=int, default=2, help="of ours, a process (default: %(default)s)")
    add("--large", action="store_true", help="640² too")
    add("--size", type=int, default=640, help="with --large (default: %(default)s)")
    add("--reference", type=int, default=64, help="samples of a reference (default: %(default)s)")
    add("--cache", type=Path, default=Path(".cache/benchmarks"), help="(default: %(default)s)")
    add("--memory", action="store_true", help="memory over 300 scenes")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (memory if args.memory else lambda stage: measure(stage, args))(Stage(Path(folder)))


if __name__ == "__main__":
    main()
