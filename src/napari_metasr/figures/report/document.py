"""What a report consists of, whatever it is written as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A heading of a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; the most important ones are marked as key."""

    text: str
    is_key: bool = False


@dataclass(frozen=True)
class Listing:
    """Sentences under each other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with a heading for each column; the first column holds names, the others figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes
    ----------
    png
        As a PNG file.
    size
        Width and height in pixels.
    caption
        What it shows, below it; it stands for the picture where that cannot be seen.
    """

    png: bytes
    size: tuple[int, int]
    caption: str


Block = Heading | Paragraph | Listing | Table | Picture


@dataclass(frozen=True)
class Document:
    """A report: its title and what follows, in order."""

    title: str
    blocks: tuple[Block, ...]
