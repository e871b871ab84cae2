"""Write a report as one HTML page that needs nothing else: pictures are part of it."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from napari_metasr.figures.report.document import Heading, Listing, Paragraph, Picture, Table

if TYPE_CHECKING:
    from napari_metasr.figures.report.document import Block, Document

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2429; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
p.key { border-left: 4px solid #c77700; padding: .3rem .8rem; background: #fff7e8; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #d5dade; text-align: right; }
th:first-child, td:first-child { text-align: left; }
caption, figcaption { color: #55616a; font-size: .9rem; text-align: left; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; }
"""
CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Nothing is loaded from anywhere."""


def as_html(document: Document) -> str:
    """Return a report as the text of a page."""
    title = escape(document.title)
    body = "\n".join(map(_block, document.blocks))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text, is_key):
            opening = '<p class="key">' if is_key else "<p>"
            return f"{opening}{escape(text)}</p>"
        case Listing(items):
            listed = "".join(f"<li>{escape(item)}</li>" for item in items)
            return f"<ul>{listed}</ul>"
        case Table():
            return _table(block)
        case Picture(png, (width, height), caption):
            words, data = escape(caption), b64encode(png).decode("ascii")
            return (
                f'<figure><img src="data:image/png;base64,{data}" alt="{words}" '
                f'width="{width}" height="{height}"><figcaption>{words}</figcaption></figure>'
            )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n"
        for row in table.rows
    )
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
