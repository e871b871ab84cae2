"""The report of a proof: the page and the PDF say the same, alone and whole."""

from __future__ import annotations

import re
import zlib
from html.parser import HTMLParser

import pytest
from fakes.trust import Interpolator, Oracle, error_card, head

from napari_metasr.figures.report import document, write_report
from napari_metasr.figures.report.document import Heading, Listing, Paragraph, Picture, Table
from napari_metasr.figures.report.html import as_html
from napari_metasr.geometry.windows import Window
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.trust.prover import Prover

NAME = "Mustermann_1970-01-01"


@pytest.fixture(scope="module")
def report():
    settings = ProofSettings(scales=(1.5, 2.0), slices=3)
    volume = head(name=NAME)
    oracle = Oracle(volume, error_card())
    *_, proof = Prover(volume, Interpolator(), settings, head=oracle).steps()
    return document(proof)


class Words(HTMLParser):
    """The text of a page, and what it refers to."""

    def __init__(self, page):
        super().__init__()
        self.words, self.targets = [], []
        self.feed(page)

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.targets += [value for name, value in attrs if name in {"src", "href", "action"}]
        assert tag not in {"script", "link", "iframe", "object"}


def text_of_pdf(content):
    """Everything that is written in a PDF of ours: literal strings of UTF-16, page by page."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            page = zlib.decompress(stream)
        except zlib.error:
            continue
        for text in re.findall(rb"BT\n(.*?)\nET", page, re.DOTALL):
            pieces = re.findall(rb"\(((?:\\.|[^\\()])*)\)", text, re.DOTALL)
            raw = (re.sub(rb"\\([0-7]{3}|.)", _unescaped, one, flags=re.DOTALL) for one in pieces)
            found.append(b"".join(raw).decode("utf-16-be", "replace"))
    return " ".join(found)


def _unescaped(match):
    code = match[1]
    return bytes([int(code, 8)]) if len(code) == 3 else {b"n": b"\n", b"r": b"\r"}.get(code, code)


def squeezed(text):
    """Text without what a PDF draws its own way: ligatures, other signs, where lines break."""
    return re.sub(r"ffi|ffl|ff|fi|fl|[^\x21-\x7e]", "", text)


def test_the_page_needs_nothing_else(report, tmp_path):
    page = write_report(tmp_path / "r.html", report).read_text(encoding="utf-8")
    words = Words(page)
    assert words.targets
    assert all(target.startswith("data:image/png;base64,") for target in words.targets)
    assert "http" not in "".join(words.words)
    assert "default-src 'none'" in page


def test_page_and_pdf_agree_on_every_figure(report, tmp_path):
    page = write_report(tmp_path / "r.html", report).read_text(encoding="utf-8")
    pdf = squeezed(text_of_pdf(write_report(tmp_path / "r.pdf", report).read_bytes()))
    html = "".join(Words(page).words)
    figures = 0
    for block in report.blocks:
        match block:
            case Table(columns, rows):
                texts = [cell for row in (columns, *rows) for cell in row]
            case Paragraph(text):
                texts = [text]
            case Listing(items):
                texts = list(items)
            case _:
                texts = []
        for text in texts:
            assert text in html
            for word in text.split():
                assert squeezed(word) in pdf, word
            figures += any(letter.isdigit() for letter in text)
    assert figures > 60
    assert sum(isinstance(block, Picture) for block in report.blocks) == 5


def test_it_says_what_it_is_for_and_names_no_one(report, tmp_path):
    page = write_report(tmp_path / "r.html", report).read_bytes()
    pdf = write_report(tmp_path / "r.pdf", report).read_bytes()
    assert RESEARCH_USE_SENTENCE.encode() in page
    assert squeezed(RESEARCH_USE_SENTENCE) in squeezed(text_of_pdf(pdf))
    for secret in (NAME, "Mustermann", "1970"):
        assert secret.encode() not in page
        assert secret not in text_of_pdf(pdf)
        assert secret.encode("utf-16-be") not in pdf
    for name in (NAME, "Mustermann"):  # four digits are in a compressed stream by chance
        assert name.encode() not in pdf
    assert b"Date" not in pdf


def test_it_tells_whether_marks_find_the_errors_if_there_are_marks(report):
    def headings(report):
        return [block.text for block in report.blocks if isinstance(block, Heading)]

    assert "Do the risk marks find the errors?" in headings(report)
    (table,) = (
        block
        for block in report.blocks
        if isinstance(block, Table) and "large errors missed (%)" in block.columns
    )
    assert [row[0] for row in table.rows] == ["×1.5", "×2"]
    assert {row[3] for row in table.rows} == {"–"}  # of an unknown contrast nothing is guaranteed
    *_, proof = Prover(head(), Interpolator(), ProofSettings(scales=(2.0,), slices=1)).steps()
    assert "Do the risk marks find the errors?" not in headings(document(proof))


def test_it_tells_of_no_interval_and_no_estimate_where_there_is_none():
    volume = head()

    def words(acquisition, **keywords):
        settings = ProofSettings(scales=(2.0,), slices=4, acquisition=acquisition)
        keywords["head"] = Oracle(volume, error_card())
        *_, proof = Prover(volume, Interpolator(), settings, **keywords).steps()
        page = as_html(document(proof))
        return " ".join("".join(Words(page).words).split())

    one, several = words("box", index=2, region=Window(20, 20, 76, 76)), words("auto")
    assert "region marked (%)" in one
    assert "head marked (%)" in several
    for text in ("the 95% interval of the mean", "with the interval of the mean over the slices"):
        assert f"{text}." not in one
        assert f"{text}." in several
    for text in ("is estimated. If the estimate is wrong", "is taken as stated. If that is wrong"):
        assert (text in one) == ("stated" in text)
        assert (text in several) == ("estimated" in text)


def test_words_are_no_markup(tmp_path):
    settings = ProofSettings(scales=(2.0,), slices=1)
    model = Interpolator(title="<b>A & B</b>")
    *_, proof = Prover(head(), model, settings).steps()
    page = write_report(tmp_path / "r.html", document(proof)).read_text(encoding="utf-8")
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page
    assert "<b>" not in page


def test_a_report_is_whole_or_not_there(report, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_report(path, report)
    assert path.read_text() == "mine"
    write_report(path, report, overwrite=True)
    assert path.stat().st_size > 10_000
    with pytest.raises(ValueError, match=r"ends in \.html or \.pdf"):
        write_report(tmp_path / "r.txt", report)
    assert [one.name for one in tmp_path.iterdir()] == ["r.html"]
