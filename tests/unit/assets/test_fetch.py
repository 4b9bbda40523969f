"""Collections and materials come from their provider in the layouts that rendering reads."""

import csv
import json
from pathlib import Path

import pytest
from provider import Provider, Served, collection, zipped

from syn2real.assets.ambientcg import material_names
from syn2real.assets.archives import Archive, read_datasets
from syn2real.assets.bop import model_folder, model_numbers
from syn2real.assets.fetch import fetch_material, fetch_objects, fetch_textures
from syn2real.assets.lockfile import read_lock
from syn2real.errors import InputError
from syn2real.render.randomise.objects import PAPER_COLLECTIONS
from syn2real.render.schema import Rendering
from syn2real.render.stock import room_materials

ROOT = Path(__file__).resolve().parents[3]
MODELS = {"obj_000001.ply": b"one", "obj_000002.ply": b"two"}


@pytest.fixture
def provider():
    with Provider() as server:
        yield server


@pytest.fixture
def things(provider):
    """Return the rows of a collection of two objects that the provider has."""
    for name, content in collection("things", MODELS, "models_cad").items():
        provider.files[f"/{name}"] = Served(content)
    row = {"name": "things", "version": "1", "layout": "bop", "licence": "CC BY 4.0"}
    return [
        Archive(**row, url=f"{provider.url}/things_base.zip"),
        Archive(**row, url=f"{provider.url}/things_models.zip", objects=2),
    ]


def maps(name: str, *kinds: str) -> bytes:
    files = {f"{name}_2K-JPG_{kind}.jpg": kind.encode() for kind in kinds}
    return zipped({**files, f"{name}.png": b"preview", f"{name}.blend": b"scene"})


@pytest.fixture
def listing(provider):
    """Return the row of a list of materials: four in the right kind, one in another."""
    materials = {
        "Fabric001": maps("Fabric001", "Color", "NormalGL", "NormalDX", "Roughness"),
        "Wood002": maps("Wood002", "Color", "Displacement"),
        "Metal003": maps("Metal003", "Color", "Opacity"),
        "Painting004": maps("Painting004", "Color"),
    }
    rows = [["assetId", "downloadAttribute", "filetype", "size", "downloadLink", "rawLink"]]
    for name, content in materials.items():
        provider.files[f"/get?file={name}_2K-JPG.zip"] = Served(content)
        link = f"{provider.url}/get?file={name}_2K-JPG.zip"
        rows.append([name, "2K-JPG", "zip", len(content), link, link])
    rows.append(["Wood002", "1K-JPG", "zip", 5, "http://nowhere/", "http://nowhere/"])
    rows.append(["../evil", "2K-JPG", "zip", 5, "http://nowhere/", "http://nowhere/"])
    content = "\n".join(",".join(map(str, row)) for row in rows).encode()
    provider.files["/list?type=Material"] = Served(content)
    url = f"{provider.url}/list?type=Material"
    return Archive(name="ambientcg", version="2K-JPG", layout="ambientcg", url=url, licence="CC0 1.0")


def test_a_collection_is_unpacked_as_rendering_reads_it(things, tmp_path):
    folder, downloads = tmp_path / "objects/things", tmp_path / "downloads"
    fetch_objects("things", things, folder, downloads)
    assert sorted(p.name for p in folder.iterdir()) == ["camera.json", "dataset_info.md", "models_cad"]
    assert model_folder(folder).name == "models_cad" and model_numbers(folder) == [1, 2]
    assert (folder / "models_cad/obj_000002.ply").read_bytes() == b"two"
    assert [p.name for p in folder.parent.iterdir()] == ["things"]


def test_what_lies_there_is_not_fetched_again(things, provider, tmp_path):
    for _ in range(2):
        fetch_objects("things", things, tmp_path / "things", tmp_path / "downloads")
    assert len(provider.asked) == 2


