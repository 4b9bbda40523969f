"""Downloads go on where they stopped, never glue two files together, and are held to their checksum."""

import hashlib
import resource
from pathlib import Path

import numpy as np
import pytest
from provider import Provider, Served

from syn2real.assets import download as module
from syn2real.assets.download import CHUNK, download, new_session
from syn2real.errors import InputError

CONTENT = np.random.default_rng(0).bytes(5 * CHUNK + 321)
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def provider():
    with Provider() as server:
        server.files["/a.zip"] = Served(CONTENT)
        yield server


@pytest.fixture
def fetch(provider, tmp_path):
    """Return a function that fetches /a.zip and returns its path."""

    def run(**options) -> Path:
        path = tmp_path / "downloads" / "a.zip"
        with new_session() as session:
            found = download(session, f"{provider.url}/a.zip", path, name="things", pause=0.001, **options)
        assert found == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        assert sorted(p.name for p in path.parent.iterdir()) == ["a.zip"]
        return path

    return run


def ranges(provider: Provider) -> list[str | None]:
    return [asked for _, asked in provider.asked]


def test_a_file_arrives_and_is_not_asked_for_again(provider, fetch):
    assert fetch(size=len(CONTENT), sha256=SUM).read_bytes() == CONTENT
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert ranges(provider) == [None]


def test_a_finished_file_that_was_damaged_is_fetched_again(provider, fetch):
    path = fetch()
    path.write_bytes(b"damaged")
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert ranges(provider) == [None, None]


def test_a_cut_connection_goes_on_at_the_byte_that_is_missing(provider, fetch):
    provider.files["/a.zip"].cut_after = [2 * CHUNK, CHUNK]
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert ranges(provider) == [None, f"bytes={2 * CHUNK}-", f"bytes={3 * CHUNK}-"]


def test_the_next_call_goes_on_where_a_stopped_one_ended(provider, fetch, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "TRIES", 1)
    provider.files["/a.zip"].cut_after = [2 * CHUNK, 0, 0]
    with pytest.raises(InputError, match=r"things: .*a\.zip: the connection failed .*131,072 bytes are kept"):
        fetch()
    part = tmp_path / "downloads" / "a.zip.part"
    assert part.read_bytes() == CONTENT[: 2 * CHUNK]
    provider.asked.clear()
    provider.files["/a.zip"].cut_after = []
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert ranges(provider) == [f"bytes={2 * CHUNK}-"]


@pytest.mark.parametrize("lacking", ["ranges", "validator"])
def test_without_ranges_or_a_validator_it_begins_again(provider, fetch, lacking):
    setattr(provider.files["/a.zip"], lacking, False)
    provider.files["/a.zip"].cut_after = [2 * CHUNK]
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert len(provider.asked) == 2


@pytest.mark.parametrize("careless", [False, True])
def test_a_file_that_changed_meanwhile_begins_again(provider, fetch, monkeypatch, careless):
    monkeypatch.setattr(module, "TRIES", 1)
    provider.files["/a.zip"].cut_after = [2 * CHUNK, 0, 0]
    with pytest.raises(InputError, match="bytes are kept"):
        fetch()
    other = CONTENT[::-1]
    provider.files["/a.zip"] = Served(other, careless=careless)
    monkeypatch.setattr(module, "TRIES", 2)
    assert fetch().read_bytes() == other


def test_an_answer_from_the_wrong_byte_is_not_glued_on(provider, fetch, tmp_path):
    part = tmp_path / "downloads" / "a.zip.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT + b"more than the provider has")
    part.with_name("a.zip.part.tag").write_text(f'"{hashlib.md5(CONTENT).hexdigest()}"')
    provider.files["/a.zip"].statuses = [416]
    assert fetch().read_bytes() == CONTENT
    assert ranges(provider) == [f"bytes={len(CONTENT) + 26}-", None]


@pytest.mark.parametrize(("key", "value"), [("sha256", "0" * 64), ("size", 7)])
def test_a_wrong_file_is_removed_and_reported_with_both_sums(provider, fetch, tmp_path, key, value):
    with pytest.raises(InputError) as raised:
        fetch(**{key: value}, source="datasets.tsv")
    found = SUM if key == "sha256" else str(len(CONTENT))
    line = str(raised.value)
    assert line.startswith(f"things: {provider.url}/a.zip has the ")
    assert found in line and f"datasets.tsv says {value}" in line and "\n" not in line
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_missing_file_is_reported_at_once(provider, fetch):
    del provider.files["/a.zip"]
    with pytest.raises(
        InputError, match=r"things: http://\S+/a\.zip answers 404 \(Not Found\); has the file"
    ):
        fetch()
    assert len(provider.asked) == 1


def test_a_busy_server_is_asked_again(provider, fetch):
    provider.files["/a.zip"].statuses = [503, 429]
    assert fetch().read_bytes() == CONTENT
    assert len(provider.asked) == 3


def test_nobody_there_is_reported_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRIES", 2)
    with new_session() as session, pytest.raises(InputError, match="Connection refused.*2 times in a row"):
        download(session, "http://127.0.0.1:9/a.zip", tmp_path / "a.zip", name="things", pause=0.001)


def test_a_full_disk_loses_nothing(provider, fetch, tmp_path):
    # A limit on file sizes stands for the disk's end: writing fails in the midst of the file.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * CHUNK, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written \(.*\); 196,608 bytes are kept: free space"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert fetch(sha256=SUM).read_bytes() == CONTENT
    assert ranges(provider) == [None, f"bytes={3 * CHUNK}-"]


def test_a_disk_that_is_too_small_is_reported_before_the_first_byte(provider, fetch, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(InputError, match="0 MB are free"):
        fetch()
