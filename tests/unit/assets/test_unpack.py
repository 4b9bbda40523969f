"""Archives from elsewhere can write nothing outside their folder."""

import io
import shutil
import stat
import tarfile
import zipfile
from pathlib import PurePosixPath

import numpy as np
import pytest
from provider import zipped

from syn2real.assets.unpack import unpack
from syn2real.errors import InputError

FILES = {"models/obj_000001.ply": b"ply", "camera.json": b"{}"}


def write_tar(path, files, kind=tarfile.REGTYPE, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(content))


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_files_are_unpacked(tmp_path, kind):
    archive = tmp_path / f"a.{kind}"
    if kind == "zip":
        archive.write_bytes(zipped(FILES))
    else:
        write_tar(archive, FILES, mode="w:gz" if kind == "tar.gz" else "w")
    assert unpack(archive, tmp_path / "out") == 2
    assert contents(tmp_path / "out") == FILES


def test_members_are_placed_or_left_out(tmp_path):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped(FILES))
    place = {"camera.json": PurePosixPath("b/c.json")}
    assert unpack(archive, tmp_path / "out", lambda path: place.get(str(path))) == 1
    assert contents(tmp_path / "out") == {"b/c.json": b"{}"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", ["../evil.txt", "models/../../evil.txt", "/evil.txt", "..\\evil.txt", "C:evil"]
)
def test_a_path_that_leaves_the_folder_refuses_the_archive(tmp_path, kind, name):
    archive = tmp_path / "a"
    files = {"good.txt": b"good", name: b"evil"}
    if kind == "zip":
        archive.write_bytes(zipped(files))
    else:
        write_tar(archive, files)
    with pytest.raises(InputError) as raised:
        unpack(archive, tmp_path / "out")
    assert str(raised.value) == f"{archive}: {name}: leaves the archive's folder; do not use it"
    assert not (tmp_path / "out").exists() and not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE])
def test_a_tar_with_a_link_is_refused(tmp_path, kind):
    write_tar(tmp_path / "a.tar", {"link": b""}, kind)
    with pytest.raises(InputError, match=r"a\.tar: link: is a link or device"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_a_zip_with_a_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match=r"a\.zip: link: is a link or device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_damaged_compressed_tar_is_reported(tmp_path, mode):
    archive = tmp_path / "a.tar"
    noise = np.random.default_rng(0).integers(0, 4, 300_000, dtype=np.uint8)
    write_tar(archive, {"a.bin": noise.tobytes()}, mode=mode)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 1000] = bytes(1000)
    archive.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"a\.tar: not a whole zip or tar archive"):
        unpack(archive, tmp_path / "out")


def test_an_encrypted_zip_is_reported(tmp_path):
    content = bytearray(zipped({"a.bin": b"secret"}))
    # The first bit of a member's flags, in its own header and in the archive's directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"a\.zip: not a whole zip or tar archive .*encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_full_disk_names_the_file(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"camera.json": b"{}"}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/camera.json").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as raised:
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert raised.value.filename == str(tmp_path / "out/camera.json")


@pytest.mark.parametrize("damage", ["cut", "text", "bits"])
def test_damage_is_reported(tmp_path, damage):
    content = zipped({"a.bin": bytes(5000)})
    broken = bytearray(content)
    broken[100] ^= 255
    archive = tmp_path / "a.zip"
    archive.write_bytes({"cut": content[:2000], "text": b"<html>", "bits": bytes(broken)}[damage])
    with pytest.raises(InputError, match=r"a\.zip: not a whole zip or tar archive"):
        unpack(archive, tmp_path / "out")


def sized(path, size):
    """Write a tar whose member's header says a size."""
    info = tarfile.TarInfo("a.bin")
    info.size = size
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def with_pax(file, **headers):
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a.bin")
        info.pax_headers = headers
        tar.addfile(info)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(zipped({"a": b"", "a/b": b""})), "a/b: is no name for a file here"),
        (
            lambda path: path.write_bytes(zipped({"x" * 300: b""})),
            "is no name for a file here (File name too",
        ),
        (lambda path: write_tar(path, {"a/b": b"", "a": b""}), "a: is no name for a file here"),
        (lambda path: sized(path, 1 << 62), "not a whole zip or tar archive"),
        (lambda path: with_pax(path, **{"GNU.sparse.size": "x"}), "not a whole zip or tar archive"),
        (lambda path: with_pax(path, path="/evil"), "/evil: leaves the archive's folder"),
        (lambda path: path.mkdir(), "is a folder; give a zip or tar archive"),
        (lambda path: path.symlink_to("/dev/null"), "is a pipe or device"),
    ],
)
def test_odd_archives_are_refused_in_one_line(tmp_path, write, message):
    write(tmp_path / "a")
    with pytest.raises(InputError) as raised:
        unpack(tmp_path / "a", tmp_path / "out")
    assert message in str(raised.value)


def test_what_has_no_room_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    (tmp_path / "a").write_bytes(zipped({"a.bin": b"12"}))
    with pytest.raises(InputError, match="unpacks to 2 bytes, but .* has room for 1"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert not (tmp_path / "out").exists()
