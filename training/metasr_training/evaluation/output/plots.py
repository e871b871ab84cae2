"""Curves, with the same colours and marks everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_metasr.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, that people with any colour vision tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8B6D00")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "<")
MARKED_POINTS = 40
PANEL_INCHES = (4.6, 3.4)
COLUMNS = 3
DPI = 110


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes
    ----------
    label
        In the legend.
    x, y
        Points.
    reference
        Whether it is what others are held against: gray and dashed.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    reference: bool = False


@dataclass(frozen=True)
class Panel:
    """Curves over the same axes."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]


def save_plot(path: Path, panels: Sequence[Panel], heading: str) -> Path:
    """Write panels of curves as one PNG; a method has the same colour in all of them.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not any(panel.lines for panel in panels):
        raise ValueError(f"{path.name}: expected at least one curve, found none")
    labels = [line.label for panel in panels for line in panel.lines if not line.reference]
    order = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    with rc_context({"font.family": "DejaVu Sans", "font.size": 9}):
        size = (PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.5)
        figure = Figure(size, dpi=DPI, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(heading, fontsize=11, parse_math=False)
        axes = figure.subplots(rows, columns, squeeze=False)
        for place, cell in enumerate(axes.flat):
            if place < len(panels):
                _draw(cell, panels[place], order)
            else:
                cell.set_axis_off()
        with replacing(path, overwrite=True) as temporary:
            figure.savefig(temporary, format="png", metadata={"Description": heading})
    return path


def _draw(axes: Axes, panel: Panel, order: dict[str, int]) -> None:
    for line in panel.lines:
        if line.reference:
            axes.plot(line.x, line.y, "--", color="#777777", linewidth=1.3, label=line.label)
            continue
        place = order[line.label]
        axes.plot(
            line.x,
            line.y,
            color=COLOURS[place % len(COLOURS)],
            marker=MARKS[place % len(MARKS)] if len(line.x) <= MARKED_POINTS else None,
            markersize=4,
            linewidth=1.3,
            label=line.label,
        )
    axes.set_title(panel.title, fontsize=10, parse_math=False)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
