"""Looking through what is asked about: a whole volume, or one of its slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.lesions.detection import Detection
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Plane, Volume


def look_through(
    volume: Volume, plane: Plane, detector: Detector, *, index: int | None = None, time: int = 0
) -> Iterator[tuple[int, tuple[Detection, ...]]]:
    """Look for tumours in all slices or in one; whoever iterates may show progress, or stop.

    Parameters
    ----------
    volume, plane, time
        Which slices.
    detector
        What looks.
    index
        The slice; by default all of them.

    Yields
    ------
    index, detections
        Of every slice in ascending order, as ``Detector.detect`` returns them; made into a dict
        they are what `link` takes.

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
    yield index, detector.detect(image, volume.intensity_range, spacing=spacing)
