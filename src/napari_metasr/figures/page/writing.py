"""The HTML file of a page: its template, style and scripts with a region's contents in them."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

from napari_metasr.figures.page.contents import contents
from napari_metasr.files import check_writable, replacing
from napari_metasr.purpose import RESEARCH_USE, RESEARCH_USE_SENTENCE

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.figures.page.contents import Contents
    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Slice
    from napari_metasr.geometry.windows import Window
    from napari_metasr.zoom.engine import ZoomModel

SCRIPTS = ("webgl.js", "worker.js", "app.js")
PLACE = re.compile(r"\{\{(\w+)\}\}")


def save_page(
    path: Path,
    model: ZoomModel,
    slice_: Slice,
    window: Window,
    *,
    scale: float,
    view: View,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float],
    overwrite: bool = False,
) -> Contents:
    """Write a region of a slice as a page that magnifies it, without a connection.

    The file needs nothing beside it and loads nothing. It holds no name, date or path: only the
    numbers of the region.

    Parameters
    ----------
    path
        ``.html``.
    window, scale, view, intensity_range, value_range
        See ``contents``.

    Returns
    -------
    Contents
        What is in it.

    Raises
    ------
    PageError
        See ``contents``; nothing is written then.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written; nothing is encoded then.
    """
    check_writable(path, overwrite=overwrite)
    made = contents(
        model,
        slice_,
        window,
        scale=scale,
        view=view,
        intensity_range=intensity_range,
        value_range=value_range,
    )
    text = _filled(made, model)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return made


def _filled(made: Contents, model: ZoomModel) -> str:
    """Fill the template."""
    title = html.escape(model.card.title)
    header = json.dumps(made.header, allow_nan=False).replace("<", "\\u003c")
    values = {
        "model": title,
        "purpose": html.escape(RESEARCH_USE_SENTENCE),
        "about": _about(made, model),
        "header": header,
        "parts": made.text,
        "style": _source("page.css"),
        "shader": _source("shader.glsl"),
        "renderer": _source("renderer.js"),
        "scripts": "\n".join(map(_source, SCRIPTS)),
    }
    return PLACE.sub(lambda found: values[found[1]], _source("page.html"))


def _about(made: Contents, model: ZoomModel) -> str:
    title, licence = html.escape(model.card.title), html.escape(model.card.licence)
    told = f" It was told of the scan: {html.escape(model.assumed)}." if model.assumed else ""
    width = made.header["width"]  # of the range that brightest voxels do not widen
    usual, largest = (f"{100 * error / width:.2g}%" for error in made.error)
    return (
        f"Detail beyond the acquired pixels is {title}'s estimate, {RESEARCH_USE}.{told} The "
        f"network's codes of the pixels are rounded: values are off by {usual} of the "
        f"intensity range (root mean square; the largest measured is {largest}). The codes and "
        f"weights in this page: {licence}."
    )


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
