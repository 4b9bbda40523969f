"""`syn2real figures` draws what a table supports, and says of every other figure why not."""

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
    assert "--target-error" in lines["scenarios"] and "s: no such column" in lines["full-law"]


def test_a_table_of_two_sizes_has_no_figure(tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("n,error\n1000,0.5\n")
    assert main(["figures", str(points), "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
