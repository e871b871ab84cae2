"""Animate a continuous zoom, interpolation beside super-resolution, as GIF, WebP or MP4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from napari_metasr.figures.frames import (
    BACKGROUND,
    MUTED,
    TEXT,
    check_animation,
    draw_letters,
    draw_scale_bar,
    font,
    save_frames,
    words,
)
from napari_metasr.geometry.display import as_displayed
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import cast_to_dtype, unit_range
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.zoom.protocols import Engine

FRAMES = 48
PANEL = 360
GAP = 12
HEADER = 56
FOOTER = 62
FRAME_MS = 70
HOLD_MS = 1500


@dataclass(frozen=True)
class Zoom:
    """One frame's view of the slice.

    Attributes
    ----------
    scale
        Output pixels for each low-resolution pixel, rows and columns.
    centre
        The middle of the view, in low-resolution pixel edges.
    spacing
        mm between output pixels.
    """

    scale: tuple[float, float]
    centre: tuple[float, float]
    spacing: float


def zoom_path(
    shape: tuple[int, int], spacing: tuple[float, float], window: Window, frames: int
) -> list[Zoom]:
    """Compute the views of a zoom from the whole slice, or what scale 1 shows, to a window.

    The scale grows by a constant factor, slower at both ends, about one fixed point.

    Raises
    ------
    ValueError
        If there are fewer than two frames.
    """
    if frames < 2:
        raise ValueError(f"an animation needs at least 2 frames, found {frames}")
    top, left, bottom, right = window
    finest = min(spacing)
    first = min(max(shape[0] * spacing[0], shape[1] * spacing[1]) / PANEL, finest)
    last = min(max((bottom - top) * spacing[0], (right - left) * spacing[1]) / PANEL, first)
    start = np.array(shape) / 2
    target = np.array([top + bottom, left + right]) / 2
    views = []
    for t in np.linspace(0, 1, frames):
        step = first * (last / first) ** (t * t * (3 - 2 * t))
        gone = (first - step) / (first - last) if last < first else t
        y, x = start + (target - start) * gone
        views.append(Zoom((spacing[0] / step, spacing[1] / step), (float(y), float(x)), step))
    return views


def zoom_end(region: Window, scale: float, spacing: tuple[float, float]) -> Window:
    """Return where a zoom into the middle of a region ends, to show it at a scale.

    Parameters
    ----------
    scale
        Of the axis with the smaller spacing.
    """
    extent = PANEL * min(spacing) / scale
    return Window.around(region.centre, extent / spacing[0], extent / spacing[1])


def save_animation(path: Path, *arguments: Any, **options: Any) -> Path:
    """Write the animation and return its path; see `animation_steps`."""
    for _ in animation_steps(path, *arguments, **options):
        pass
    return path


def animation_steps(
    path: Path,
    image: NDArray[Any],
    model: Engine,
    *,
    title: str,
    trained_scales: tuple[float, float],
    view: View,
    spacing: tuple[float, float],
    window: Window,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float] | None = None,
    frames: int = FRAMES,
    overwrite: bool = False,
) -> Iterator[int]:
    """Write the animation frame by frame; a GIF gets as many grey levels as fit into 4 MB.

    Parameters
    ----------
    image, spacing
        The low-resolution slice, (rows, columns), and mm between them.
    model, title, trained_scales
        The model, its name to show, and the scales it was trained on.
    window
        Where the zoom ends, in low-resolution pixel edges.
    intensity_range, value_range
        Ranges of the volume; see ``ZoomModel.encode``.

    Yields
    ------
    int
        How many frames are drawn; the file is there after the last one.

    Raises
    ------
    ValueError
        If the path ends neither in ``.gif`` nor in ``.webp`` nor in ``.mp4``, there are fewer
        than 2 frames, or what writes MP4 is not installed.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written; nothing is rendered then.
    """
    check_animation(path, overwrite=overwrite)
    encoded = model.encode(image, intensity_range=intensity_range, value_range=value_range)
    shape = (image.shape[0], image.shape[1])
    pictures: list[Image.Image] = []
    for zoom in zoom_path(shape, spacing, window, frames):
        part, grid = _visible(zoom, shape), OutputGrid.at_scale(shape, zoom.scale)
        interpolated = interpolate(
            image, zoom.scale, part, method="bicubic", value_range=value_range
        )
        panels = [
            _panel(rendered, part, grid, zoom, view)
            for rendered in (interpolated, model.render(encoded, zoom.scale, part))
        ]
        pictures.append(_frame(panels, title, zoom, trained_scales, view))
        if len(pictures) < frames:
            yield len(pictures)
    durations = [HOLD_MS // 2, *[FRAME_MS] * (frames - 2), HOLD_MS]
    save_frames(path, pictures, durations, words(title), overwrite=overwrite)
    yield frames


def _visible(zoom: Zoom, shape: tuple[int, int]) -> Window:
    """Return what a panel shows of the slice, and a few pixels around it for the final shift."""
    height, width = (PANEL / factor + 4 for factor in zoom.scale)
    return Window.around(zoom.centre, height, width).clipped(shape)


def _panel(
    rendered: NDArray[Any], part: Window, grid: OutputGrid, zoom: Zoom, view: View
) -> Image.Image:
    """Show the rendered part as a square, seen through the frame's view.

    Output pixels lie on whole positions of their grid; the view moves by fractions of one. Both
    methods are shifted by what is left (bicubic, less than a pixel), or the picture would tremble
    while it grows.
    """
    first = grid.pixel_range(part)[:2]
    steps, starts = [], []
    for axis, start in enumerate(first):
        true_scale = grid.true_scale[axis]
        steps.append(true_scale / zoom.scale[axis])
        edge = zoom.centre[axis] - PANEL / 2 / zoom.scale[axis]
        starts.append(edge * true_scale - start)
    shown = Image.fromarray(unit_range(rendered, view.contrast_limits)).transform(
        (PANEL, PANEL),
        Image.Transform.AFFINE,
        (steps[1], 0, starts[1], 0, steps[0], starts[0]),
        Image.Resampling.BICUBIC,
    )
    grey = cast_to_dtype(255 * as_displayed(np.asarray(shown), view.orientation2d), np.uint8)
    return Image.fromarray(np.ascontiguousarray(grey))


def _frame(
    panels: list[Image.Image],
    title: str,
    zoom: Zoom,
    trained_scales: tuple[float, float],
    view: View,
) -> Image.Image:
    """Draw both panels with titles, letters, a scale bar and the text below."""
    width = 2 * PANEL + 3 * GAP
    frame = Image.new("L", (width, HEADER + PANEL + FOOTER), BACKGROUND)
    draw = ImageDraw.Draw(frame)
    rows, columns = zoom.scale
    scale = f"×{rows:.2f}" if rows == columns else f"×{rows:.2f} × {columns:.2f}"
    for place, (name, panel) in enumerate(zip(("Bicubic", title), panels, strict=True)):
        left = GAP + place * (PANEL + GAP)
        frame.paste(panel, (left, HEADER))
        draw.text((left + 2, HEADER / 2), name, TEXT, font(20, bold=True), "lm")
        draw.text((left + PANEL - 2, HEADER / 2), scale, TEXT, font(20), "rm")
        draw_letters(draw, view.letters, (left, HEADER), (PANEL, PANEL))
        draw_scale_bar(draw, zoom.spacing, view.unit, (left, HEADER), (PANEL, PANEL))
    low, high = trained_scales
    beyond = (
        ""
        if low <= min(zoom.scale) and max(zoom.scale) <= high
        else (f" · outside the trained scales {low:g} to {high:g}")
    )
    base = HEADER + PANEL
    draw.text(
        (GAP + 2, base + 20),
        f"{zoom.spacing:.2f} {view.unit} a pixel{beyond}",
        TEXT,
        font(16),
        "lm",
    )
    draw.text((GAP + 2, base + 44), words(title), MUTED, font(14), "lm")
    return frame
