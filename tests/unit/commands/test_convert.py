"""`syn2real convert`: there and back."""

from syn2real.cli import main


def test_convert_and_back(tmp_path, capsys):
    header = "n_eval,value,pretrain.data,pscale,ptask,fdata,fratio,ftask,model,nparam,pdata\n"
    source, points, back = (tmp_path / name for name in ("source.csv", "points.csv", "back.csv"))
    source.write_text(
        header + "".join(f"1,0.{n},{n},64k,objdet,coco,1,objdet,r50,23.9,bop\n" for n in (11, 22, 33))
    )
    assert main(["convert", str(source), str(points)]) == 0
    assert main(["convert", str(points), str(back)]) == 0
    assert "3 runs" in capsys.readouterr().out
    assert back.read_text() == source.read_text()
