"""Names in tables are neither formulas nor HTML."""

from __future__ import annotations

import pytest

from napari_metasr.cells import csv_cell, markdown_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_become_text(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["sub-01", "a=b", "", -2.5, 3, None, float("nan")])
def test_everything_else_stays(value):
    assert csv_cell(value) is value


def test_a_cell_of_markdown_is_one_line_without_html():
    assert markdown_cell("a|b\n# <script>x</script> &") == (
        "a\\|b # &lt;script&gt;x&lt;/script&gt; &amp;"
    )
