"""The pictures of a report: slices beside each other, and curves."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from PIL import Image

from napari_metasr.figures.canvas import DPI, STYLE, Canvas
from napari_metasr.figures.panel import View, draw_panel
from napari_metasr.figures.report.document import Picture
from napari_metasr.geometry.display import as_displayed
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import unit_range
from napari_metasr.trust.own_slices import METHODS, NETWORK
from napari_metasr.trust.sentences import NAMES
from napari_metasr.trust.survival import SURVIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_metasr.trust.proof import Example, LesionExample, Proof
    from napari_metasr.trust.survival import Survival

WIDTH = 1000
GAP = 12
HEADING = 26
LETTERS = 13
AROUND = 6
"""Pixels of the slice around the head that are shown."""

INK = "#1d2429"
COLOURS = {"network": "#c77700", "bicubic": "#2b6cb0", "lanczos": "#4a7c59"}
MARKERS = {"network": "o", "bicubic": "s", "lanczos": "^"}
SEEN, MISSED = "#66e08a", "#ff5a4f"
ERRORS = "magma"
LARGEST_ERROR = 0.15
"""Error, as a share of the intensity range, that is shown brightest."""

LEVELS = 192
"""Colours of a picture of slices, so that pages stay small."""


def _view(proof: Proof) -> View:
    return View(proof.plane, proof.display, is_oriented=proof.is_oriented, unit=proof.unit)


def _saved(figure: Figure, size: tuple[int, int], caption: str, *, colours: int = 0) -> Picture:
    buffer = BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    if colours:
        full = Image.open(buffer).convert("RGB")
        buffer = BytesIO()
        full.quantize(colours, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return Picture(buffer.getvalue(), size, caption)


class _Row:
    """Panels of a slice beside each other, cropped to the head."""

    def __init__(self, proof: Proof, shown: NDArray[np.bool_], rows: int) -> None:
        self._proof = proof
        found = np.nonzero(shown)
        self.crop = tuple(
            slice(max(int(places.min()) - AROUND, 0), min(int(places.max()) + AROUND + 1, size))
            for places, size in zip(found, shown.shape, strict=True)
        )
        height, width = (
            (part.stop - part.start) * step
            for part, step in zip(self.crop, proof.spacing, strict=True)
        )
        self.width = (WIDTH - (len(METHODS)) * GAP) / (len(METHODS) + 1)
        self.height = self.width * height / width
        self.size = (WIDTH, round(rows * (self.height + HEADING + GAP)))
        self.canvas = Canvas(*self.size, "white")

    def _place(self, column: int, row: int, heading: str) -> tuple[float, float]:
        """Write a heading, and return the left and top edge of what is below it."""
        left = column * (self.width + GAP)
        top = row * (self.height + HEADING + GAP) + HEADING
        self.canvas.text(heading, left, top - HEADING / 2, 15, color=INK, bold=True)
        return left, top

    def slice(
        self,
        image: NDArray[Any],
        column: int,
        row: int,
        heading: str,
        marked: NDArray[np.bool_] | None = None,
    ) -> Axes:
        """Draw a slice of the truth's size, with marks where it may be wrong."""
        left, top = self._place(column, row, heading)
        return draw_panel(
            self.canvas,
            image[self.crop],
            self._proof.spacing,
            _view(self._proof),
            left=left,
            top=top,
            width=self.width,
            height=self.height,
            size=LETTERS,
            marked=None if marked is None else marked[self.crop],
        )

    def error(self, error: NDArray[Any], column: int, row: int, heading: str) -> None:
        """Draw the size of an error, in colours."""
        low, high = self._proof.intensity_range
        limits = (0.0, LARGEST_ERROR * (high - low))
        levels = as_displayed(unit_range(np.abs(error[self.crop]), limits))
        left, top = self._place(column, row, heading)
        colours = colormaps[ERRORS](levels)[..., :3]
        self.canvas.picture(colours, left, top, self.width, self.height)

    def position(self, axes: Axes, row: float, column: float, diameter: float, colour: str) -> None:
        """Draw a ring around a place, given in pixels of the slice."""
        rows, columns = self.crop
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        spacing = self._proof.spacing
        around = Window.around(
            (row + 1 / 2 - rows.start, column + 1 / 2 - columns.start),
            diameter / spacing[0],
            diameter / spacing[1],
        )
        left, top, width, height = _view(self._proof).rectangle(around, shape)
        centre = (left + width / 2, top + height / 2)
        axes.add_patch(Ellipse(centre, width, height, fill=False, edgecolor=colour, linewidth=1))


