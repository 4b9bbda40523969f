"""A table in Markdown is one that a reader's program takes for a table."""

import markdown

from syn2real.report.markdown import markdown_table


def test_a_table_has_its_cells_and_numbers_stand_right() -> None:
    text = markdown_table(("curve", "n"), [("a|b", "64,000"), ("c", "")])
    page = markdown.markdown(text, extensions=["tables"])
    assert page.count("<tr>") == 3 and page.count("<td") == 4
    assert "<td>a/b</td>" in page and '<td style="text-align: right;">64,000</td>' in page
