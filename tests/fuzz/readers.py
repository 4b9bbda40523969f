"""The readers of files that come from elsewhere: each with valid files, and how it reads one.

Modules are imported within the functions: a process imports only what its reader needs.
"""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from fuzz.mutations import ODD, ODD_CELLS, ODD_YAML, Seed, whole

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reader:
    """A reader of the library.

    Attributes
    ----------
    suffix : str
        Of its files.
    seeds : function
        Returns valid files.
    read : function
        Reads a file that lies in an empty folder of its own.
    """

    suffix: str
    seeds: Callable[[], list[Seed]]
    read: Callable[[Path], object]


def _tables() -> list[Seed]:
    def csv(rows: list[list[str]]) -> str:
        return "\n".join(",".join(map(str, row)) for row in rows) + "\n"

    rows = [["n", "error"], *([str(n), f"{n**-0.4 + 0.1:.4f}"] for n in (500, 1000, 2000, 4000, 8000))]
    many = [["task", "s", "n", "seed", "error", "n_params"]]
    many += [
        [task, "1000", str(n), seed, f"{n**-0.3:.4f}", "11689512"]
        for task in ("a", "b")
        for n in (1000, 2000, 4000)
        for seed in "01"
    ]
    tables = [rows, many, [*rows, ["0", "0.5"]]]
    return [Seed(table, dump=csv, odd=ODD_CELLS) for table in tables]


def _read_table(path: Path) -> None:
    from syn2real.laws.reading import read_csv
    from syn2real.laws.table import read_curves

    read_curves(read_csv(path), file=path)


def _experiments() -> list[Seed]:
    files = [ROOT / f"config/experiments/{name}.yaml" for name in ("smoke", "full-law", "own-renders")]
    asked = {"name": "given", "question": "q?", "cost": "none", "expected": "a law"}
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    documents.append(asked | {"measurements": {"path": "given.csv"}, "target_error": 0.5})
    return [Seed(document, odd=ODD + ODD_YAML) for document in documents]


def _plan(path: Path) -> None:
    from syn2real.config.loading import read_yaml
    from syn2real.plan.read import load_plan

    config = read_yaml(ROOT / "config/config.yaml")
    for key in ("renderings", "targets", "datasets", "recipes"):
        config[key] = str(ROOT / "config" / Path(config.get(key, f"{key}.yaml")).name)
    load_plan(config | {"experiment": str(path)}, ROOT / "config/config.yaml")


def _coco() -> list[Seed]:
    polygon = [1.0, 1.0, 9.0, 1.0, 9.0, 8.0, 1.0, 8.0]
    runs = {"size": [12, 16], "counts": [20, 5, 167]}
    packed = {"size": [12, 16], "counts": "d05W5"}
    images = [{"id": k, "file_name": f"{k}.png", "width": 16, "height": 12} for k in (1, 2, 3, 4)]
    annotations = [
        {"id": k + 1, "image_id": k % 4 + 1, "category_id": 1 + k % 2, "bbox": [1, 1, 8, 7], "area": 56.0,
         "iscrowd": int(shape is runs), "segmentation": shape}
        for k, shape in enumerate([[polygon], runs, packed, [polygon, polygon]])
    ]  # fmt: skip
    categories = [{"id": 1, "name": "cup"}, {"id": 2, "name": "can", "supercategory": "kitchen"}]
    data = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
    return [Seed(data), Seed(data | {"licenses": [{"id": 1, "name": "CC"}]})]


def _read_coco(path: Path) -> None:
    from syn2real.data.coco.painting import instance_mask
    from syn2real.data.coco_format import index, read_annotations

    data = None
    for channel in ("objects", "class-map"):
        data = read_annotations([path], channel)
        index(data)
    sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
    for annotation in data["annotations"]:
        if "segmentation" in annotation:
            instance_mask(annotation, sizes[annotation["image_id"]])


def _read_own(path: Path) -> None:
    from syn2real.data.own_renders.index import AnnotationSplitter, read_part

    folder = path.parent / "index"
    folder.mkdir()
    index = AnnotationSplitter([path], folder, 2).split("key", 2)
    for part in index.parts:
        read_part(folder / f"{part}.json")


