"""Rendering against the naive way, which starts BlenderProc again for every scene, as the paper's code did.

Both sides render the same scene descriptions of the demo's objects, in two one-thread processes side by
side; ratios are medians of pairs. The sides take turns in going first. Where the naive way does, it renders
the scenes of the pair before, since it needs scenes that could be built.
Start-up (from the process's start until Blender is ready) and the work on a scene are measured apart; the
rate of images is that of a shard of 100 scenes, whose start-up is shared. Putting the shard together from its
scenes, a copy of some kilobytes an image, is left out, and so is what BlenderProc's own launcher takes before
it starts Blender. Peak memory is that of one process.

  default    128², the same number of samples on both sides, ours without supersampling: quickest, not best
  --large    640²: the naive way at the paper's 50 samples and ours at its defaults, with both errors against
             references of many samples (kept in --cache), so that speed is compared at equal error
  --memory   memory of one process at its 30th and its 300th scene

What was tried, on two scenes, errors against 640 samples in a part of a 640² view. What pays is to render
and denoise twice the side, a quarter of the samples in each part of a pixel, and reduce: at 16 samples the
error falls by a tenth for the same time, at 128² by a fifth. Reducing after the view transform instead of
before loses it all again. Thrice the side is no better for its time. The light tree takes a quarter more
time a sample, which is worth it from about 24 samples; Cycles' tabulated sampling pattern takes an eighth
less, but its error is 7 % greater. More samples where the contrast is greatest (through a ray portal, at
the cost of these pixels alone) do not pay: the error there is the denoiser's. Nine tenths of the noise and
four fifths of the time are direct light's, so fewer bounces save little, and their bias is greater than
that; neither does denoising light and albedo apart pay, nor adaptive sampling.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from syn2real.assets.demo.make import KINDS, make_objects, make_textures
from syn2real.channels.normals import unpack
from syn2real.data.shards import Shard, view_key
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets
from syn2real.render.worker import READY, RenderRequest, scene_file

NAIVE = Path(__file__).with_name("render_naive.py")
PROCESSES = 2
REFERENCE_SEEDS = (1, 2)
SHARD = 100
"""Scenes over which ours shares its start-up: the default of `scenes_per_shard`."""


@dataclass(frozen=True)
class Run:
    """What one process took: seconds until it was ready, seconds after that, peak memory in MB."""

    start: float
    work: float
    peak: float


def timed(command: Sequence[str | Path], request: dict[str, Any]) -> Run:
    """Run a process to its end; it says on standard error when it is ready."""
    began = ready = time.monotonic()
    printed = []
    with subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        for line in process.stderr:
            printed.append(line)
            if line.strip() == READY:
                ready = time.monotonic()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("".join(printed))
    return Run(ready - began, time.monotonic() - ready, usage.ru_maxrss / 1024)


class Stage:
    """The demo's assets in a folder of its own, and both ways of rendering scenes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = {kind: folder / "objects" / kind for kind in KINDS}
        self.textures = folder / "textures"
        for kind, target in self.objects.items():
            make_objects(kind, target)
        make_textures(self.textures)

    def ours(self, rendering: Rendering, scenes: Sequence[int], name: str) -> Run:
        """Render scenes in one process, into a folder of this name."""
        found = find_scene_assets("benchmark", rendering, self.objects, self.textures)
        scratch = self.folder / name
        scratch.mkdir(exist_ok=True)
        request = RenderRequest(
            setting="benchmark", split="train", rendering=rendering.model_dump(mode="json"),
            classes=list(found.classes), materials=list(found.materials),
            objects={key: str(folder) for key, folder in self.objects.items()}, textures=str(self.textures),
            scratch=str(scratch), key="", scenes=list(scenes), threads=1,
        )  # fmt: skip
        return timed(["-m", "syn2real.render.worker"], asdict(request))

    def naive(self, rendering: Rendering, scene: int, ours: str, name: str, seed: int = 0) -> Run:
        """Render one scene that ours has rendered (so it can be built), into a folder of this name."""
        description = Shard(scene_file(self.folder / ours, scene)).read(f"{scene:08d}")["scene.json"]
        request = {
            "rendering": rendering.model_dump(mode="json"),
            "description": json.loads(description),
            "objects": {key: str(folder) for key, folder in self.objects.items()},
            "textures": str(self.textures),
            "output": str(self.folder / name),
            "temporary": "/dev/shm",
            "seed": seed,
        }
        return timed([NAIVE], request)