def test_the_first_download_is_recorded_and_every_later_one_held_to_it(things, provider, tmp_path):
    downloads = tmp_path / "downloads"
    fetch_objects("things", things, tmp_path / "things", downloads)
    locked = read_lock(downloads / "lock.tsv")
    assert sorted(locked) == ["things/things_base.zip", "things/things_models.zip"]
    first = locked["things/things_models.zip"]
    assert (first.url, first.size) == (things[1].url, (downloads / first.archive).stat().st_size)
    (downloads / first.archive).unlink()
    changed = collection("things", {**MODELS, "obj_000002.ply": b"another"}, "models_cad")
    provider.files["/things_models.zip"] = Served(changed["things_models.zip"])
    with pytest.raises(InputError) as raised:
        fetch_objects("things", things, tmp_path / "things", downloads)
    line = str(raised.value)
    assert first.url in line and f"{downloads}/lock.tsv says" in line and "\n" not in line
    # What was there stays; without the line the new file is the first.
    assert model_numbers(tmp_path / "things") == [1, 2]
    (downloads / "lock.tsv").unlink()
    fetch_objects("things", things, tmp_path / "things", downloads)
    assert (tmp_path / "things/models_cad/obj_000002.ply").read_bytes() == b"another"


def test_a_new_version_is_another_first_download(things, provider, tmp_path):
    fetch_objects("things", things, tmp_path / "things", tmp_path / "downloads")
    changed = collection("things", {"obj_000001.ply": b"new"}, "models")
    provider.files["/v2/things_models.zip"] = Served(changed["things_models.zip"])
    new = things[1].model_copy(update={"url": f"{provider.url}/v2/things_models.zip", "objects": 1})
    (tmp_path / "downloads/things/things_models.zip").unlink()
    fetch_objects("things", [things[0], new], tmp_path / "things", tmp_path / "downloads")
    assert (tmp_path / "things/models/obj_000001.ply").read_bytes() == b"new"


def test_a_published_checksum_counts_more_than_the_lock(things, tmp_path):
    published = things[1].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(InputError, match=f"the table of data sets says {'0' * 64}"):
        fetch_objects("things", [things[0], published], tmp_path / "things", tmp_path / "downloads")
    assert not (tmp_path / "things").exists()


def test_an_archive_with_too_few_models_is_refused(things, tmp_path):
    more = things[1].model_copy(update={"objects": 3})
    with pytest.raises(InputError, match="hold 2 models, but the table of data sets says 3"):
        fetch_objects("things", [things[0], more], tmp_path / "things", tmp_path / "downloads")
    assert not (tmp_path / "things").exists()


def test_an_archive_that_would_leave_its_folder_is_refused_and_not_recorded(things, provider, tmp_path):
    provider.files["/things_models.zip"] = Served(zipped({"../../evil": b"evil"}))
    with pytest.raises(InputError, match=r"evil: leaves the archive's folder.*It came from http"):
        fetch_objects("things", things, tmp_path / "things", tmp_path / "downloads")
    assert sorted(read_lock(tmp_path / "downloads/lock.tsv")) == ["things/things_base.zip"]
    assert not (tmp_path / "downloads/things/things_models.zip").exists()
    assert not list(tmp_path.rglob("evil"))


def test_materials_that_tile_a_room_are_fetched_with_the_maps_that_are_read(listing, provider, tmp_path):
    folder, downloads = tmp_path / "textures/ambientcg", tmp_path / "downloads"
    fetch_textures("ambientcg", listing, folder, downloads)
    assert material_names(folder) == ["Fabric001", "Wood002"]  # no painting, nothing to see through
    kept = sorted(p.name for p in (folder / "Fabric001").iterdir())
    assert kept == [f"Fabric001_2K-JPG_{kind}.jpg" for kind in ("Color", "NormalGL", "Roughness")]
    assert "/get?file=Painting004_2K-JPG.zip" not in [path for path, _ in provider.asked]
    assert {"ambientcg/Wood002_2K-JPG.zip"} < set(read_lock(downloads / "lock.tsv"))


def test_a_wall_that_one_sees_through_is_refused_when_it_is_fetched(listing, tmp_path):
    with pytest.raises(InputError, match=r"ambientcg: Metal003: is transparent .*background_material"):
        fetch_material("ambientcg", listing, "Metal003", tmp_path / "one", tmp_path / "downloads")
    assert not (tmp_path / "one").exists()


