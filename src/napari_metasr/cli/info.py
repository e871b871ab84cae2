"""``napari-metasr info``: what is known of a scan before anything is done to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from pydantic import Field

from napari_metasr.acquisition import estimate
from napari_metasr.acquisition.description import UNKNOWN
from napari_metasr.cli.columns import in_columns
from napari_metasr.cli.parsing import Command, Flag, described, optional
from napari_metasr.io import read
from napari_metasr.io.contrast import known_contrast
from napari_metasr.io.names import READ_FORMATS
from napari_metasr.upscaling.job import Job
from napari_metasr.volume import SIGNS
from napari_metasr.weights import model_cards

if TYPE_CHECKING:
    from napari_metasr.acquisition import Acquisition
    from napari_metasr.volume import Volume


class Info(Command):
    """Describe a scan: geometry, stored and acquired resolution, noise, contrast, fitting models.

    The acquired resolution is estimated from the spectrum and read from DICOM headers; scanners
    store more pixels than they acquire, and a scale counts truly from what was acquired.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SCAN")] = Field(
        description=f"A brain MRI: {READ_FORMATS}, DICOM as a folder, a .zip or a file, or a gray "
        "picture."
    )
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    contrast: Annotated[str | None, optional("T1c|T1|T2|FLAIR|PD")] = Field(
        default=None, description="The contrast, where header and name do not tell it or are wrong."
    )
    json_: Annotated[Flag, tyro.conf.arg(name="json")] = Field(
        default=False, description="Print JSON instead of lines."
    )

    def run(self) -> None:
        """Read the scan, and print what is known of it."""
        stated = None if self.contrast is None else known_contrast(self.contrast)
        volume = read(self.input, series=self.series)
        found = estimate(volume, contrast=stated)
        if self.json_:
            print(json.dumps(as_json(volume, found), indent=2))
        else:
            print(in_columns(rows(volume, found)))


def geometry(volume: Volume) -> tuple[str, str]:
    """Describe size and spacing, and where the axes run to."""
    unit = SIGNS[volume.source.unit]
    size = " x ".join(map(str, reversed(volume.spatial_shape)))
    spacing = " x ".join(f"{one:.3g}" for one in reversed(volume.spacing[-3:]))
    times = f", {volume.time_points} time points" if volume.time_points > 1 else ""
    return f"{size}, {spacing} {unit}{times}", _orientation(volume) or UNKNOWN


def _orientation(volume: Volume) -> str | None:
    """Return where the axes run to; None where the header does not say so."""
    return volume.source.orientation if volume.source.is_oriented else None


def fitting(found: Acquisition) -> list[str] | None:
    """List the models that were trained on the scan's contrast; None if it is not known."""
    if found.contrast is None:
        return None
    cards = model_cards().items()
    return [
        name
        for name, card in cards
        if card.super_resolves and found.contrast in card.trained_contrasts
    ]


def rows(volume: Volume, found: Acquisition) -> list[tuple[str, str]]:
    """Describe a scan: a name and a value for each line."""
    size, orientation = geometry(volume)
    models = fitting(found)
    told = UNKNOWN if models is None else ", ".join(models) or "none"
    low_high = found.intensity_range
    first, *others = found.lines
    lines = [line.partition(": ") for line in others]
    return [
        ("scan", str(volume.source.name)),
        ("size", size),
        ("orientation", orientation),
        ("resolution", first),
        *((name, value) for name, _, value in lines),
        ("intensities", UNKNOWN if low_high is None else f"{low_high[0]:g} to {low_high[1]:g}"),
        ("trained on the like", told),
    ]


def as_json(volume: Volume, found: Acquisition) -> dict[str, Any]:
    """Describe the same in numbers, beside the lines."""
    return {
        "name": volume.source.name,
        "shape": list(reversed(volume.spatial_shape)),
        "spacing": list(reversed(volume.spacing[-3:])),
        "unit": volume.source.unit,
        "time_points": volume.time_points,
        "orientation": _orientation(volume),
        "acquisition": found.model_dump(mode="json"),
        "lines": list(found.lines),
        "concerns": list(volume.source.concerns),
        "models": fitting(found),
    }
