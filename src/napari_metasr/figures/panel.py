"""Draw a labelled picture: anatomical letters at the edges and a scale bar in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from napari_metasr.figures.canvas import ACCENT, TEXT
from napari_metasr.geometry.display import RADIOLOGICAL, as_displayed, bar_length, edge_letters
from napari_metasr.normalisation import unit_range
from napari_metasr.trust.marks import COLOURS, drawn
from napari_metasr.volume import SIGNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_metasr.figures.canvas import Canvas
    from napari_metasr.geometry.windows import Window
    from napari_metasr.volume import Plane, Volume

SIGNED = colormaps["PiYG"]
"""Colours of signed images: pink below zero, white at zero, green above."""

TILE, TILE_GAP = 236, 12
"""Longest side of a picture among many, and what lies between two of them."""

BAR_SHARE = 3
"""Scale bars are no longer than this part of a picture's width."""

PANEL_PIXELS = 600
LARGEST_PANEL_PIXELS = 1600


@dataclass(frozen=True)
class View:
    """How every slice of a figure is shown.

    Attributes
    ----------
    plane
        Which plane of the canonical volume the slices are.
    contrast_limits
        The intensity window: shown black, shown white.
    orientation2d
        Where rows and columns point on the screen; radiological unless said otherwise.
    is_oriented
        Whether it is known which side is which.
    unit
        Unit of lengths, as it is written after a number.
    """

    plane: Plane
    contrast_limits: tuple[float, float]
    orientation2d: tuple[str, str] = RADIOLOGICAL
    is_oriented: bool = True
    unit: str = "mm"

    @classmethod
    def of(
        cls,
        volume: Volume,
        plane: Plane,
        contrast_limits: tuple[float, float],
        orientation2d: tuple[str, str] = RADIOLOGICAL,
    ) -> View:
        """Return how slices of a volume are shown, with the sides and the unit that it knows."""
        source = volume.source
        return cls(
            plane,
            contrast_limits,
            orientation2d,
            is_oriented=source.is_oriented,
            unit=SIGNS[source.unit],
        )

    @property
    def letters(self) -> dict[str, str]:
        """The letters at the edges ``top``, ``bottom``, ``left``, ``right``, as far as known."""
        if not self.is_oriented:
            return {}
        return edge_letters(self.plane.row_axis, self.plane.column_axis, self.orientation2d)

    def picture(self, image: NDArray[Any]) -> NDArray[Any]:
        """Turn a slice into a picture of values 0..1, first row on top."""
        return as_displayed(unit_range(image, self.contrast_limits), self.orientation2d)

    def signed_picture(self, image: NDArray[Any], limit: float) -> NDArray[Any]:
        """Turn a signed slice into a picture in `SIGNED` colours from ``-limit`` to ``limit``."""
        shown = as_displayed(unit_range(image, (-limit, limit)), self.orientation2d)
        colours: NDArray[Any] = SIGNED(shown)[..., :3]
        return colours

    def with_marks(self, picture: NDArray[Any], marked: NDArray[np.bool_]) -> NDArray[Any]:
        """Draw marks of a slice over its grey picture; the result is in colours."""
        painted = np.array(COLOURS)[as_displayed(drawn(marked), self.orientation2d)]
        share = painted[..., 3:]
        mixed: NDArray[Any] = share * painted[..., :3] + (1 - share) * picture[..., np.newaxis]
        return mixed

    def rectangle(
        self, window: Window, shape: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """Convert a window of a slice to (left, top, width, height) in its picture's pixels."""
        top, left, bottom, right = window
        if self.orientation2d[0] == "up":
            top, bottom = shape[0] - bottom, shape[0] - top
        if self.orientation2d[1] == "left":
            left, right = shape[1] - right, shape[1] - left
        return left, top, right - left, bottom - top


def panel_size(
    shape: tuple[int, ...], spacing: tuple[float, float], longest: float | None = None
) -> tuple[int, int]:
    """Choose width and height in pixels for a slice, in its true proportions.

    A whole number of screen pixels for each of the slice's where it is small, one where it is
    large, fewer beyond ``LARGEST_PANEL_PIXELS``. With ``longest`` that is the longer side.
    """
    finest = min(spacing)
    rows, columns = shape[0] * spacing[0] / finest, shape[1] * spacing[1] / finest
    side = max(rows, columns)
    if longest is not None:
        enlargement = longest / side
    elif side > LARGEST_PANEL_PIXELS:
        enlargement = LARGEST_PANEL_PIXELS / side
    else:
        enlargement = max(round(PANEL_PIXELS / side), 1)
    return max(round(columns * enlargement), 1), max(round(rows * enlargement), 1)


def edge_positions(width: float, height: float, inset: float) -> dict[str, tuple[float, float]]:
    """Place the letters of a picture's edges: (x, y) from its top left corner."""
    return {
        "top": (width / 2, inset),
        "bottom": (width / 2, height - inset),
        "left": (inset, height / 2),
        "right": (width - inset, height / 2),
    }


def draw_panel(
    canvas: Canvas,
    image: NDArray[Any],
    spacing: tuple[float, float],
    view: View,
    *,
    left: float,
    top: float,
    width: float,
    height: float,
    size: float,
    window: Window | None = None,
    limit: float | None = None,
    marked: NDArray[np.bool_] | None = None,
) -> Axes:
    """Draw a slice with letters and scale bar into a rectangle of the page.

    Parameters
    ----------
    image, spacing
        The slice, (rows, columns) in array order, and mm between them.
    size
        Height of the letters, in pixels.
    window
        A part of the slice to frame, in its pixel edges.
    limit
        Of a signed image: its largest shown size, in `SIGNED` colours; grey otherwise.
    marked
        Pixels of a grey one that are marked, see `napari_metasr.trust.marks`.

    Returns
    -------
    Axes
        As `Canvas.picture`.
    """
    picture = view.picture(image) if limit is None else view.signed_picture(image, limit)
    if marked is not None:
        picture = view.with_marks(picture, marked)
    axes = canvas.picture(picture, left, top, width, height)
    if window is not None:
        x, y, columns, rows = view.rectangle(window, (image.shape[0], image.shape[1]))
        axes.add_patch(
            Rectangle(
                (x, y),
                columns,
                rows,
                fill=False,
                edgecolor=ACCENT,
                linewidth=canvas.points(size / 6.5),
            )
        )
    _draw_letters(canvas, axes, view.letters, size, width, height)
    _draw_scale_bar(canvas, axes, spacing[1], view.unit, image.shape[1], size, width, height)
    return axes


def draw_colour_bar(
    canvas: Canvas, limit: float, unit: str, *, middle: float, top: float, width: float, size: float
) -> None:
    """Draw a bar of the `SIGNED` colours with both limits and their unit beside it.

    Parameters
    ----------
    limit, unit
        Of the signed image.
    middle, top, width, size
        Place and size of the bar, and height of the letters, in pixels of the page.
    """
    ramp = SIGNED(np.linspace(0, 1, 256))[np.newaxis, :, :3]
    canvas.picture(ramp, middle - width / 2, top, width, 0.7 * size)
    y, gap = top + 0.35 * size, 0.5 * size
    canvas.text(f"−{limit:.3g}", middle - width / 2 - gap, y, 0.8 * size, align="right")
    canvas.text(f"+{limit:.3g} {unit}", middle + width / 2 + gap, y, 0.8 * size)


def _draw_letters(
    canvas: Canvas,
    axes: Axes,
    letters: dict[str, str],
    size: float,
    width: float,
    height: float,
) -> None:
    positions = edge_positions(width, height, 0.8 * size)
    for side, letter in letters.items():
        x, y = positions[side]
        _outlined(canvas, axes, letter, (x / width, 1 - y / height), size, bold=True)


def _draw_scale_bar(
    canvas: Canvas,
    axes: Axes,
    spacing: float,
    unit: str,
    columns: int,
    size: float,
    width: float,
    height: float,
) -> None:
    extent = columns * spacing
    length = bar_length(extent / BAR_SHARE)
    start, base = 0.8 * size / width, 0.8 * size / height
    share = length / extent
    axes.plot(
        (start, start + share),
        (base, base),
        transform=axes.transAxes,
        color=TEXT,
        linewidth=canvas.points(size / 5),
        solid_capstyle="butt",
        path_effects=[withStroke(linewidth=canvas.points(size / 5 + 2.8), foreground="black")],
    )
    middle = (start + share / 2, base + 0.75 * size / height)
    _outlined(canvas, axes, f"{length:g} {unit}", middle, 0.8 * size)


def _outlined(
    canvas: Canvas,
    axes: Axes,
    string: str,
    position: tuple[float, float],
    size: float,
    *,
    bold: bool = False,
) -> None:
    axes.text(
        *position,
        string,
        transform=axes.transAxes,
        fontsize=canvas.points(size),
        color=TEXT,
        fontweight="bold" if bold else "normal",
        ha="center",
        va="center",
        path_effects=[withStroke(linewidth=canvas.points(2.8), foreground="black")],
    )
