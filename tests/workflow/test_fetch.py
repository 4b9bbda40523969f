"""Real assets: what a setting uses, and nothing else, is fetched from its provider; here: this machine."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout
from provider import Provider, Served, collection, zipped

TABLE = "config/mine.tsv"
OBJECTS, MATERIAL = "results/assets/objects/tless", "results/assets/materials/ambientcg/Fabric001"


@pytest.fixture
def provider():
    with Provider() as server:
        yield server


@pytest.fixture
def fetching(checkout: Checkout, provider: Provider) -> Checkout:
    """A checkout whose smoke experiment pre-trains on a setting of fetched objects and a fixed background."""
    checkout.edit("config/config.yaml", "datasets: config/datasets.tsv", f"datasets: {TABLE}")
    checkout.edit(
        "config/experiments/smoke.yaml",
        "    textures: demo\n",
        "    textures: ambientcg\n    background: fix\n",
    )
    checkout.edit(
        "config/experiments/smoke.yaml",
        "collections: [demo-textured, demo-textureless]",
        "collections: [tless]",
    )
    files = collection("tless", {"obj_000001.ply": b"x" * 300_000, "obj_000002.ply": b"y"}, "models_cad")
    provider.files |= {f"/{name}": Served(content) for name, content in files.items()}
    provider.files["/get?file=Fabric001.zip"] = Served(zipped({"Fabric001_2K-JPG_Color.jpg": b"jpg"}))
    listing = f"Fabric001,2K-JPG,zip,9,{provider.url}/get?file=Fabric001.zip,"
    header = "assetId,downloadAttribute,filetype,size,downloadLink,rawLink"
    provider.files["/list"] = Served(f"{header}\n{listing}\n".encode())
    rows = [
        ["name", "version", "layout", "url", "licence", "objects", "size", "sha256"],
        ["tless", "1", "bop", f"{provider.url}/tless_base.zip", "CC BY 4.0", "", "", ""],
        ["tless", "1", "bop", f"{provider.url}/tless_models.zip", "CC BY 4.0", "2", "2000000", ""],
        ["ambientcg", "2K-JPG", "ambientcg", f"{provider.url}/list", "CC0 1.0", "", "", ""],
        ["unused", "1", "bop", f"{provider.url}/unused.zip", "CC0 1.0", "", "", ""],
    ]
    text = "\n".join("\t".join(row) for row in rows) + "\n"
    size = len(files["tless_models.zip"])
    (checkout.folder / TABLE).write_text(text.replace("2000000", str(size)))
    return checkout


def test_only_what_is_used_and_not_there_is_fetched(fetching: Checkout) -> None:
    planned = fetching.planned()
    assert (planned["fetch_objects"], planned["fetch_material"], planned["fetch_textures"]) == (1, 1, 0)
    check = fetching.syn2real("check", "config/experiments/smoke.yaml").stdout
    size = "0.30 MB and 1 of unknown size, 2 without a published checksum"
    assert f"  fetch     tless: 2 archives, {size}; licence: CC BY 4.0\n" in check
    assert "  fetch     ambientcg: Fabric001; licence: CC0 1.0\n" in check and "unused" not in check


@pytest.mark.slow
def test_assets_are_fetched_once_and_go_on_after_a_failure(fetching: Checkout, provider: Provider) -> None:
    provider.files["/tless_models.zip"].cut_after = [200_000]
    good = provider.files["/tless_base.zip"]
    provider.files["/tless_base.zip"] = Served(zipped({"../evil": b"evil"}))
    done = fetching.snakemake("--cores", "1", OBJECTS)
    assert done.returncode != 0
    [line] = {line for line in done.stdout.splitlines() if line.startswith("error:")}
    assert "../evil: leaves the archive's folder" in line and f"{provider.url}/tless_base.zip" in line
    assert not (fetching.folder / OBJECTS).exists()

    provider.files["/tless_base.zip"] = good
    done = fetching.snakemake("--cores", "1", OBJECTS, MATERIAL)
    assert done.returncode == 0, done.stdout
    assert [asked for path, asked in provider.asked if path == "/tless_models.zip"] == [None, "bytes=196608-"]
    assert (fetching.folder / OBJECTS / "models_cad/obj_000001.ply").read_bytes() == b"x" * 300_000
    assert (fetching.folder / MATERIAL / "Fabric001/Fabric001_2K-JPG_Color.jpg").is_file()
    log = (fetching.folder / "results/logs/fetch-objects/tless.log").read_text()
    assert "licence CC BY 4.0" in log and "tless_models.zip from 0.0 of 0.3 MB" in log

    # Without results, the archives at hand are unpacked again; a checksum that is filled in changes nothing.
    count = len(provider.asked)
    locked = (fetching.folder / "resources/downloads/lock.tsv").read_text().splitlines()
    checksum = next(line.split("\t")[-1] for line in locked if line.startswith("tless/tless_base.zip"))
    table = fetching.folder / TABLE
    table.write_text(
        table.read_text().replace("tless_base.zip\tCC BY 4.0\t\t\t", f"tless_base.zip\tmine\t\t\t{checksum}")
    )
    assert "fetch_objects" not in fetching.planned("--cores", "1", OBJECTS)
    shutil.rmtree(fetching.folder / "results")
    assert fetching.snakemake("--cores", "1", OBJECTS).returncode == 0
    assert Path(fetching.folder / OBJECTS / "camera.json").is_file() and len(provider.asked) == count
