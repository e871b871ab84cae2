"""Looking for tumours from the command line: with a progress bar, and warnings where due."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_metasr.cli.columns import in_columns
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.link import link
from napari_metasr.lesions.search import look_through
from napari_metasr.lesions.suitability import concerns
from napari_metasr.volume import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.lesions import Lesion
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Plane, Volume


def search(
    volume: Volume, plane: Plane, detector: Detector, *, index: int | None = None, time: int = 0
) -> tuple[tuple[Lesion, ...], tuple[str, ...]]:
    """The lesions of a volume or of one of its slices, best first, and what to know of them.

    Raises
    ------
    ValueError
        If the detector cannot be asked, or there is no such slice or time point.

    Warns
    -----
    UserWarning
        For everything that speaks against trusting the detector here.
    """
    doubts = concerns(volume, plane, detector.point, time=time)
    for doubt in doubts:
        warnings.warn(doubt, stacklevel=2)
    count = volume.slice_count(plane) if index is None else 1
    with tqdm(
        look_through(volume, plane, detector, index=index, time=time),
        total=count,
        desc="looking for tumours",
        unit="slice",
        file=sys.stderr,
        disable=count == 1,
    ) as progress:
        slices = dict(progress)
    return link(slices, plane, volume.slice_spacing(plane)), doubts


def finder_of(detector: Detector) -> Finder:
    """How a detector is named in what is written."""
    return Finder(
        kind="detector",
        name=detector.name,
        title=detector.title,
        sha256=detector.sha256,
        point=detector.point,
    )


def table(lesions: Sequence[Lesion], volume: Volume) -> str:
    """Lesions as text: number, score, slices, which to look at, size and volume."""
    spacing = (1.0, *volume.spacing)[-3:]
    unit = SIGNS[volume.source.unit]
    lines = [("lesion", "score", "slices", "look at", f"size x, y, z ({unit})", f"{unit}³")]
    for number, lesion in enumerate(lesions, start=1):
        first, last = min(lesion.detections), max(lesion.detections)
        lines.append(
            (
                str(number),
                f"{lesion.score:.2f}",
                str(first) if first == last else f"{first}-{last}",
                str(lesion.middle),
                " x ".join(f"{size:.1f}" for size in lesion.extent(spacing)[::-1]),
                f"{lesion.volume(spacing):,.0f}",
            )
        )
    return in_columns(lines, right=range(len(lines[0])))
