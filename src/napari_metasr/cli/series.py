"""``napari-metasr series``: list DICOM series, with concerns about each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.columns import in_columns
from napari_metasr.cli.parsing import Command

if TYPE_CHECKING:
    from napari_metasr.io.dicom.finding import Listing
    from napari_metasr.io.dicom.series import Series

HEADING = ("series", "modality", "description", "matrix", "slices", "times", "spacing (mm)", "axes")
NUMBERS = (0, 3, 4, 5, 6)


class ListSeries(Command):
    """List the DICOM series in a folder, a .zip file or a file, with concerns about each.

    `upscale`, `zoom`, `detect`, `trust`, `info`, `replay` and `cohort` take the number in the first
    column, or the description, as `--series`.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")] = Field(
        description="A folder, which is searched recursively, a .zip file or a DICOM file."
    )

    def run(self) -> None:
        """Print a row for every series, its notes below it, and other findings."""
        from napari_metasr.io.dicom.choice import none_found
        from napari_metasr.io.dicom.finding import find_series

        found = find_series(self.input)
        if not found.series:
            raise ValueError(f"{self.input}: {none_found(found)}")
        print(listed(found))


def listed(found: Listing) -> str:
    """Tabulate series: columns x rows, spacing of columns, rows and slices, and their axes.

    Axes say where columns, rows and slices run to: ``LPS`` is to the patient's left, back and head.
    """
    heading, *rows = in_columns([HEADING, *map(_row, found.series)], right=NUMBERS).splitlines()
    lines = [heading]
    for series, row in zip(found.series, rows, strict=True):
        lines.append(row)
        notes = [*filter(None, [series.part]), *series.remarks, *series.concerns]
        if series.refusal is not None:
            notes.append(f"no volume: {series.refusal}")
        lines += [f"    {note}" for note in notes]
    return "\n".join([*lines, *(f"besides: {other}" for other in found.left_out)])


def _row(series: Series) -> tuple[str, ...]:
    known = series.refusal is None
    return (
        series.number,
        series.modality,
        series.description,
        " x ".join(map(str, series.matrix)),
        str(series.slices if known else series.images),
        str(series.time_points if known else "-"),
        " x ".join(f"{size:.3f}" for size in series.spacing) if known else "-",
        series.orientation if known else "-",
    )
