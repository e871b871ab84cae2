"""Choose the lesion of a volume that is to be super-resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.geometry.windows import Window
    from napari_metasr.lesions import Lesion
    from napari_metasr.volume import Plane, Volume


@dataclass(frozen=True)
class LesionChoice:
    """A lesion by its number, and the source of lesions.

    Attributes
    ----------
    number
        1 is the best.
    rois, segmentation
        Files to take lesions from; without either, a detector finds them.
    detector, device
        The detector, and where it runs.
    """

    number: int
    rois: Path | None
    segmentation: Path | None
    detector: str
    device: str

    @classmethod
    def asked(
        cls,
        number: int | None,
        *,
        rois: Path | None,
        segmentation: Path | None,
        detector: str,
        device: str,
        has_region: bool,
    ) -> LesionChoice | None:
        """Return the lesion that options ask for; None if they ask for none.

        Raises
        ------
        ValueError
            If the options do not go together.
        """
        if number is None:
            if rois is not None or segmentation is not None:
                raise ValueError("--rois and --mask hold lesions: expected --lesion, found none")
            return None
        if has_region:
            raise ValueError("expected --lesion or --region, found both")
        if rois is not None and segmentation is not None:
            raise ValueError("expected --rois or --mask, found both")
        return cls(number, rois, segmentation, detector, device)

    def find(
        self, volume: Volume, plane: Plane, index: int | None, time: int
    ) -> tuple[int, Window, str]:
        """Return the slice to look at, the lesion's rectangle in it, and its description.

        Parameters
        ----------
        index
            A slice of the lesion; by default its middle one.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such lesion or slice of it, or the source has none.
        """
        lesions, origin = self._lesions(volume, plane, time)
        if not lesions:
            raise ValueError(
                f"{volume.source.name}: expected lesion {self.number}, found none by {origin}; "
                "nothing was written"
            )
        if not 1 <= self.number <= len(lesions):
            raise ValueError(
                f"expected a lesion from 1 (the best) to {len(lesions)}, found {self.number}"
            )
        lesion = lesions[self.number - 1]
        if lesion.plane is not plane:
            raise ValueError(
                f"expected lesions of {plane} slices, found {lesion.plane} ones: "
                f"--plane {lesion.plane} looks at those"
            )
        place = lesion.middle if index is None else index
        if place not in lesion.detections:
            raise ValueError(
                f"expected a slice of lesion {self.number}, {min(lesion.detections)} to "
                f"{max(lesion.detections)}, found {place}"
            )
        detection = lesion.detections[place]
        told = f"lesion {self.number} of {len(lesions)} by {origin}, score {lesion.score:.2f}"
        if detection.score != lesion.score:
            told += f" ({detection.score:.2f} in slice {place})"
        return place, detection.region.clipped(_shape(volume, plane)), told

    def _lesions(self, volume: Volume, plane: Plane, time: int) -> tuple[tuple[Lesion, ...], str]:
        """Return lesions, best first, and the name of their source."""
        from napari_metasr.lesions.files import read_rois, read_segmentation

        if self.rois is not None:
            return read_rois(self.rois, volume, time=time), self.rois.name
        if self.segmentation is not None:
            return read_segmentation(self.segmentation, volume, plane), self.segmentation.name

        from napari_metasr.cli.lesion_search import search
        from napari_metasr.lesions.detector import load_detector

        detector = load_detector(self.detector, device=self.device)
        return search(volume, plane, detector, time=time)[0], detector.title


def _shape(volume: Volume, plane: Plane) -> tuple[int, int]:
    rows, columns = volume.slice(plane).shape
    return rows, columns
