"""Show one slice through the scales, as in figure 8 of Tan, Zhu and Lio' (2020).

The slice reduced by 4 is the input and stays fixed; at each scale r the truth is the slice
reduced by 4/r. Interpolation stands above super-resolution, and both above the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.degradations import degrade
from napari_metasr.figures.canvas import FONT, MARGIN, MUTED, TEXT, Canvas
from napari_metasr.figures.caption import quality_text, scale_text, spacing_text
from napari_metasr.figures.panel import TILE, TILE_GAP, draw_panel, panel_size
from napari_metasr.files import check_writable
from napari_metasr.geometry.grids import OutputGrid, output_size
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.quality.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.geometry.windows import Window
    from napari_metasr.quality.trial import Trial
    from napari_metasr.zoom.protocols import Engine

REDUCTION = 4
SCALES = (1.5, 2.0, 2.5, 3.0, 3.7, 4.0)


def run_sequence(
    image: NDArray[Any],
    model: Engine,
    *,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float] | None = None,
    scales: Sequence[float] = SCALES,
) -> tuple[NDArray[Any], list[Trial]]:
    """Reduce a slice by 4 and super-resolve it to every scale.

    Parameters
    ----------
    image
        (rows, columns), at least 4 of each; the last one to three that make no whole
        low-resolution pixel are left out.
    intensity_range, value_range
        As for `run_trial`.

    Returns
    -------
    low_resolution, trials
        The input, and a trial for each scale.

    Raises
    ------
    ValueError
        If the slice is too small, or a scale lies outside 1 to 4.
    """
    if min(image.shape) < REDUCTION:
        raise ValueError(f"expected a slice of at least 4 x 4 pixels, found shape {image.shape}")
    if not scales or not all(1 <= scale <= REDUCTION for scale in scales):
        raise ValueError(f"the sequence shows scales of 1 to {REDUCTION}, found {list(scales)}")
    rows, columns = (size // REDUCTION for size in image.shape)
    whole = image[: REDUCTION * rows, : REDUCTION * columns]
    low_resolution = degrade(whole, (rows, columns), "bicubic")
    trials = []
    for scale in scales:
        truth = degrade(whole, (output_size(rows, scale), output_size(columns, scale)), "bicubic")
        trials.append(
            run_trial(
                low_resolution,
                truth,
                model,
                intensity_range=intensity_range,
                value_range=value_range,
            )
        )
    return low_resolution, trials


def save_sequence(
    path: Path,
    low_resolution: NDArray[Any],
    trials: Sequence[Trial],
    *,
    view: View,
    spacing: tuple[float, float],
    window: Window,
    model: str,
    heading: str,
    details: str = "",
    overwrite: bool = False,
) -> Path:
    """Write the sequence as PNG or PDF: a column for each scale, PSNR and SSIM on each picture.

    Parameters
    ----------
    low_resolution, trials
        As `run_sequence` returns them.
    spacing
        mm between the low-resolution slice's rows and columns.
    window
        The part that is shown, in low-resolution pixel edges. PSNR and SSIM are of the brain's
        bounding box.
    model
        The model's title.
    heading, details
        What is shown: a name, and where in it.

    Raises
    ------
    ValueError
        If the path ends neither in ``.png`` nor in ``.pdf``, or the window holds no pixel.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written; nothing is drawn then.
    """
    check_writable(path, overwrite=overwrite)
    shown = _part(low_resolution, (1.0, 1.0), window)
    width, height = panel_size(shown.shape, spacing, longest=TILE)
    column = max(width, TILE)
    row = height + round(1.9 * FONT)
    label = round(2.2 * FONT)
    top = round(MARGIN + 5.6 * FONT)
    caption = (
        f"The slice reduced by {REDUCTION} (antialiased bicubic, "
        f"{spacing_text(spacing, view.unit)}) is the "
        f"input, super-resolved by {model}; the truth at each scale is the slice reduced by "
        f"{REDUCTION}/scale. PSNR and SSIM in the brain's bounding box; {RESEARCH_USE}."
    )
    page_width = 2 * MARGIN + column + label + len(trials) * (column + TILE_GAP) - TILE_GAP
    inner = page_width - 2 * MARGIN
    lines = Canvas(page_width, 100).lines(caption, 0.9 * FONT, inner)
    page_height = round(top + 3 * row + 1.5 * FONT * len(lines) + MARGIN)

    canvas = Canvas(page_width, page_height)
    canvas.text(heading, MARGIN, MARGIN + 0.6 * FONT, 1.25 * FONT, bold=True, max_width=inner)
    canvas.text(details, MARGIN, MARGIN + 2.3 * FONT, 0.9 * FONT, color=MUTED, max_width=inner)

    def tile(image: NDArray[Any], scale: tuple[float, float], left: int, line_top: int) -> None:
        output_spacing = (spacing[0] / scale[0], spacing[1] / scale[1])
        draw_panel(
            canvas, _part(image, scale, window), output_spacing, view, width=width, height=height,
            left=left + (column - width) // 2, top=line_top, size=0.8 * FONT,
        )  # fmt: skip

    for line, title in enumerate(("Bicubic", model, "Truth")):
        y = top + line * row + height / 2
        canvas.text(title, MARGIN + column + label / 2, y, FONT, align="center", rotation=90)
    canvas.text("Input", MARGIN + column / 2, top + row - 0.9 * FONT, FONT, align="center")
    tile(low_resolution, (1.0, 1.0), MARGIN, top + row)
    for place, trial in enumerate(trials):
        left = MARGIN + column + label + place * (column + TILE_GAP)
        middle = left + column / 2
        title = scale_text(trial.scale)
        canvas.text(title, middle, top - 0.9 * FONT, FONT, align="center", max_width=column)
        for line, image in enumerate((trial.interpolated, trial.super_resolved, trial.truth)):
            tile(image, trial.scale, left, top + line * row)
        qualities = [
            trial.quality(image, in_box=True)
            for image in (trial.interpolated, trial.super_resolved)
        ]
        best = max(quality.psnr for quality in qualities)
        for line, quality in enumerate(qualities):
            canvas.text(
                quality_text(quality), middle, top + line * row + height + 0.9 * FONT,
                0.85 * FONT, align="center", color=TEXT if quality.psnr == best else MUTED,
                max_width=column,
            )  # fmt: skip
    for number, text in enumerate(lines):
        y = top + 3 * row + (0.5 + 1.5 * number) * FONT
        canvas.text(text, MARGIN, y, 0.9 * FONT, color=MUTED)
    return canvas.save(path, caption, overwrite=overwrite)


def _part(image: NDArray[Any], scale: tuple[float, float], window: Window) -> NDArray[Any]:
    """Return what a window, in low-resolution pixel edges, shows of an image at a scale."""
    shape = tuple(round(size / factor) for size, factor in zip(image.shape, scale, strict=True))
    grid = OutputGrid.at_scale(shape, scale)
    i0, j0, i1, j1 = grid.pixel_range(window)
    return image[i0:i1, j0:j1]
