"""Draw interpolation beside super-resolution, and beside the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_metasr.figures.canvas import DPI, MARGIN, MM_PER_INCH, MUTED, POINTS_PER_INCH, Canvas
from napari_metasr.figures.caption import quality_text, scale_text, super_resolved_text
from napari_metasr.figures.panel import draw_colour_bar, draw_panel, panel_size
from napari_metasr.files import check_writable
from napari_metasr.quality.trial import Quality

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.geometry.windows import Window

GAP = 18
NARROWEST_COLUMN = 260
LEAST_POINTS = 6.0
"""Size of the text of a page whose width is given, before the smaller print."""


@dataclass(frozen=True)
class Inferred:
    """The part of an image that its source does not determine.

    Attributes
    ----------
    image
        (rows, columns), signed, in ``unit``.
    limit
        The largest size that is shown.
    unit
        Its name.
    """

    image: NDArray[Any]
    limit: float
    unit: str


@dataclass(frozen=True)
class Comparison:
    """The same window of a slice, interpolated and super-resolved.

    Attributes
    ----------
    interpolated, super_resolved
        (rows, columns) in array order, on the same grid, in the source's units.
    spacing
        mm between their rows and columns.
    scale
        The true scale of rows and columns.
    model
        The model's title, such as ``Meta-SRGAN``.
    heading, details
        Name of the image, and the place in it.
    interpolation
        The other method's title.
    truth
        The window as it really is, on the same grid, if it is known.
    data_range
        The difference between the largest and the smallest intensity, for PSNR and SSIM;
        needed with a truth.
    inferred
        What of the super-resolved image the source does not determine, if that is known.
    remark
        What else was done to it, for the caption.
    marked
        Where the super-resolved image may be wrong, if that is to be shown.
    """

    interpolated: NDArray[Any]
    super_resolved: NDArray[Any]
    spacing: tuple[float, float]
    scale: tuple[float, float]
    model: str
    heading: str
    details: str = ""
    interpolation: str = "Bicubic"
    truth: NDArray[Any] | None = None
    data_range: float | None = None
    inferred: Inferred | None = None
    remark: str = ""
    marked: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        for image in (self.super_resolved, self.truth):
            if image is not None and image.shape != self.interpolated.shape:
                raise ValueError(
                    "a comparison needs images of one shape, found "
                    f"{self.interpolated.shape} and {image.shape}"
                )
        if self.truth is not None and self.data_range is None:
            raise ValueError("a comparison with a truth needs a data range")

    def caption(self, unit: str) -> str:
        """Describe the super-resolved picture, with lengths in ``mm`` or ``px``."""
        return super_resolved_text(self.model, self.scale, self.spacing, unit, self.remark)


@dataclass(frozen=True)
class Locator:
    """The slice from which a window was taken.

    Attributes
    ----------
    image, spacing
        The whole low-resolution slice, (rows, columns), and mm between them.
    window
        The part that is super-resolved, in the slice's pixel edges.
    """

    image: NDArray[Any]
    spacing: tuple[float, float]
    window: Window


def save_comparison(
    path: Path,
    comparison: Comparison,
    *,
    view: View,
    locator: Locator | None = None,
    dpi: int = DPI,
    width_mm: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the side-by-side figure as PNG or PDF.

    From left to right: the whole slice with the window framed (with a locator), the truth
    (where known), interpolation, super-resolution; all in one intensity window and orientation,
    with letters and a scale bar; then, where known, the inferred part in its own colours. PSNR
    and SSIM stand below where a truth is known.

    Parameters
    ----------
    dpi
        Dots an inch of a PNG.
    width_mm
        Width of the page, whose text has at least 6 points then; by default 100 pixels of the
        layout are an inch.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ValueError
        If the path ends neither in ``.png`` nor in ``.pdf``.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written; nothing is drawn then.
    """
    check_writable(path, overwrite=overwrite)
    columns = _columns(comparison)
    width, height = panel_size(comparison.interpolated.shape, comparison.spacing)
    font = min(max(max(width, height) / 34, 15), 34)
    column = max(width, NARROWEST_COLUMN)
    thumbnail = None
    if locator is not None:
        longest = 0.55 * max(width, height)
        thumbnail = panel_size(locator.image.shape, locator.spacing, longest)

    inferred = comparison.inferred
    count = len(columns) + (inferred is not None)
    page_width = 2 * MARGIN + count * column + (count - 1) * GAP
    first = MARGIN
    if thumbnail is not None:
        first += max(thumbnail[0], round(0.7 * NARROWEST_COLUMN)) + GAP
        page_width += first - MARGIN
    if width_mm is not None:  # text that is read in print
        font = max(font, LEAST_POINTS / POINTS_PER_INCH * page_width * MM_PER_INCH / width_mm)
    head = round(MARGIN + 5.6 * font)
    body = max(height, thumbnail[1] if thumbnail else 0)
    probe = Canvas(page_width, 100)
    caption = probe.lines(comparison.caption(view.unit), 0.9 * font, page_width - 2 * MARGIN)
    noted = comparison.truth is not None or inferred is not None
    notes = 1.9 * font if noted else 0.6 * font
    page_height = round(head + body + notes + 1.5 * font * len(caption) + MARGIN)

    canvas = Canvas(page_width, page_height, width_mm=width_mm)
    inner = page_width - 2 * MARGIN
    canvas.text(
        comparison.heading, MARGIN, MARGIN + 0.6 * font, 1.25 * font, bold=True, max_width=inner
    )
    canvas.text(
        comparison.details, MARGIN, MARGIN + 2.3 * font, 0.9 * font, color=MUTED, max_width=inner
    )
    if locator is not None and thumbnail is not None:
        canvas.text("Slice", MARGIN, head - 0.9 * font, font, color=MUTED)
        draw_panel(
            canvas, locator.image, locator.spacing, view, left=MARGIN, top=head,
            width=thumbnail[0], height=thumbnail[1], size=0.8 * font, window=locator.window,
        )  # fmt: skip
    for place, (title, note, image) in enumerate(columns):
        left = round(first + place * (column + GAP) + (column - width) / 2)
        middle = left + width / 2
        canvas.text(title, middle, head - 0.9 * font, font, align="center", max_width=column)
        draw_panel(
            canvas, image, comparison.spacing, view, left=left, top=head, width=width,
            height=height, size=font,
            marked=comparison.marked if image is comparison.super_resolved else None,
        )  # fmt: skip
        canvas.text(
            note, middle, head + height + font, 0.9 * font, align="center", max_width=column
        )
    if inferred is not None:
        left = round(first + len(columns) * (column + GAP) + (column - width) / 2)
        middle = left + width / 2
        canvas.text("Inferred", middle, head - 0.9 * font, font, align="center", max_width=column)
        draw_panel(
            canvas, inferred.image, comparison.spacing, view, left=left, top=head, width=width,
            height=height, size=font, limit=inferred.limit,
        )  # fmt: skip
        draw_colour_bar(
            canvas, inferred.limit, inferred.unit, middle=middle - 2 * font,
            top=head + height + 0.6 * font, width=0.3 * column, size=font,
        )  # fmt: skip
    for number, line in enumerate(caption):
        y = head + body + notes + (0.9 + 1.5 * number) * font
        canvas.text(line, MARGIN, y, 0.9 * font, color=MUTED)
    return canvas.save(path, comparison.caption(view.unit), dpi=dpi, overwrite=overwrite)


def _columns(comparison: Comparison) -> list[tuple[str, str, NDArray[Any]]]:
    """List title, note and image of every panel, from left to right."""
    own = f"{comparison.model}  {scale_text(comparison.scale)}"
    columns = [
        (title, _note(comparison, image), image)
        for title, image in (
            (comparison.interpolation, comparison.interpolated),
            (own, comparison.super_resolved),
        )
    ]
    if comparison.truth is not None:
        columns.insert(0, ("Truth", "", comparison.truth))
    return columns


def _note(comparison: Comparison, image: NDArray[Any]) -> str:
    truth, data_range = comparison.truth, comparison.data_range
    if truth is None or data_range is None:
        return ""
    return quality_text(Quality.of(image, truth, data_range))
