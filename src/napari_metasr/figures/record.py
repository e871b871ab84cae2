"""What lies beside a rendition's file: a JSON record of how it came about."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_metasr.figures.rendition import caption_of
from napari_metasr.files import check_writable, replacing
from napari_metasr.io.names import legible, record_path, volume_file
from napari_metasr.io.records import check_record
from napari_metasr.io.writer import check_source_kept
from napari_metasr.purpose import RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_metasr.figures.rendition import Marks, Rendition
    from napari_metasr.trust.correction import Correction


def record_of(rendition: Rendition) -> dict[str, Any]:
    """Return what is recorded, in BIDS's spelling; a DICOM source is not named."""
    cut, card, source = rendition.slice, rendition.card, rendition.slice.volume.source
    file = volume_file(source.path)
    return (
        {
            "Description": rendition.caption,
            "Purpose": RESEARCH_USE,
            "Sources": [] if file is None else [legible(file.name)],
            "Model": {"Name": card.name, "Title": card.title, "Sha256": card.sha256},
            "Scale": list(rendition.grid.true_scale),
            "Spacing": list(rendition.spacing),
            "Unit": source.unit,
            "Plane": str(cut.plane),
            "Slice": cut.index,
            "TimePoint": cut.time,
            "Window": list(rendition.window),
            "BeyondLocalRange": rendition.beyond,
            "Concerns": list(rendition.concerns),
        }
        | _consistency(rendition.correction)
        | _marks(rendition.marks)
        | ({"Told": rendition.told} if rendition.told else {})
    )


@contextmanager
def recorded(
    path: Path, renditions: Sequence[Rendition], *, overwrite: bool = False
) -> Iterator[None]:
    """Write the record of a picture beside it: both, or neither.

    It is written before the picture and gets its name after it.

    Parameters
    ----------
    path
        The picture's, which is written meanwhile; ``region.png`` has ``region.png.json``.
    renditions
        What it shows: one slice, or several of one window, scale and model; what differs from
        slice to slice is recorded as a list, in their order.

    Raises
    ------
    OSError, ValueError
        If either file may not be written, or would replace the source or a file of others.
    """
    beside, record = record_path(path), _record_of_all(renditions)
    check_writable(path, overwrite=overwrite)
    check_source_kept(beside, renditions[0].slice.volume.source)
    check_record(beside)
    with replacing(beside, overwrite=overwrite) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")
        yield


def _record_of_all(renditions: Sequence[Rendition]) -> dict[str, Any]:
    """Return the record of several slices: values that differ as lists."""
    record: dict[str, Any] = _together([record_of(one) for one in renditions])
    return record | {"Description": caption_of(renditions)}


def _together(values: Sequence[Any]) -> Any:
    """Return a value that all share, a list of values that differ; of records field by field."""
    first = values[0]
    if isinstance(first, dict):
        return {name: _together([one[name] for one in values]) for name in first}
    return first if all(one == first for one in values) else list(values)


def _marks(marks: Marks | None) -> dict[str, Any]:
    """Return what is recorded of marks."""
    if marks is None:
        return {}
    return {
        "Marks": {
            "Threshold": marks.guarantee.threshold,
            "MarkedShare": marks.share,
            "Guaranteed": marks.guarantee.holds,
            "Guarantee": marks.guarantee.sentence,
        }
    }


def _consistency(correction: Correction | None) -> dict[str, Any]:
    """Return what is recorded of a correction, distances in the source's units."""
    if correction is None:
        return {}
    return {
        "ConsistentWith": {
            "Acquisition": correction.assumption.title,
            "NoiseSigma": correction.assumption.noise,
            "DistanceFromScan": correction.distance,
            "DistanceFromScanBefore": correction.distance_before,
        }
    }