def example_picture(proof: Proof, example: Example) -> Picture:
    """Draw a slice as it is, reduced, enlarged by each method, and the errors of each."""
    truth = example.truth
    row = _Row(proof, truth.head, 2)
    reduced = _as_large(example.reduced, truth.image.shape)
    row.slice(truth.image, 0, 0, "The scan")
    row.slice(reduced, 0, 1, f"Reduced by ×{example.scale:g}")
    for column, method in enumerate(METHODS, start=1):
        result = example.results[method]
        row.slice(result, column, 0, NAMES[method].capitalize())
        row.error(result - truth.image, column, 1, "Its error")
    caption = (
        f"Slice {truth.index}, reduced by ×{example.scale:g} and enlarged again. Errors: black is "
        f"none, bright is {LARGEST_ERROR:.0%} of the scan's range of grey values or more."
    )
    return _saved(row.canvas.figure, row.size, caption, colours=LEVELS)


def marks_picture(proof: Proof, example: Example, marked: NDArray[np.bool_]) -> Picture:
    """Draw a slice, the network's result without and with marks of risk, and its error."""
    truth, result = example.truth, example.results[NETWORK]
    row = _Row(proof, truth.head, 1)
    row.slice(truth.image, 0, 0, "The scan")
    row.slice(result, 1, 0, f"Network, ×{example.scale:g}")
    row.slice(result, 2, 0, "With risk marks", marked)
    row.error(result - truth.image, 3, 0, "Its error")
    caption = (
        f"Slice {truth.index} at ×{example.scale:g}: hatched where the result may be wrong, beside "
        f"its true error (black is none, bright is {LARGEST_ERROR:.0%} of the range of grey "
        "values or more)."
    )
    return _saved(row.canvas.figure, row.size, caption, colours=LEVELS)


