"""Picture the marks of risk on a tumour, and on the same slice with dots put in.

Usage::

    python scripts/picture_marks.py SCAN.nii.gz marks.png --slice 69 --region 112,64,80,80
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Ellipse

from napari_metasr.figures.canvas import DPI, Canvas
from napari_metasr.figures.panel import View, draw_panel
from napari_metasr.figures.rendition import Slice, mark, render
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.io import read
from napari_metasr.normalisation import brain_limits
from napari_metasr.trust.own_slices import own_slices
from napari_metasr.trust.risk import load_risk_model, scan_guarantee
from napari_metasr.trust.survival import Layout
from napari_metasr.volume import Plane
from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    from napari_metasr.figures.rendition import Rendition

DIAMETER = 3.0
"""Of the dots, in mm."""

CONTRAST = 0.5
"""Brightness of the dots beyond their surroundings, as a share of the median of the slice."""

DOTS = 8
WIDTH, GAP, HEADING, LETTERS = 420, 14, 30, 15
INK, RING = "#1d2429", "#66e08a"


def main() -> None:
    """Render both slices and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--slice", type=int, required=True)
    parser.add_argument("--region", type=Window.parse, required=True)
    parser.add_argument("--scale", type=float, default=2.0)
    options = parser.parse_args()
    volume, region, scale = read(options.scan), options.region, options.scale
    plane = Plane.AXIAL
    (truth,) = own_slices(volume, plane, 1, index=options.slice, region=region)
    level = float(np.median(truth.image[truth.head])) - volume.intensity_range[0]
    layout = Layout.of(
        truth,
        DIAMETER,
        volume.plane_spacing(plane),
        scale=1.0,
        contrast=CONTRAST * level,
        most=DOTS,
        rng=np.random.default_rng(0),
    )
    as_it_is = Slice(truth.image, volume, plane, options.slice)
    model, head = load_model(device="cpu"), load_risk_model(device="cpu")
    low, high = volume.value_range
    intensities, values = volume.intensity_range, (low, max(high, float(layout.image.max())))
    grid = OutputGrid.at_scale(truth.image.shape, scale)
    guarantee = scan_guarantee(head.risk_card, volume, plane, grid.true_scale)
    renditions = []
    for image in (truth.image, layout.image):
        rendition = render(
            model,
            replace(as_it_is, image=image),
            grid,
            region,
            intensity_range=intensities,
            value_range=values,
        )
        renditions.append(
            mark(head, rendition, guarantee, intensity_range=intensities, value_range=values)
        )
    view = View.of(volume, plane, brain_limits(volume.data))
    draw(options.output, renditions, layout, view, scale)
    for rendition in renditions:
        print(rendition.remark)


def draw(path: Path, renditions: list[Rendition], layout: Layout, view: View, scale: float) -> None:
    """Draw the scan, the result and its marks, without dots above and with them below."""
    region = renditions[0].window
    height = round(WIDTH * region.height / region.width)
    row = height + HEADING + GAP
    canvas = Canvas(3 * WIDTH + 2 * GAP, 2 * row, "white")
    titles = (
        ("The scan", f"Meta-SRGAN, ×{scale:g}", "With risk marks"),
        (f"With dots of {DIAMETER:g} mm, ringed", f"Meta-SRGAN, ×{scale:g}", "With risk marks"),
    )
    for number, (rendition, headings) in enumerate(zip(renditions, titles, strict=True)):
        top, left, bottom, right = region.pixels(rendition.slice.image.shape)
        marks = None if rendition.marks is None else rendition.marks.marked
        pictures = (
            (rendition.slice.image[top:bottom, left:right], rendition.slice.spacing, None),
            (rendition.super_resolved, rendition.spacing, None),
            (rendition.super_resolved, rendition.spacing, marks),
        )
        for column, ((image, spacing, marked), heading) in enumerate(
            zip(pictures, headings, strict=True)
        ):
            x, y = column * (WIDTH + GAP), number * row + HEADING
            canvas.text(heading, x, y - HEADING / 2, 18, color=INK, bold=True)
            axes = draw_panel(
                canvas, image, spacing, view, left=x, top=y, width=WIDTH, height=height,
                size=LETTERS, marked=marked,
            )  # fmt: skip
            if number == 1 and column == 0:
                for place in layout.chosen:
                    around = Window.around(
                        (place.row + 1 / 2 - top, place.column + 1 / 2 - left), 7.0, 7.0
                    )
                    box = view.rectangle(around, image.shape)
                    centre = (box[0] + box[2] / 2, box[1] + box[3] / 2)
                    axes.add_patch(Ellipse(centre, *box[2:], fill=False, edgecolor=RING))
    canvas.figure.savefig(path, dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    main()
