"""Search a volume, or one of its slices, for lesions: step by step, so that it can be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.lesions.link import link
from napari_metasr.lesions.suitability import concerns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_metasr.io.protocols import SlicedVolume
    from napari_metasr.lesions.detection import Detection
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.lesions.lesion import Lesion
    from napari_metasr.volume import Plane


@dataclass(frozen=True)
class Judged:
    """The image has been compared with those that the detector was trained on.

    Attributes
    ----------
    concerns
        Reasons not to trust what it finds, as sentences.
    total
        Number of slices to search.
    """

    concerns: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class Searched:
    """``done`` of ``total`` slices have been searched."""

    done: int
    total: int


@dataclass(frozen=True)
class Found:
    """The search is over.

    Attributes
    ----------
    lesions
        The best first; none where none was found.
    concerns
        Reasons not to trust them.
    """

    lesions: tuple[Lesion, ...]
    concerns: tuple[str, ...]


def find(
    volume: SlicedVolume,
    plane: Plane,
    detector: Detector,
    *,
    index: int | None = None,
    time: int = 0,
    judge: Callable[[], tuple[str, ...]] | None = None,
) -> Iterator[Judged | Searched | Found]:
    """Judge a volume, search its slices and link what is found to lesions.

    Parameters
    ----------
    volume, plane, time
        Slices to search.
    detector
        What searches.
    index
        A single slice to search; by default all of them.
    judge
        Gives the concerns in place of ``suitability.concerns``, where they are known already.

    Yields
    ------
    Judged, Searched or Found
        Concerns first, then a step after every slice, the lesions last.

    Raises
    ------
    ValueError
        If the detector cannot be asked about this image, or there is no such slice or time point.
    """
    found = concerns(volume, plane, detector.point, time=time) if judge is None else judge()
    total = volume.slice_count(plane) if index is None else 1
    yield Judged(found, total)
    slices: dict[int, tuple[Detection, ...]] = {}
    for place, detections in look_through(volume, plane, detector, index=index, time=time):
        slices[place] = detections
        yield Searched(len(slices), total)
    yield Found(link(slices, plane, volume.slice_spacing(plane)), found)


def look_through(
    volume: SlicedVolume,
    plane: Plane,
    detector: Detector,
    *,
    index: int | None = None,
    time: int = 0,
) -> Iterator[tuple[int, tuple[Detection, ...]]]:
    """Detect tumours in all slices, or in one.

    Parameters
    ----------
    volume, plane, time
        Slices to search.
    detector
        What searches.
    index
        A single slice; by default all of them.

    Yields
    ------
    index, detections
        Every slice in ascending order, with what ``Detector.detect`` returns of it.

    Raises
    ------
    ValueError
        If there is no such slice or time point, or slices are too small.
    """
    if index is None:
        yield from detector.detect_slices(volume, plane, time)
        return
    image = volume.slice(plane, index, time)
    spacing = volume.plane_spacing(plane)
    yield index, detector.detect(image, volume.range_at(time), spacing=spacing)
