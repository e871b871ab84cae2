"""Find the boxes around lesions in which networks work: by a detector, or in a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.weights import model_card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_metasr.io.protocols import VolumeSpace
    from napari_metasr.lesions.lesion import Box, Lesion
    from napari_metasr.lesions.search import Searched
    from napari_metasr.upscaling.unpacking import UnpackedVolume
    from napari_metasr.volume import Plane


@dataclass(frozen=True)
class LesionBoxes:
    """Result of a search.

    Attributes
    ----------
    boxes
        Boxes around the lesions.
    concerns
        Reasons not to trust them.
    """

    boxes: tuple[Box, ...]
    concerns: tuple[str, ...]


@dataclass(frozen=True)
class LesionSearch:
    """A search for lesions that is part of a plan.

    Attributes
    ----------
    detector
        Name or path of the detector.
    device
        Where it runs.
    plane
        Plane of the slices that it looks at.
    sha256
        Hash of its weights.
    """

    detector: str
    device: str
    plane: Plane
    sha256: str

    @classmethod
    def by(cls, detector: str, device: str, plane: Plane) -> LesionSearch:
        """Plan a search.

        Raises
        ------
        WeightsError
            If there is no such detector.
        """
        from napari_metasr.lesions.detector import check_detects  # brings torch along

        card = model_card(detector)
        check_detects(card)
        return cls(detector, device, plane, card.sha256)

    def steps(self, volume: UnpackedVolume) -> Iterator[Searched | LesionBoxes]:
        """Search the first time point, a few slices in memory at a time.

        Yields
        ------
        Searched or LesionBoxes
            A step after every slice, the boxes last.

        Raises
        ------
        ValueError
            If the detector cannot be asked about this image, or finds nothing.
        """
        from napari_metasr.lesions.detector import load_detector
        from napari_metasr.lesions.search import Found, Searched, find

        detector = load_detector(self.detector, device=self.device)
        for step in find(volume, self.plane, detector):
            if isinstance(step, Searched):
                yield step
            elif isinstance(step, Found):
                boxes = _boxes_of(step.lesions, f"{volume.name}: {detector.title}")
                yield LesionBoxes(boxes, (*step.concerns, *_time_concerns(volume.time_points)))


def _time_concerns(time_points: int) -> tuple[str, ...]:
    if time_points == 1:
        return ()
    return (f"lesions were looked for only in the first of {time_points} time points",)


def boxes_in(path: Path, volume: VolumeSpace, plane: Plane) -> tuple[Box, ...]:
    """Return the boxes around the lesions of a segmentation, which is read whole.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no segmentation on the volume's grid, or an empty one.
    """
    from napari_metasr.lesions.files import read_segmentation

    return _boxes_of(read_segmentation(path, volume, plane), str(path))


def _boxes_of(lesions: Sequence[Lesion], by: str) -> tuple[Box, ...]:
    if not lesions:
        raise ValueError(f"{by}: expected lesions, found none; nothing was written")
    return tuple(lesion.box for lesion in lesions)