def _as_large(image: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Repeat the pixels of an image until it has a shape."""
    places = (np.arange(many) * few // many for few, many in zip(image.shape, shape, strict=True))
    return image[np.ix_(*places)]


def lesion_picture(proof: Proof, example: LesionExample) -> Picture:
    """Draw a slice with lesions, and which of them each method shows."""
    layout = example.layout
    row = _Row(proof, layout.truth.head, 1)
    images = {"The scan with lesions": (layout.image, None)} | {
        NAMES[method].capitalize(): (example.results[method], example.seen[method])
        for method in METHODS
    }
    size = layout.probe.diameter + 6 * max(proof.spacing)
    for column, (heading, (image, seen)) in enumerate(images.items()):
        axes = row.slice(image, column, 0, heading)
        for number, place in enumerate(layout.chosen):
            colour = "white" if seen is None else SEEN if seen[number] else MISSED
            row.position(axes, place.row, place.column, size, colour)
    caption = (
        f"Lesions of {layout.probe.diameter:.3g} {proof.unit} in slice {layout.truth.index} at "
        f"×{example.scale:g}, ringed: green where they are seen, red where they are missed."
    )
    return _saved(row.canvas.figure, row.size, caption, colours=LEVELS)


def gain_picture(proof: Proof) -> Picture:
    """Draw the gains over the better interpolation against the scale."""
    figure, axes = _plots(2, 300)
    scales = [gain.scale for gain in proof.gains]
    for one, name, gains in zip(
        axes,
        ("PSNR gained (dB)", "SSIM gained"),
        ([gain.psnr for gain in proof.gains], [gain.ssim for gain in proof.gains]),
        strict=True,
    ):
        spread = [
            [getattr(gain, end) if gain.has_interval else gain.mean for gain in gains]
            for end in ("low", "high")
        ]
        means = np.array([gain.mean for gain in gains])
        errors = np.abs(np.array(spread) - means)
        one.errorbar(
            scales, means, errors, color=COLOURS["network"], marker="o", capsize=4, linewidth=1.5
        )
        one.axhline(0, color=INK, linewidth=0.8)
        one.set(xlabel="scale", ylabel=name, xticks=scales)
        one.set_xticklabels([f"×{scale:g}" for scale in scales])
    intervals = ", with the interval of the mean over the slices" if proof.has_intervals else ""
    caption = (
        "How much nearer to the truth the network is than the better of bicubic and Lanczos "
        f"(above the line: nearer){intervals}."
    )
    return _saved(figure, (WIDTH, 300), caption)


def survival_picture(proof: Proof) -> Picture:
    """Draw the share of lesions seen, and the contrast that is left, against the diameter."""
    scales = sorted({one.scale for one in proof.survivals})
    height = 470
    figure, axes = _plots(len(scales), height, rows=2)
    columns = np.reshape(np.array(axes, object), (2, len(scales)))
    for column, scale in enumerate(scales):
        here = [one for one in proof.survivals if one.scale == scale and one.places]
        upper, lower = columns[:, column]
        _curves(upper, here, lambda one: 100 * one.seen)
        _curves(lower, here, lambda one: 100 * one.recovered)
        upper.axhline(100 * SURVIVES, color=INK, linewidth=0.8, linestyle=":")
        upper.set_title(f"×{scale:g}", fontsize=10)
        for one in (upper, lower):
            one.set_ylim(-4, 104)
        lower.set_xlabel(f"diameter ({proof.unit})")
    columns[0, 0].set_ylabel("lesions seen (%)")
    columns[1, 0].set_ylabel("contrast left (%)")
    columns[0, -1].legend(fontsize=8, frameon=False, loc="lower right")
    caption = (
        "Above: share of lesions that are seen, against their diameter; the dotted line is "
        f"{SURVIVES:.0%}. Below: how much of its contrast a lesion keeps, on average."
    )
    return _saved(figure, (WIDTH, height), caption)


def curves_at(proof: Proof, scale: float) -> Picture:
    """Draw the share of lesions seen at one scale, small, for a panel beside other controls."""
    size = (420, 270)
    with rc_context(STYLE):
        figure = Figure((size[0] / DPI, size[1] / DPI), dpi=DPI, layout="constrained")
        axes = figure.subplots()
    here = [one for one in proof.survivals if one.scale == scale and one.places]
    _curves(axes, here, lambda one: 100 * one.seen)
    axes.axhline(100 * SURVIVES, color=INK, linewidth=0.8, linestyle=":")
    axes.set(
        ylim=(-4, 104),
        xlabel=f"diameter of the lesion ({proof.unit})",
        ylabel=f"seen at ×{scale:g} (%)",
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if here:
        axes.legend(fontsize=9, frameon=False, loc="lower right")
    caption = f"Share of lesions that are seen at ×{scale:g}, against their diameter."
    return _saved(figure, size, caption)


def _curves(axes: Axes, here: Sequence[Survival], value: Callable[[Survival], float]) -> None:
    for method in METHODS:
        these = [one for one in here if one.method == method]
        axes.plot(
            [one.diameter for one in these],
            [value(one) for one in these],
            color=COLOURS[method],
            marker=MARKERS[method],
            markersize=4,
            linewidth=1.5,
            label=NAMES[method],
        )


def _plots(columns: int, height: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    with rc_context(STYLE):
        figure = Figure((WIDTH / DPI, height / DPI), dpi=DPI, layout="constrained")
        axes = figure.subplots(rows, columns, sharex=rows > 1, sharey="row" if rows > 1 else False)
    found = list(np.ravel(axes))
    for one in found:
        one.grid(alpha=0.25)
        one.spines[["top", "right"]].set_visible(False)
    return figure, found