def _pictures() -> dict[str, bytes]:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    kinds = [("PNG", "RGB"), ("PNG", "P"), ("PNG", "L"), ("PNG", "RGBA"), ("PNG", "I;16"), ("JPEG", "RGB")]
    kinds += [("JPEG", "CMYK"), ("BMP", "RGB"), ("TIFF", "RGB"), ("WEBP", "RGB"), ("GIF", "P")]
    pictures = {}
    for kind, mode in kinds:
        stream = io.BytesIO()
        image = Image.fromarray(pixels)
        if mode == "I;16":
            image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 200)
        elif mode != "RGB":
            image = image.convert(mode)
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(stream, kind, **({"exif": exif} if kind == "JPEG" else {}))
        pictures[f"{kind} {mode}"] = stream.getvalue()
    return pictures


def _read_image(path: Path) -> None:
    from syn2real.data.images import read_image
    from syn2real.data.pixels import read_mask
    from syn2real.errors import InputError

    try:
        read_mask(path)
    except InputError as error:
        _one_line(str(error))
    read_image(path)
    read_image(path, (12, 16))


def _one_line(text: str) -> None:
    assert "\n" not in text and len(text) < 1500, f"not one short line: {text[:900]!r}"


def _shards() -> list[Seed]:
    """Shards, built by hand so that what a shard says about itself can be changed."""
    from syn2real.data.shards import META, SceneRecord, Shard, write_shard
    from syn2real.files import canonical_json

    picture = _pictures()["PNG RGB"]
    thing = {"class": 0, "bbox": [1, 1, 8, 7], "area": 56}
    record = {"width": 16, "height": 12, "scene": 0, "view": 0, "objects": [thing]}
    meta = {"setting": "a", "split": "train", "first_scene": 0, "n_scenes": 2, "views": 2}
    meta |= {"classes": ["c/one"], "members": ["png", "seg.png", "json"], "resampled": {}}
    meta |= {"rendering": {}, "versions": {}}
    folder = Path("seeds")
    folder.mkdir(exist_ok=True)

    def shard(said: dict[str, Any], view: bytes) -> bytes:
        views = [{"png": picture, "seg.png": _pictures()["PNG L"], "json": view}] * 2
        records = [SceneRecord(scene, b"{}", views) for scene in range(2)]
        write_shard(folder / "s.tar", said, records)
        assert len(Shard(folder / "s.tar")) == 4
        return (folder / "s.tar").read_bytes()

    valid = shard(meta, canonical_json(record))

    def with_meta(text: bytes) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(valid)) as old, tarfile.open(fileobj=stream, mode="w") as new:
            for member in old:
                content = text if member.name == META else old.extractfile(member).read()
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        return stream.getvalue()

    long = canonical_json({"format": 2, **meta})

    def same_places(text: bytes) -> bytes:
        # Blanks keep the members where the index has them, so that more than the index is reached.
        return with_meta(text.ljust(len(long))[: max(len(long), len(text))])

    return [
        Seed({"format": 2, **meta}, wrap=same_places),
        Seed(record, wrap=lambda text: shard(meta, text)),
        whole(valid),
    ]


def _read_shard(path: Path) -> None:
    from syn2real.complexity.images import ShardImages
    from syn2real.data.rendered import RenderedImages
    from syn2real.data.shards import Shard
    from syn2real.errors import InputError
    from syn2real.report.contact_sheet import contact_sheet

    for read in (
        lambda: RenderedImages([path], len(Shard(path)), "objects")[0],
        lambda: ShardImages([path])[0],
    ):
        try:
            read()
        except InputError as error:
            _one_line(str(error))
    contact_sheet(path, path.with_name("sheet.png"), views=4)


def _tiny() -> Any:
    """Return the smallest network that a backbone may be."""
    from torch import nn

    from syn2real.backbones.base import Backbone

    class Tiny(Backbone):
        def forward(self, images):
            return [self.net(images)]

        def pooled(self, images):
            return self.net(images).mean((2, 3))

    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    return Tiny("tiny", net, (4,), (1,), 4)


