"""`syn2real figures` draws what a table supports, and says of every other figure why not."""

import re

import pytest

from syn2real.cli import main
from syn2real.plugins import names


def test_every_figure_is_drawn_or_left_out_with_the_reason(tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("n,error\n" + "".join(f"{n},{4 * n**-0.5 + 0.3}\n" for n in (1000, 2000, 4000, 8000)))
    assert main(["figures", str(points), "-o", str(tmp_path / "out")]) == 0
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert [*lines] == [*names("report.figures")]
    drawn = {path.stem for path in (tmp_path / "out").glob("*.svg")}
    assert drawn == {name for name, text in lines.items() if not text.startswith("left out, ")}
    assert {"curves", "parameters"} <= drawn and "complexity" not in drawn
    assert "--target-error" in lines["scenarios"] and lines["full-law"] == "left out, it needs the column s"


def test_a_table_of_two_sizes_has_no_figure(tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("n,error\n1000,0.5\n")
    assert main(["figures", str(points), "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_percentages_become_rates_and_what_by_leaves_out_sets_no_curves_apart(tmp_path, capsys):
    points, out = tmp_path / "points.csv", tmp_path / "out"
    rows = [(n, 400 * n**-0.5 + 30 + i, i, f"lens-{i}") for n in (1000, 2000, 4000, 8000) for i in (0, 1)]
    points.write_text("n,error,seed,lens,render\n" + "".join("{},{},{},{},a\n".format(*row) for row in rows))
    words = ["figures", str(points), "-o", str(out), "--by", "render", "--target-error", "35"]
    assert main(words) == 2
    assert "--unit percent" in capsys.readouterr().err
    assert main([*words, "--unit", "percent", "--test-size", "1000"]) == 0
    assert (out / "scenarios.svg").exists() and (out / "extrapolation.svg").exists()
    drawn = re.findall("<!-- (.*) -->", (out / "curves.svg").read_text())  # texts, each before its paths
    assert "0.35" in drawn and "35" not in drawn
    assert "measured" in drawn and not any("lens" in text or "points" in text for text in drawn)


@pytest.mark.parametrize("below", [False, True])
def test_a_file_is_no_folder_of_figures(tmp_path, capsys, below):
    points = tmp_path / "points.csv"
    points.write_text("n,error\n1000,0.5\n2000,0.4\n4000,0.3\n")
    assert main(["figures", str(points), "-o", str(points / "sub" if below else points)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {points}")
