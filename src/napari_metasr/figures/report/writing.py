"""Write a report to a file, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.figures.report.html import as_html
from napari_metasr.figures.report.pdf import as_pdf
from napari_metasr.files import check_writable, replacing

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.figures.report.document import Document

REPORTS = (".html", ".pdf")
"""What a report may be written as."""


def check_report(path: Path, *, overwrite: bool = False) -> None:
    """Refuse a path before any work is done for it.

    Raises
    ------
    ValueError
        If its ending is neither ``.html`` nor ``.pdf``.
    OSError
        As `napari_metasr.files.check_writable`.
    """
    if path.suffix.lower() not in REPORTS:
        raise ValueError(f"{path}: expected a report that ends in {' or '.join(REPORTS)}")
    check_writable(path, overwrite=overwrite)


def write_report(path: Path, document: Document, *, overwrite: bool = False) -> Path:
    """Write a report as a page or, by the ending of its name, as a PDF.

    Raises
    ------
    ValueError, OSError
        As `check_report`.
    """
    check_report(path, overwrite=overwrite)
    is_pdf = path.suffix.lower() == ".pdf"
    content = as_pdf(document) if is_pdf else as_html(document).encode()
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)
    return path
