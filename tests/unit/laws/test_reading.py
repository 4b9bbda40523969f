"""A table in any dialect is read as it was meant, or one line says what is not clear."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.errors import InputError
from syn2real.laws.dialects import clean
from syn2real.laws.reading import check_frame, read_csv

N, ERROR = [1000, 2000, 64000], [0.62, 0.56, 0.47]
GERMAN = "n;error\n1000;0,62\n2000;0,56\n64000;0,47\n"
PLAIN = "n,error\n1000,0.62\n2000,0.56\n64000,0.47\n"

READ = {
    "plain": (PLAIN, None),
    "no line end": (PLAIN.strip(), None),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + PLAIN.encode(), None),
    "semicolons, decimal commas": (GERMAN, "semicolons"),
    "semicolons, decimal points": (PLAIN.replace(",", ";"), "semicolons"),
    "tabs, decimal commas": (GERMAN.replace(";", "\t"), "decimal commas"),
    "UTF-16": (GERMAN.replace(";", "\t").encode("utf-16"), "UTF-16"),
    "UTF-16, big endian": (b"\xfe\xff" + GERMAN.encode("utf-16-be"), "UTF-16"),
    "Excel's sep=": ("sep=;\r\n" + GERMAN.replace("\n", "\r\n"), "semicolons"),
    "line ends of old Macs": (PLAIN.replace("\n", "\r"), None),
    "Google Sheets, German": ('n,error\n1000,"0,62"\n2000,"0,56"\n64000,"0,47"\n', "decimal commas"),
    "quotes everywhere": ('"n","error"\n"1000","0.62"\n"2000","0.56"\n"64000","0.47"\n', None),
    "thousands in quotes": ('n,error\n"1,000",0.62\n"2,000",0.56\n"64,000",0.47\n', "is read as 1000"),
    "thousands, German": ("n;error\n1.000;0,62\n2.000;0,56\n64.000;0,47\n", "'1.000' is read as 1000"),
    "thousands, Swiss": ("n;error\n1'000;0.62\n2'000;0.56\n64'000;0.47\n", "is read as 1000"),
    "thousands, French": ("n;error\n1\u202f000;0,62\n2\u00a0000;0,56\n64 000;0,47\n", "as 1000"),
    "in thousands": ("n,error\n1k,0.62\n2k,0.56\n64k,0.47\n", "'1k' is read as 1000"),
    "floats": ("n,error\n1000.0,0.62\n2e3,5.6e-1\n64000.000,0.47\n", None),
    "signs, full width": ("n,error\n\uff11000,+0.62\n2000,.56\n64000,\u00a00.47\u200b\n", "read as 1000"),
    "percent signs": ("n,error\n1000,62 %\n2000,56%\n64000,47%\n", "errors are percentages"),
    "percent signs, German": ("n;error\n1000;62,0 %\n2000;56,0 %\n64000;47,0 %\n", "errors are percentages"),
    "percent in the header": ("n,Error (%)\n1000,62\n2000,56\n64000,47\n", "errors are percentages"),
    "percent in both": ("n,error_percent\n1000,62%\n2000,56\n64000,47 %\n", "is read as error"),
    "the end of a DOS file": (PLAIN + "\x1a", None),
    "blank rows": ("\n\nn,error\n1000,0.62\n,\n\n2000,0.56\n64000,0.47\n,\n ,\n", "3 rows without any value"),
    "comments": ("# run on 1 May, \"late\"\nn,error\n1000,0.62\n# again?\n2000,0.56\n64000,0.47\n", None),
    "numpy's header": ("# n,error\n1000,0.62\n2000,0.56\n64000,0.47\n", None),
    "a row commented out": (PLAIN + "#128000,0.9\n", "1 rows that begin with # are left out"),
    "two files in one": ("n,error\n1000,0.62\nn,error\n2000,0.56\n64000,0.47\n", "1 repeated headers"),
    "a title": ("Results,\n,\n" + PLAIN, "1 rows above the header"),
    "commas at the end": ("n,error,\n1000,0.62,\n2000,0.56,\n64000,0.47,\n", None),
    "commas after the rows": ("n,error\n1000,0.62,,\n2000,0.56,\n64000,0.47\n", None),
    "blank columns": (",n,,error,note\n,1000,,0.62,\n,2000,,0.56,\n,64000,,0.47,\n", None),
    "pandas' index": (",n,error\n0,1000,0.62\n1,2000,0.56\n2,64000,0.47\n", "an index, left out"),
    "pandas' index twice": ("Unnamed: 0,n,error\n7,1000,0.62\n3,2000,0.56\n4,64000,0.47\n", "an index"),
    "R's row names": ('"","n","error"\n"1",1000,0.62\n"2",2000,0.56\n"3",64000,0.47\n', "an index, left out"),
    "R's write.table": ('"n" "error"\n"1" 1000 0.62\n"2" 2000 0.56\n"3" 64000 0.47\n', "spaces"),
    "columns of spaces": ("n      error\n1000    0.62\n 2000   0.56\n64000   0.47\n", "spaces"),
    "bars": (PLAIN.replace(",", " | "), "bars"),
    "letter case and spaces": (PLAIN.replace("n,error", " N , Error "), "the column 'N' is read as n"),
    "Markdown": ("| n | error |\n|---:|---:|\n| 1000 | 0.62 |\n| 2000 | 0.56 |\n| 64000 | 0.47 |\n", "bars"),
    "scientific": ("n,error\n1.00E+03,0.62\n2e+03,0.56\n6.4e4,0.47\n", None),
    "Neptune": (PLAIN.replace("n,error", "parameters/n,metrics/error"), "'metrics/error' is read as error"),
    "Optuna": (PLAIN.replace("n,", "params_n,"), "'params_n' is read as n"),
    "an index written twice": (
        "Unnamed: 0.1,Unnamed: 0,n,error\n0,0,1000,0.62\n1,1,2000,0.56\n2,2,64000,0.47\n",
        "an index, left out",
    ),
    "another name of the seed": ("n,error,random_seed\n1000,0.62,0\n2000,0.56,0\n64000,0.47,0\n", "as seed"),
    "MLflow": (PLAIN.replace("n,error", "params.n,metrics.error"), "'metrics.error' is read as error"),
    "cp1252": ("n;error;Größe\n1000;0,62;Ä\n2000;0,56;Ä\n64000;0,47;Ä\n".encode("cp1252"), "Windows-1252"),
}  # fmt: skip


def check(tmp_path: Path, content: str | bytes, **options):
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check_frame(read_csv(path), path, **options)


@pytest.mark.parametrize(("content", "note"), READ.values(), ids=READ)
def test_one_meaning_is_read(tmp_path, content, note):
    frame = check(tmp_path, content)
    assert frame["n"].tolist() == N and frame["error"].tolist() == pytest.approx(ERROR, rel=1e-12)
    notes = frame.attrs["notes"]
    assert notes == [] if note is None else any(note in one for one in notes), notes


REFUSED = {
    "XLSX": (b"PK\x03\x04\x14", "is a spreadsheet (XLSX) or a zip file; save the sheet as CSV"),
    "Parquet": (b"PAR1\x15", "is a Parquet file"),
    "gzip": (b"\x1f\x8b\x08", "is compressed (gzip); unpack it"),
    "JSON lines": ('{"n": 1000, "error": 0.62}\n', "is JSON; write the table as CSV"),
    "HTML": ("<table>", "is HTML or XML"),
    "NUL": (b"n,error\n1000,0.5\n20\x0000,0.4\n", "line 3 has a NUL byte"),
    "no text": (b"n,error\n\x81\x8d,0.4\n", "is no text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8"),
    "a long cell": ("n,error\n1000," + "5" * 200_000 + "\n", "is not a finite number; fix or remove the row"),
    "an open quote": ('n,error\n1000,"0.5\n2000,0.4\n', "begins in line 2 is no CSV: a quote"),
    "a header of numbers": ("1000,0.62\n2000,0.56\n", "line 1 has numbers where"),
    "a decimal comma": ("n,error\n1000,0.62\n2000,0,56\n", "line 3 has 3 fields and the header 2; a comma"),
    "a short row": ("n,error,seed\n\n1000,0.62,1\n2000,0.56\n", "line 4 has 2 fields and the header 3"),
    "a column more": ("n,error\n1000,0.62,a\n2000,0.56,b\n", "line 2 has 3 fields and the header 2"),
    "no name": ("n,error,\n1000,0.62,a\n2000,0.56,b\n", "column 3 has values and no name; name or remove it"),
    "seeds without a name": (",n,error\n0,1000,0.6\n1,1000,0.5\n0,2000,0.5\n", "column 1 has values"),
    "a name twice": ("n,error,error\n1000,0.62,0.5\n", "error: 2 columns have this name"),
    "a name in two cases": ("n,N,error\n1000,5,0.62\n", "n: 2 columns have this name ('n', 'N')"),
    "another name": ("n,err\n1000,0.62\n", "error: no such column; the file has: n, err; did you mean 'err'"),
    "images": ("images,error\n1000,0.62\n", "n: no such column; the file has: images, error; did you mean"),
    "accuracy": ("n,accuracy\n1000,0.62\n", "is it 1 - 'accuracy'?"),
    "TensorBoard": ("Wall time,Step,Value\n1.7e9,10,0.62\n", "this is the log of one training"),
    "1.000": ("n,error\n1.000,0.62\n16.000,0.56\n", "n: '1.000' in line 2 may be 1 or 1000"),
    "1,000 in German": ('n,error\n"1,000","0,62"\n', "n: '1,000' in line 2 may be 1 or 1000"),
    "two marks": ('n,error\n1000,"0,62"\n2000,0.56\n', "'0,62' in line 2 has a decimal comma"),
    "1,234": ('n,error\n1000,"1,234"\n', "error: '1,234' in line 2 may be 1.234 or 1234"),
    "shares": ("n,error\n0.0625,0.62\n0.5,0.56\n1,0.47\n", "in line 2 is not whole, but n counts images"),
    "percent of a set": ("n,error\n25%,0.62\n50%,0.56\n", "n: '25%' in line 2 is not a finite number"),
    "percentages": ("n,error\n1000,45\n2000,38\n", "45 in line 2 is above 1, as no error rate is; divide"),
    "one percentage": (PLAIN + "128000,52\n", "52 in line 5 is above 1, as no error rate is; the other 3"),
    "names without a name": (",n,error\na,1000,0.6\nb,2000,0.5\n", "column 1 has values and no name"),
    "some percent signs": (PLAIN + "128000,52 %\n", "'0.62' in line 2 has no percent sign"),
    "too large": ("n,error\n1000,1e400\n", "error: '1e400' in line 2 is not a finite number"),
    "too many": ("n,error\n1e300,0.5\n", "n: '1e300' in line 2 is too large: n counts images"),
    "minus": ("n,error\n1000,\u22120.5\n", "error: '-0.5' in line 2 is not positive"),
    "a spreadsheet's error": ("n,error\n1000,0.5\n#DIV/0!,0.4\n", "'#DIV/0!' in line 3 is not a finite"),
    "a comment or a name": ("run,n,error\na,1000,0.5\n#b,2000,0.4\n", "line 3 begins with #"),
    "after blank lines": ("n,error\n\n,\n1000,0.62\n2000,x\n", "error: 'x' in line 5 is not a finite number"),
    "after a quoted line end": ('n,error,note\n1000,0.62,"a\nb"\n2000,x,c\n', "error: 'x' in line 4"),
    "tiny": ("n,error\n1000,1e-320\n", "error: '1e-320' in line 2 is too large or too small"),
    "a huge weight": ("n,error,weight\n1000,0.5,1e300\n", "weight: '1e300' in line 2 is too large"),
    "powers": ("n,error\n10\u00b3,0.5\n", "n: '10\u00b3' in line 2 is not a finite number"),
    "one share of a set": ("n,error\n25 %,0.62\n5000,0.56\n", "n: '25%' in line 2 is not a finite number"),
    "words": ("n,error\n1000 images,0.5\n", "n: '1000 images' in line 2 is not a finite number"),
    "underscores": ("n,error\n1_0,0.5\n", "n: '1_0' in line 2 is not a finite number"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_clear_is_one_line(tmp_path, content, problem):
    with pytest.raises(InputError) as caught:
        check(tmp_path, content)
    message = str(caught.value)
    assert problem in message and message.startswith(str(tmp_path)) and "\n" not in message


@pytest.mark.parametrize(
    ("unit", "cells", "errors"),
    [
        ("rate", ("0.62", "0.5", "1"), [0.62, 0.5, 1]),
        ("percent", ("62", "50", "12.5"), [0.62, 0.5, 0.125]),
        ("percent", ("6.2", "5", "0.9"), [0.062, 0.05, 0.009]),
        ("percent", ("62", "50", ".45"), "0.45 in line 4 is 1 % or less, and others are tens of percent"),
        ("percent", ("62%", "50%", "1%"), [0.62, 0.5, 0.01]),
        ("percent", ("620", "50", "40"), "620 in line 2 is above 100"),
        ("loss", ("6.2", "0.5", "0.4"), [6.2, 0.5, 0.4]),
        ("loss", ("62%", "50%", "1%"), "leave out --unit loss"),
        ("share", ("0.62", "0.5", "0.4"), "--unit: 'share' is not one of rate, percent, loss"),
    ],
)
def test_errors_have_a_unit(tmp_path, unit, cells, errors):
    content = "n,error\n" + "".join(f"{1000 * i + 1000},{cell}\n" for i, cell in enumerate(cells))
    if isinstance(errors, str):
        with pytest.raises(InputError, match=errors):
            check(tmp_path, content, unit=unit)
    else:
        assert check(tmp_path, content, unit=unit)["error"].tolist() == pytest.approx(errors)


NAMES = st.text(
    st.characters(categories=("L", "Nd"), include_characters=" -_.;,\"'\n"), min_size=1, max_size=8
)


@st.composite
def written(draw):
    """A table and the bytes of a file that holds it in some dialect."""
    count = draw(st.integers(1, 6))
    rows = [
        (
            draw(st.integers(0, 3_000_000)),
            round(draw(st.floats(0.001, 1)), draw(st.integers(3, 9))),
            draw(NAMES),
        )
        for _ in range(count)
    ]
    separator = draw(st.sampled_from(",;\t|"))
    comma = draw(st.booleans())
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=line_end)
    header = ["n", "error", "setting"]
    if draw(st.booleans()):
        header = draw(st.sampled_from([["N", "Error", "setting"], [" n ", "ERROR", "setting"]]))
    group = draw(st.sampled_from(["", " ", "'", "\u00a0", "." if comma else ","]))
    index = draw(st.booleans())
    blank = draw(st.lists(st.integers(0, count), max_size=3))
    writer.writerow([""] * index + header)
    lines = []
    for place, (n, error, name) in enumerate(rows):
        for _ in range(blank.count(place)):
            writer.writerow([""] * (3 + index))
        lines.append(out.getvalue().count("\n") + 1)
        text = f"{error:.9f}"
        number = text.replace(".", ",") if comma else text
        writer.writerow([place] * index + [f"{n:,}".replace(",", group), number, name])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
    return rows, lines, out.getvalue().encode(encoding)


@settings(max_examples=150, deadline=None)
@given(written())
def test_any_dialect_reads_back_the_same(tmp_path_factory, table):
    rows, lines, content = table
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(content)
    frame = read_csv(path)
    assert frame["n"].astype(float).tolist() == [n for n, _, _ in rows]
    assert frame["error"].astype(float).tolist() == pytest.approx([error for _, error, _ in rows], abs=1e-9)
    assert [index + 2 for index in frame.index] == lines
    assert frame["setting"].tolist() == [clean(name) for _, _, name in rows]
