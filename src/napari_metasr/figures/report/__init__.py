"""A report of the proof on one's own scan: its contents, and the page and the PDF made of them."""

from napari_metasr.figures.report.contents import document
from napari_metasr.figures.report.writing import REPORTS, write_report

__all__ = ["REPORTS", "document", "write_report"]
