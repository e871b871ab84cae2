"""Intensities along a line: acquired pixels, bicubic and super-resolved, as a plot and a table."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import map_coordinates

from napari_metasr.figures.canvas import (
    ACCENT,
    BACKGROUND,
    FONT,
    FRAME,
    MARGIN,
    MUTED,
    TEXT,
    Canvas,
)
from napari_metasr.figures.panel import draw_panel, panel_size
from napari_metasr.figures.record import recorded
from napari_metasr.files import check_writable, replacing
from napari_metasr.geometry.grids import HALF
from napari_metasr.geometry.windows import Window
from napari_metasr.io.names import table_path
from napari_metasr.io.writer import check_source_kept

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition
    from napari_metasr.geometry.windows import Line

COLUMNS = ("distance", "row", "column", "acquired", "bicubic", "super_resolved")
TITLES = {"acquired": "Acquired pixels", "bicubic": "Bicubic"}
COLOURS = {"acquired": MUTED, "bicubic": "#4fc3f7", "super_resolved": ACCENT}
PANEL = 420
PLOT = 640


@dataclass(frozen=True)
class Profile:
    """Values along a line.

    Attributes
    ----------
    line
        In low-resolution pixel edges.
    values
        By the names of ``COLUMNS``, float64, of equal length: the distance in the slice's unit,
        places in low-resolution pixel edges, and intensities.
    """

    line: Line
    values: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, rendition: Rendition, line: Line) -> Profile:
        """Take values of a rendition along a line, about one for every output pixel.

        Between the centres of output pixels they are interpolated linearly; of acquired pixels
        it is the one that a place lies in.

        Raises
        ------
        ValueError
            If the line leaves the rendition's window.
        """
        window, grid, spacing = rendition.window, rendition.grid, rendition.slice.spacing
        ends = line.box
        if not Window(*window).contains(ends):
            raise ValueError(
                f"the line {','.join(f'{edge:g}' for edge in line)} leaves the region "
                f"y {window[0]:g}..{window[2]:g}, x {window[1]:g}..{window[3]:g}"
            )
        down, across = line.bottom - line.top, line.right - line.left
        steps = math.ceil(math.hypot(down * grid.true_scale[0], across * grid.true_scale[1]))
        share = np.linspace(0, 1, max(steps, 1) + 1)
        rows, columns = line.top + share * down, line.left + share * across
        i0, j0, _, _ = grid.pixel_range(window)
        places = [
            np.array([float(axis.edge(place) - HALF) for place in along.tolist()]) - first
            for axis, along, first in ((grid.rows, rows, i0), (grid.columns, columns, j0))
        ]
        image = rendition.slice.image
        cells = [
            np.minimum(along.astype(int), size - 1)
            for along, size in zip((rows, columns), image.shape, strict=True)
        ]
        length = math.hypot(down * spacing[0], across * spacing[1])
        return cls(
            line,
            {
                "distance": share * length,
                "row": rows,
                "column": columns,
                "acquired": np.asarray(image[cells[0], cells[1]], np.float64),
                "bicubic": _along(rendition.interpolated, places),
                "super_resolved": _along(rendition.super_resolved, places),
            },
        )


def _along(image: NDArray[Any], places: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = map_coordinates(
        np.asarray(image, np.float64), places, order=1, mode="nearest"
    )
    return values


def save_profile(
    path: Path,
    rendition: Rendition,
    profile: Profile,
    *,
    view: View,
    heading: str,
    dpi: int,
    overwrite: bool = False,
) -> Path:
    """Write the plot as PNG or PDF, beside the slice with the line; its table and record.

    Raises
    ------
    OSError, ValueError
        As `save_comparison`; also if the table exists and ``overwrite`` is not set, or one of
        both would replace the source.
    """
    table = table_path(path)
    check_writable(table, overwrite=overwrite)
    source = rendition.slice.volume.source
    check_source_kept(path, source)
    check_source_kept(table, source)
    with recorded(path, [rendition], overwrite=overwrite):
        _draw(rendition, profile, view, heading).save(
            path, rendition.caption, dpi=dpi, overwrite=overwrite
        )
    with replacing(table, overwrite=overwrite) as temporary:
        temporary.write_text(_table(profile), encoding="utf-8", newline="")
    return path


def _table(profile: Profile) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in zip(*(profile.values[name] for name in COLUMNS), strict=True):
        writer.writerow([f"{value:.6g}" for value in row])
    return text.getvalue()


def _draw(rendition: Rendition, profile: Profile, view: View, heading: str) -> Canvas:
    """Draw the super-resolved region with the line in it, and the values along the line."""
    image = rendition.super_resolved
    shape = (image.shape[0], image.shape[1])
    width, height = panel_size(shape, rendition.spacing, longest=PANEL)
    page_width = 2 * MARGIN + PANEL + 5 * FONT + PLOT
    head = round(MARGIN + 4.6 * FONT)
    inner = page_width - 2 * MARGIN
    lines = Canvas(page_width, 100).lines(rendition.caption, 0.9 * FONT, inner)
    page_height = round(head + PANEL + 4 * FONT + 1.5 * FONT * len(lines) + MARGIN)
    canvas = Canvas(page_width, page_height)
    canvas.text(heading, MARGIN, MARGIN + 0.6 * FONT, 1.25 * FONT, bold=True, max_width=inner)
    cut, line = rendition.slice, profile.line
    details = (
        f"{cut.plane} slice {cut.index} · from y {line.top:g}, x {line.left:g} "
        f"to y {line.bottom:g}, x {line.right:g}"
    )
    canvas.text(details, MARGIN, MARGIN + 2.3 * FONT, 0.9 * FONT, color=MUTED, max_width=inner)
    left, top = MARGIN + (PANEL - width) // 2, head + (PANEL - height) // 2
    panel = draw_panel(
        canvas, image, rendition.spacing, view, left=left, top=top, width=width, height=height,
        size=FONT, marked=None if rendition.marks is None else rendition.marks.marked,
    )  # fmt: skip
    ends = [
        view.rectangle(
            Window(row, column, row, column),
            shape,
        )[:2]
        for row, column in zip(*_in_pixels(rendition, profile.line), strict=True)
    ]
    panel.plot(*zip(*ends, strict=True), color=ACCENT, linewidth=1.5)
    panel.plot(*ends[0], "o", color=ACCENT, markersize=5)  # where the distance is 0
    axes = canvas.figure.add_axes(
        (
            (page_width - MARGIN - PLOT) / page_width,
            1 - (head + PANEL) / page_height,
            PLOT / page_width,
            PANEL / page_height,
        )
    )
    _plot(axes, profile, rendition.card.title, view.unit)
    for number, words in enumerate(lines):
        y = head + PANEL + (4 + 1.5 * number) * FONT
        canvas.text(words, MARGIN, y, 0.9 * FONT, color=MUTED)
    return canvas


def _in_pixels(rendition: Rendition, line: Line) -> tuple[list[float], list[float]]:
    """Return rows and columns of a line's ends, in pixel edges of the rendered region."""
    grid = rendition.grid
    first = grid.pixel_range(rendition.window)[:2]
    rows = [float(grid.rows.edge(place)) - first[0] for place in (line.top, line.bottom)]
    columns = [float(grid.columns.edge(place)) - first[1] for place in (line.left, line.right)]
    return rows, columns


def _plot(axes: Axes, profile: Profile, title: str, unit: str) -> None:
    distance = profile.values["distance"]
    for name in ("acquired", "bicubic", "super_resolved"):
        axes.plot(
            distance,
            profile.values[name],
            color=COLOURS[name],
            label=TITLES.get(name, title),
            drawstyle="steps-mid" if name == "acquired" else "default",
            linewidth=1 if name == "acquired" else 1.6,
        )
    axes.set_facecolor(BACKGROUND)
    axes.set_xlim(0, float(distance[-1]))
    axes.set_xlabel(f"Distance from the dot ({unit})", color=TEXT)
    axes.set_ylabel("Intensity", color=TEXT)
    axes.tick_params(colors=TEXT)
    axes.spines[:].set_color(FRAME)
    axes.grid(color=FRAME, linewidth=0.5)
    axes.legend(facecolor=BACKGROUND, edgecolor=FRAME, labelcolor=TEXT)