def pair(
    stage: Stage, naive: Rendering, ours: Rendering, scenes: int, number: int
) -> tuple[list[Run], list[Run]]:
    """Render with both ways; every process of ours does some scenes, every one of the naive way one.

    The naive way needs scenes that ours could build: the first of each process, of this pair or, where it
    goes first (in every second pair), of the pair before.
    """
    first = [PROCESSES * scenes * number + k * scenes for k in range(PROCESSES)]
    back = PROCESSES * scenes * (number % 2)
    with ThreadPoolExecutor(PROCESSES) as pool:

        def mine() -> list[Run]:
            return list(pool.map(lambda s: stage.ours(ours, range(s, s + scenes), f"ours-{s}"), first))

        def theirs() -> list[Run]:
            return list(
                pool.map(lambda s: stage.naive(naive, s - back, f"ours-{s - back}", f"naive-{s}"), first)
            )

        if number % 2:
            return theirs(), mine()
        done = mine()
        return theirs(), done


def compare(stage: Stage, naive: Rendering, ours: Rendering, scenes: int, pairs: int) -> None:
    """Print what both ways take, and the ratios."""
    views, rows = ours.views, []
    for number in range(pairs):
        theirs, mine = pair(stage, naive, ours, scenes, number)
        start_n, start_o = (statistics.mean(run.start for run in runs) for runs in (theirs, mine))
        work_n = statistics.mean(run.work for run in theirs)
        work_o = statistics.mean(run.work for run in mine) / scenes
        rows.append(
            {
                "start": (start_n, start_o),
                "frame": (work_n / views, work_o / views),
                "rate": (
                    PROCESSES * views / (start_n + work_n),
                    PROCESSES * views / (start_o / SHARD + work_o),
                ),
                "peak": (max(run.peak for run in theirs), max(run.peak for run in mine)),
            }
        )
    stored = scene_file(stage.folder / "ours-0", 0).stat().st_size
    size = (naive_bytes(stage.folder / "naive-0") / views, stored / views)
    print(f"\n{ours.image_size}², {views} views a scene, samples: naive {naive.samples}, ours {ours.samples}")
    table = [
        ("images a second, both cores", "rate", 1, "{:10.3f}"),
        ("start-up, s a process", "start", -1, "{:10.2f}"),
        ("start-up, s an image", "start an image", -1, "{:10.4f}"),
        ("scene and frame, s an image", "frame", -1, "{:10.3f}"),
        ("peak memory, MB a process", "peak", -1, "{:10.0f}"),
        ("bytes an image", "bytes", -1, "{:10.0f}"),
    ]
    for row in rows:
        row["start an image"] = (row["start"][0] / views, row["start"][1] / (SHARD * views))
        row["bytes"] = size
    print(f"{'':30}{'naive':>10}{'ours':>10}{'ratio':>8}")
    for label, key, sign, form in table:
        middle = [statistics.median(row[key][side] for row in rows) for side in (0, 1)]
        ratio = statistics.median((row[key][1] / row[key][0]) ** sign for row in rows)
        print(f"{label:30}{form.format(middle[0])}{form.format(middle[1])}{ratio:7.1f}x")


def naive_bytes(folder: Path) -> int:
    """Return what the naive way leaves on disk for a scene."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def opened(content: bytes | Path) -> NDArray[np.uint8]:
    """Return an image's pixels."""
    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
        return np.asarray(image.convert("RGB"))