def test_an_own_copy_of_everything_gives_the_rooms_of_a_fetched_one(listing, tmp_path):
    fetch_textures("ambientcg", listing, tmp_path / "fetched", tmp_path / "downloads")
    for name in ("Fabric001", "Wood002", "Painting004", "Fence005"):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / f"{name}_2K_Color.jpg").touch()
    rooms = {f: room_materials("s", Rendering(), tmp_path / f) for f in ("fetched", "own")}
    assert rooms["own"] == rooms["fetched"] == ["Fabric001", "Wood002"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name,url,size\nFabric001,http://x/,9\n", "line 2: needs name, url, size with tabs"),
        ("name\turl\tsize\nFabric001\thttp://x/\t9\nWood002\n", "line 3: needs"),
        ("name\turl\tsize\nFabric001\thttp://x/\tmany\n", "line 2: needs"),
        ("name\turl\tsize\n../evil\thttp://x/\t9\n", "line 2: needs"),
        ("name\turl\tsize\n", "lists no material"),
    ],
)
def test_a_mistake_in_the_kept_list_of_materials_is_reported_with_its_line(listing, tmp_path, text, place):
    path = tmp_path / "downloads/ambientcg/materials.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        fetch_textures("ambientcg", listing, tmp_path / "all", tmp_path / "downloads")
    line = str(raised.value)
    assert line.startswith(f"{path}: {place}") and "remove the file" in line and "\n" not in line


def test_a_full_disk_keeps_the_archive_and_says_what_to_do(things, tmp_path, monkeypatch):
    def full(archive, folder, place):
        raise OSError(28, "No space left on device", str(folder / "camera.json"))

    monkeypatch.setattr("syn2real.assets.fetch.unpack", full)
    with pytest.raises(InputError) as raised:
        fetch_objects("things", things, tmp_path / "things", tmp_path / "downloads")
    line = str(raised.value)
    assert "camera.json: cannot be written (No space left on device)" in line and "free space" in line
    assert (tmp_path / "downloads/things/things_base.zip").is_file()
    assert not (tmp_path / "things").exists()


def test_the_list_of_materials_stays_the_first_one(listing, provider, tmp_path):
    downloads = tmp_path / "downloads"
    fetch_material("ambientcg", listing, "Fabric001", tmp_path / "one", downloads)
    assert material_names(tmp_path / "one") == ["Fabric001"]
    assert len(provider.asked) == 2  # the list and one material
    provider.files["/list?type=Material"] = Served(b"assetId\nNew001")
    fetch_textures("ambientcg", listing, tmp_path / "all", downloads)
    assert material_names(tmp_path / "all") == ["Fabric001", "Wood002"]
    assert len(provider.asked) == 4
    with pytest.raises(InputError, match=r"materials\.tsv: no material 'Fabric999' among 4"):
        fetch_material("ambientcg", listing, "Fabric999", tmp_path / "none", downloads)


def test_the_shipped_table_holds_the_papers_173_objects_and_its_materials():
    datasets = read_datasets(ROOT / "config/datasets.tsv")
    assert sorted(datasets) == sorted([*PAPER_COLLECTIONS, "ambientcg"])
    objects = {name: sum(a.objects or 0 for a in rows) for name, rows in datasets.items()}
    assert sum(objects.values()) == 173
    assert (objects["itodd"], objects["tless"]) == (28, 30)  # Appendix B, footnote 11
    for rows in datasets.values():
        assert all(archive.version in archive.url for archive in rows if archive.layout == "bop")


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ("url", "ftp://x/a.zip", "line 4.url: an address belongs here"),
        ("url", "http://x/..", "line 4.url: its path ends in no file's name"),
        ("sha256", "abc", "line 4.sha256: a SHA-256 belongs here"),
        ("layout", "rar", "line 4.layout: one of bop, ambientcg belongs here"),
        ("name", "a", "line 4.layout: 'a' has another layout in a line above"),
        ("name", "c", "line 5.name: 'c' has a list of materials in a line above; keep one"),
    ],
)
def test_a_mistake_in_the_table_is_reported_with_its_line(tmp_path, cell, value, message):
    columns = ["name", "version", "layout", "url", "licence", "objects", "size", "sha256"]
    good = {"name": "b", "version": "1", "layout": "ambientcg", "url": "http://x/b", "licence": "free"}
    path = tmp_path / "d.tsv"
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, columns, delimiter="\t")
        writer.writeheader()
        stream.write("\n")  # an empty line counts
        writer.writerow(good | {"name": "a", "layout": "bop"})
        writer.writerow(good | {cell: value})
        writer.writerow(good | {"name": "c"})
    with pytest.raises(InputError) as raised:
        read_datasets(path)
    assert str(raised.value).startswith(f"{path}: {message}")
    assert json.dumps(str(raised.value)).count("\\n") == 0
    path.write_text("name\tname\n")
    with pytest.raises(InputError, match=r"d\.tsv: line 1: two columns have one name"):
        read_datasets(path)
