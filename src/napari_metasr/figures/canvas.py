"""Draw pictures and text by the pixel on a dark page, saved whole or not at all."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_metasr.files import replacing
from napari_metasr.normalisation import cast_to_dtype

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from numpy.typing import NDArray

BACKGROUND = "#0f1113"
FRAME = "#33383d"
TEXT = "#eceff1"
MUTED = "#9aa3ab"
ACCENT = "#ffb74d"
DPI = 100
MARGIN = 28
FONT = 15
"""Size of text, in pixels of the layout."""
SUFFIXES = (".png", ".pdf")
POINTS_PER_INCH = 72
MM_PER_INCH = 25.4
STYLE: Any = {"font.family": "DejaVu Sans", "text.usetex": False, "pdf.fonttype": 42}


class Canvas:
    """A page measured in pixels from its top left corner.

    Parameters
    ----------
    width, height
        In pixels of the layout.
    background
        Colour of the page.
    width_mm
        Width of the page; by default 100 pixels of the layout are an inch.
    """

    def __init__(
        self,
        width: int,
        height: int,
        background: str = BACKGROUND,
        *,
        width_mm: float | None = None,
    ) -> None:
        self.width = width
        self.height = height
        per_inch = DPI if width_mm is None else width * MM_PER_INCH / width_mm
        self._points_per_pixel = POINTS_PER_INCH / per_inch
        with rc_context(STYLE):
            size = width / per_inch, height / per_inch
            self.figure = Figure(size, dpi=per_inch, facecolor=background)
            self._renderer = FigureCanvasAgg(self.figure).get_renderer()

    def picture(
        self, image: NDArray[Any], left: float, top: float, width: float, height: float
    ) -> Axes:
        """Show a picture of values 0..1 (first row on top) in a rectangle of the page.

        Its pixels are drawn as they are; they are averaged only where the rectangle has fewer.
        A grey one has shape (rows, columns), one in colours a last axis of red, green and blue.

        Returns
        -------
        Axes
            With coordinates in picture pixel edges, y downwards.
        """
        rows, columns = image.shape[:2]
        bottom = self.height - top - height
        axes = self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )
        levels = cast_to_dtype(255 * image, np.uint8)
        axes.imshow(
            # a colormap would round some levels of grey down
            levels if levels.ndim == 3 else np.stack([levels] * 3, axis=-1),
            aspect="auto",
            interpolation="none" if width >= columns and height >= rows else "auto",
            extent=(0, columns, rows, 0),
        )
        axes.set(xticks=[], yticks=[], facecolor="black")
        axes.spines[:].set(color=FRAME, linewidth=self.points(1.4))
        return axes

    def points(self, pixels: float) -> float:
        """Convert a length from pixels of the layout to points, as matplotlib takes it."""
        return pixels * self._points_per_pixel

    def text(
        self,
        string: str,
        x: float,
        y: float,
        size: float,
        *,
        color: str = TEXT,
        align: Literal["left", "center", "right"] = "left",
        bold: bool = False,
        max_width: float | None = None,
        rotation: float = 0,
    ) -> None:
        """Write one line, its middle at height ``y``, ``size`` pixels tall.

        A text longer than ``max_width`` loses its middle: both ends of a file's name matter.
        """
        with rc_context(STYLE):
            text = self.figure.text(
                x / self.width,
                1 - y / self.height,
                string,
                fontsize=self.points(size),
                color=color,
                ha=align,
                va="center",
                fontweight="bold" if bold else "normal",
                rotation=rotation,
                parse_math=False,
            )
            if max_width is None or self._width(text) <= max_width:
                return
            fitting, too_many = 1, len(string)
            while too_many - fitting > 1:
                kept = (fitting + too_many) // 2
                text.set_text(_without_middle(string, kept))
                fitting, too_many = (
                    (kept, too_many) if self._width(text) <= max_width else (fitting, kept)
                )
            text.set_text(_without_middle(string, fitting))

    def text_width(self, string: str, size: float) -> float:
        """Measure one line of text ``size`` pixels tall, in pixels."""
        with rc_context(STYLE):
            probe = self.figure.text(0, 0, string, fontsize=self.points(size), parse_math=False)
            width = self._width(probe)
            probe.remove()
        return width

    def lines(self, string: str, size: float, max_width: float) -> list[str]:
        """Break a text into lines that fit the width."""
        with rc_context(STYLE):
            probe = self.figure.text(0, 0, "", fontsize=self.points(size), parse_math=False)
            broken: list[str] = []
            for word in string.split(" "):
                longer = f"{broken[-1]} {word}" if broken else word
                probe.set_text(longer)
                if broken and self._width(probe) <= max_width:
                    broken[-1] = longer
                else:
                    broken.append(word)
            probe.remove()
        return broken

    def save(
        self, path: Path, description: str, *, dpi: int = DPI, overwrite: bool = False
    ) -> Path:
        """Write a PNG or a PDF that carries the description as metadata.

        Parameters
        ----------
        dpi
            Dots an inch of a PNG; at 100, of a page without a width in mm, a dot is a pixel.

        Raises
        ------
        ValueError
            If the path ends neither in ``.png`` nor in ``.pdf``.
        FileExistsError
            If the file exists and may not be overwritten.
        FileNotFoundError
            If its folder does not exist.
        """
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"{path}: a figure is written as .png or .pdf, found {suffix!r}")
        key = "Subject" if suffix == ".pdf" else "Description"
        with replacing(path, overwrite=overwrite) as temporary, rc_context(STYLE):
            content = BytesIO()  # a full disk is an error of the file alone, not of its encoder
            self.figure.savefig(content, dpi=dpi, format=suffix[1:], metadata={key: description})
            temporary.write_bytes(content.getbuffer())
        return path

    def _width(self, text: Text) -> float:
        return float(text.get_window_extent(self._renderer).width)


def _without_middle(string: str, kept: int) -> str:
    """Return the first and last characters of a text, ``kept`` in all."""
    tail = kept // 2
    return f"{string[: kept - tail]}…{string[len(string) - tail :]}"