def normal_error(stage: Stage, views: int) -> float:
    """Return the median angle, degrees, between our stored normals and the naive way's float32 ones."""
    shard, angles = Shard(scene_file(stage.folder / "ours-0", 0)), []
    for view in range(views):
        ours, valid = unpack(opened(shard.read(view_key(0, view))["normal.png"]))
        # BlenderProc keeps (n + 1) / 2.
        naive = 2 * np.load(stage.folder / "naive-0" / f"{view}.npy")[..., :3] - 1
        valid &= np.linalg.norm(naive, axis=-1) > 0.99
        cosine = (ours * naive).sum(-1)[valid] / np.linalg.norm(naive[valid], axis=-1)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return float(np.median(np.concatenate(angles)))


def image_error(images: Sequence[NDArray[np.uint8]], references: NDArray[np.uint8]) -> float:
    """Return the RMSE of images as they are seen (of 255), over all of them.

    The references, shape (2, images, H, W, 3), are two renders of the same, without a denoiser, which would
    share its own faults with the images. The noise that they keep is not in the mean of the product of an
    image's differences from one and from the other.
    """
    seen = np.asarray(images, float)
    return float(np.sqrt(np.mean((seen - references[0]) * (seen - references[1]))))


def large(stage: Stage, size: int, views: int, pairs: int, samples: int, cache: Path) -> None:
    """Compare at equal error: the naive way at the paper's samples, ours at its defaults."""
    ours = setting(image_size=size, views=views)
    compare(stage, setting(image_size=size, views=views, samples=50), ours, 1, pairs)
    file = cache / f"references-{size}-{views}-{samples}.npy"
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, make_references(stage, setting(image_size=size, views=views, samples=samples)))
    references = np.load(file)
    print(f"error against twice {samples} samples, RMSE of 255, scene 0:")
    print(f"  naive {image_error(naive_images(stage.folder / 'naive-0', views), references):.2f}", end=", ")
    print(f"ours {image_error(stored_images(stage.folder / 'ours-0', views), references):.2f}")


def make_references(stage: Stage, many: Rendering) -> list[list[NDArray[np.uint8]]]:
    """Render scene 0 with BlenderProc, by seeds of its own: neither side's samples are in it."""
    without = many.model_copy(update={"denoise": False})
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(lambda k: stage.naive(without, 0, "ours-0", f"reference-{k}", k), REFERENCE_SEEDS))
    return [naive_images(stage.folder / f"reference-{k}", many.views) for k in REFERENCE_SEEDS]


def naive_images(folder: Path, views: int) -> list[NDArray[np.uint8]]:
    """Return the images that the naive way left in a folder."""
    return [opened(folder / "images" / f"{view:06d}.png") for view in range(views)]


def stored_images(folder: Path, views: int) -> list[NDArray[np.uint8]]:
    """Return the images of scene 0 in a folder of finished scenes."""
    shard = Shard(scene_file(folder, 0))
    return [opened(shard.read(view_key(0, view))["png"]) for view in range(views)]


def setting(**changes: Any) -> Rendering:
    """Return the paper's main setting with the demo's objects and materials."""
    return Rendering(collections=tuple(KINDS), textures="demo", **changes)


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


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=8, help="at 128², both sides (default: %(default)s)")
    parser.add_argument("--supersampling", type=int, default=1, help="of ours at 128² (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument(
        "--scenes", type=int, default=3, help="of ours, a process, at 128² (default: %(default)s)"
    )
    parser.add_argument("--large", action="store_true", help="640² at equal error (default: 128²)")
    parser.add_argument("--size", type=int, default=640, help="with --large (default: %(default)s)")
    parser.add_argument("--views", type=int, default=2, help="with --large (default: %(default)s)")
    parser.add_argument("--reference", type=int, default=200, help="samples (default: %(default)s)")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/benchmarks"), help="(default: %(default)s)"
    )
    parser.add_argument("--memory", action="store_true", help="memory over 300 scenes")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        if args.memory:
            memory(stage)
            return
        if args.large:
            views = args.views
            large(stage, args.size, views, args.pairs, args.reference, args.cache)
        else:
            views = 10
            same = {"image_size": 128, "samples": args.samples, "supersampling": args.supersampling}
            compare(stage, setting(**same), setting(**same), args.scenes, args.pairs)
        print(f"normals as stored against float32, median: {normal_error(stage, views):.2f} degrees")


if __name__ == "__main__":
    main()
