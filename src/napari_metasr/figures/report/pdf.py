"""Write a report as a PDF of A4 pages."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.image import imread

from napari_metasr.figures.canvas import STYLE, Canvas
from napari_metasr.figures.report.document import Heading, Listing, Paragraph, Picture, Table
from napari_metasr.purpose import RESEARCH_USE_SENTENCE

if TYPE_CHECKING:
    from napari_metasr.figures.report.document import Block, Document

WIDTH, HEIGHT = 827, 1169
"""A4 at 100 pixels an inch."""

MARGIN = 70
FOOT = 45
SIZE, LINE = 13, 19
"""Height of letters and of lines."""

BOLD = 1.14
"""Width of bold letters, in those of others."""

INK, QUIET, RULE = "#1d2429", "#55616a", "#d5dade"


class _Pages:
    """Pages that are filled from top to bottom."""

    def __init__(self) -> None:
        self.pages: list[Canvas] = []
        self.begin()

    def begin(self) -> None:
        """Begin a page."""
        self.page = Canvas(WIDTH, HEIGHT, "white")
        self.pages.append(self.page)
        self.page.text(RESEARCH_USE_SENTENCE, MARGIN, HEIGHT - FOOT, 11, color=QUIET)
        self.page.text(
            str(len(self.pages)), WIDTH - MARGIN, HEIGHT - FOOT, 11, color=QUIET, align="right"
        )
        self.top = float(MARGIN)

    def room(self, height: float) -> None:
        """Begin a page if there is less room than this."""
        if self.top + height > HEIGHT - MARGIN - FOOT / 2:
            self.begin()

    def write(
        self, text: str, *, size: float = SIZE, bold: bool = False, color: str = INK, x: float = 0
    ) -> None:
        """Write a paragraph, ``x`` pixels from the margin."""
        step = size * LINE / SIZE
        for line in self.page.lines(text, size * (BOLD if bold else 1), WIDTH - 2 * MARGIN - x):
            self.room(step)
            self.page.text(line, MARGIN + x, self.top + step / 2, size, bold=bold, color=color)
            self.top += step

    def table(self, table: Table) -> None:
        """Write a table, whose columns are as wide as their widest cell."""
        lines = (table.columns, *table.rows)
        size = 12.0
        widths = [
            max(self.page.text_width(line[column], size) for line in lines) + 18
            for column in range(len(table.columns))
        ]
        spare = WIDTH - 2 * MARGIN
        if sum(widths) > spare:
            size *= spare / sum(widths)
            widths = [width * spare / sum(widths) for width in widths]
        self.room(min(len(lines) + 2, 6) * LINE)
        if table.caption:
            self.write(table.caption, size=12, color=QUIET)
        for number, line in enumerate(lines):
            self.room(LINE)
            right = float(MARGIN)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True)):
                right += width
                self.page.text(
                    cell,
                    right - width if column == 0 else right,
                    self.top + LINE / 2,
                    size,
                    color=INK if number else QUIET,
                    align="right" if column else "left",
                )
            self.top += LINE
        self.top += LINE / 2

    def picture(self, picture: Picture) -> None:
        """Place a picture and its caption."""
        width = min(float(picture.size[0]), WIDTH - 2.0 * MARGIN)
        height = width * picture.size[1] / picture.size[0]
        caption = self.page.lines(picture.caption, 12, WIDTH - 2 * MARGIN)
        self.room(height + (len(caption) + 1) * LINE)
        axes = self.page.figure.add_axes(
            (
                MARGIN / WIDTH,
                1 - (self.top + height) / HEIGHT,
                width / WIDTH,
                height / HEIGHT,
            )
        )
        axes.imshow(imread(BytesIO(picture.png)), aspect="auto", interpolation="none")
        axes.set_axis_off()
        self.top += height + LINE / 4
        self.write(picture.caption, size=12, color=QUIET)
        self.top += LINE / 2

    def block(self, block: Block) -> None:
        """Add a part of the report."""
        match block:
            case Heading(text):
                self.top += LINE / 2
                self.room(4 * LINE)
                self.write(text, size=17, bold=True)
            case Paragraph(text, is_key):
                self.write(text, bold=is_key)
                self.top += LINE / 3
            case Listing(items):
                for item in items:
                    self.room(LINE)
                    self.page.text("•", MARGIN, self.top + LINE / 2, SIZE, color=INK)
                    self.write(item, x=14)
                self.top += LINE / 3
            case Table():
                self.table(block)
            case Picture():
                self.picture(block)


def as_pdf(document: Document) -> bytes:
    """Return a report as the bytes of a PDF file."""
    pages = _Pages()
    pages.write(document.title, size=22, bold=True)
    for block in document.blocks:
        pages.block(block)
    buffer = BytesIO()
    metadata = {"Title": document.title, "Subject": RESEARCH_USE_SENTENCE, "CreationDate": None}
    with rc_context(STYLE), PdfPages(buffer, metadata=metadata) as file:
        for page in pages.pages:
            file.savefig(page.figure, facecolor="white")
    return buffer.getvalue()
