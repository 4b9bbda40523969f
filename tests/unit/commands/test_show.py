"""`syn2real show`: the picture and the line about a shard."""

import numpy as np
from PIL import Image

from fixtures.shards import png
from syn2real.cli import main
from syn2real.data.shards import SceneRecord, write_shard


def test_the_picture_is_named_after_the_shard_unless_a_name_is_given(shards, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shard = shards[0][0]
    assert main(["show", str(shard), "--views", "2"]) == 0
    assert main(["show", str(shard), "-o", "mine.png"]) == 0
    with Image.open(shard.with_suffix(".png").name) as two, Image.open("mine.png") as eight:
        assert two.size[1] == eight.size[1] and two.size[0] < eight.size[0]
    line, written, *_ = capsys.readouterr().out.splitlines()
    assert "16 images, scenes 0 to 7" in line and written == f"written to {shard.stem}.png"


def test_pictures_of_wide_images_stand_close_together(tmp_path):
    files = {"png": png(np.zeros((24, 48, 3), np.uint8)), "seg.png": png(np.zeros((24, 48), np.uint8))}
    meta = {"setting": "wide", "split": "train", "first_scene": 0, "n_scenes": 1, "views": 2}
    meta |= {"classes": ["box/red"], "members": [*files], "resampled": {}}
    write_shard(tmp_path / "shard-000000.tar", meta, [SceneRecord(0, b"{}", [files, files])])
    assert main(["show", str(tmp_path / "shard-000000.tar"), "-o", str(tmp_path / "sheet.png")]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (6 + 2 * (192 + 6), 15 + 6 + 96 + 6)


def test_what_cannot_be_shown_is_one_line_with_code_2(shards, tmp_path, capsys):
    for arguments, message in (
        ([str(shards[0][0]), "--views", "0"], "--views: at least 1 view is needed, not 0"),
        ([str(tmp_path / "none.tar")], "none.tar: there is no such shard (.tar)"),
        ([str(tmp_path)], "is a folder; give a shard (.tar)"),
        (["/dev/null"], "/dev/null: is a pipe or device"),
        ([__file__], "not a readable shard"),
    ):
        assert main(["show", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and message in error
