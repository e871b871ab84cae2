"""Search for tumours on the command line, with a progress bar and warnings."""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_metasr.cli.columns import in_columns
from napari_metasr.lesions.search import Found, Judged, Searched, find
from napari_metasr.volume import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.lesions import Lesion
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Plane, Volume


def search(
    volume: Volume, plane: Plane, detector: Detector, *, index: int | None = None, time: int = 0
) -> tuple[tuple[Lesion, ...], tuple[str, ...]]:
    """Search a volume or one of its slices for lesions: return them, best first, and concerns.

    Raises
    ------
    ValueError
        If the detector cannot be asked, or there is no such slice or time point.

    Warns
    -----
    UserWarning
        For every concern about the detector on this image.
    """
    with ExitStack() as stack:
        bar, found = None, Found((), ())
        for step in find(volume, plane, detector, index=index, time=time):
            match step:
                case Judged(concerns, total):
                    for concern in concerns:
                        warnings.warn(concern, stacklevel=2)
                    bar = stack.enter_context(_bar(total))
                case Searched() if bar is not None:
                    bar.update()
                case Found():
                    found = step
    return found.lesions, found.concerns


def _bar(total: int) -> tqdm:
    """Make a progress bar of slices, which is hidden for a single one."""
    return tqdm(
        total=total,
        desc="looking for tumours",
        unit="slice",
        file=sys.stderr,
        disable=total == 1,
    )


def table(lesions: Sequence[Lesion], volume: Volume) -> str:
    """Tabulate lesions: number, score, slices, which to look at, size and volume."""
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