def _safetensors() -> list[Seed]:
    from safetensors.torch import save

    content = save(_tiny().state(), metadata={"syn2real": "{}"})
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]

    def wrap(text: bytes) -> bytes:
        return len(text).to_bytes(8, "little") + text + data

    return [Seed(header, wrap=wrap), whole(content)]


def _torch_files() -> list[Seed]:
    import torch

    seeds = []
    for value in (_tiny().state(), {"model": _tiny().state(), "epoch": 3}):
        for new in (True, False):
            stream = io.BytesIO()
            torch.save(value, stream, _use_new_zipfile_serialization=new)
            seeds.append(whole(stream.getvalue()))
    return seeds


def _read_weights(path: Path) -> None:
    _tiny().load(path)


def _bundles() -> list[Seed]:
    from syn2real.report.verify import METADATA

    content = b"n,error\n" + b"".join(b"%d,0.%d\n" % (n, n * n % 997) for n in range(40))
    digests = {"sha256": sha256(content).hexdigest(), "contentSize": str(len(content))}
    names = ("one.csv", "results/two.csv")
    graph = [{"@id": "./", "@type": "Dataset"}, *({"@id": n, "@type": "File", **digests} for n in names)]

    def pack(text: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(METADATA, text)
            for name in names:
                archive.writestr(name, content)
        return stream.getvalue()

    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return [Seed(crate, wrap=pack), whole(pack(json.dumps(crate).encode()))]


def _verify(path: Path) -> None:
    from syn2real.report.verify import verify_bundle

    count, problems = verify_bundle(path)
    for problem in problems:
        _one_line(problem)
    assert count or problems, "a bundle that describes nothing passes"


def _archives() -> list[Seed]:
    files = {
        "models/obj_000001.ply": b"ply" * 50,
        "models/models_info.json": b"{}",
        "camera.json": b"{}" * 300,
    }
    seeds = []
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            stream = io.BytesIO()
            with tarfile.open(fileobj=stream, mode=mode, format=kind) as tar:
                for name, content in files.items():
                    info = tarfile.TarInfo(name)
                    info.size, info.pax_headers = len(content), {"comment": "a"}
                    tar.addfile(info, io.BytesIO(content))
            seeds.append(whole(stream.getvalue()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return [*seeds, whole(stream.getvalue())]


def _unpack(path: Path) -> None:
    from syn2real.assets.unpack import unpack

    unpack(path, path.parent / "out")


def _meshes() -> list[Seed]:
    import trimesh

    box = trimesh.creation.box(extents=(1, 2, 3))
    seeds = [whole(trimesh.exchange.ply.export_ply(box, encoding=kind)) for kind in ("ascii", "binary")]
    head = ["ply", "format ascii 1.0", "element vertex 2", "property float x", "property float y"]
    lines = [*head, "property float z", "element face 1", "property list uchar int vertex_indices"]
    lines += ["end_header", "0 0 0", "10 20 30", "3 0 1 0"]
    return [*seeds, Seed(lines, dump="\n".join, odd=ODD_CELLS)]


def _read_mesh(path: Path) -> None:
    from syn2real.assets.ply import farthest_vertex

    farthest_vertex(path)


def _images() -> list[Seed]:
    return [whole(content) for content in _pictures().values()]


READERS = {
    "csv": Reader(".csv", _tables, _read_table),
    "yaml": Reader(".yaml", _experiments, _plan),
    "coco": Reader(".json", _coco, _read_coco),
    "own-renders": Reader(".json", _coco, _read_own),
    "shard": Reader(".tar", _shards, _read_shard),
    "safetensors": Reader(".safetensors", _safetensors, _read_weights),
    "torch": Reader(".pth", _torch_files, _read_weights),
    "bundle": Reader(".zip", _bundles, _verify),
    "archive": Reader(".zip", _archives, _unpack),
    "mesh": Reader(".ply", _meshes, _read_mesh),
    "images": Reader(".png", _images, _read_image),
}
