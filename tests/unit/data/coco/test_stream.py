"""The rows of an annotation file are what `json` reads, whatever the encoding; damage is one line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.coco import READERS, valid, verdict
from syn2real.data.coco import stream
from syn2real.data.coco.stream import Rows

DAMAGED = {
    b"": "this file is empty",
    b"\x1f\x8b\x08\x00": "this file is compressed; unpack it",
    b"<annotation></annotation>": "this is XML, not JSON",
    b'[{"image_id": 1, "score": 0.5}]': "a list of detections (COCO's format of results)",
    b"[]": "this is a list, not a mapping",
    b"3": "this is not a JSON mapping",
    b'{"images": [': "not valid JSON (",
    b'{"info": [{"id": 1}': "not valid JSON (Expecting",
    b'{"images": [{"id": }]}': """not valid JSON (Expecting value near '{"images": [{"id": }]}')""",
    b'{"a": 1} {"b": 2}': "not valid JSON (more text behind the closing bracket)",
    b'{"annotations": [{"id": 1},]}': "not valid JSON (Expecting value near",
    b'{"a": 1,}': "not valid JSON (",
    b'{"a": 1 "b": 2}': "not valid JSON (',' is missing near",
    b'{"a": "\xff"}': "not valid JSON ('utf-8' codec can't decode byte 0xff",
    b'{"a": ' + b"9" * 5000 + b"}": "not valid JSON (Exceeds the limit (4300 digits)",
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "nested too deeply",
    b'{"images": [{"id": 1, "id": 2}]}': "not valid JSON (the key 'id' stands twice",
    b'{"annotations": [], "annotations": []}': "annotations: this key stands twice",
}


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_refused_in_one_line(file, reader):
    for content, problem in DAMAGED.items():
        file.write_bytes(content)
        found, _, _ = verdict(READERS[reader], file, "objects")
        assert found.startswith(f"{file}: ") and problem in found and "\n" not in found, (content[:50], found)
    file.unlink()
    assert "there is no such file" in verdict(READERS[reader], file, "objects")[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_are_seen(file, encoding):
    file.write_text(json.dumps(valid()), encoding=encoding)
    for read in READERS.values():
        assert verdict(read, file, "objects")[1].used == len(valid()["annotations"])


whole = st.integers(-(2**63) + 1, 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(value=values, extra=values, chunk=st.integers(1, 9), indent=st.none() | st.integers(0, 3))
def test_rows_are_what_json_reads(tmp_path_factory, value, extra, chunk, indent):
    path = tmp_path_factory.mktemp("json") / "a.json"
    content = {"extra": extra, "images": [{"value": value}, {}], "more": extra, "annotations": [{"b": 1}]}
    path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK", chunk)
        rows = [(table, row) for table, _, row in Rows(path).read()]
    read = json.loads(path.read_text(encoding="utf-8"))
    assert repr(rows) == repr([(table, row) for table in ("images", "annotations") for row in read[table]])
