"""Where networks are to work: round lesions that a segmentation holds, or a detector finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.lesions.detector import check_detects, load_detector
from napari_metasr.lesions.files import read_segmentation
from napari_metasr.lesions.link import link
from napari_metasr.lesions.search import look_through
from napari_metasr.lesions.suitability import concerns
from napari_metasr.upscaling.progress import Progress
from napari_metasr.volume import Volume
from napari_metasr.weights import model_card

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_metasr.io.mapped import MappedArray
    from napari_metasr.io.parts import VolumeInParts
    from napari_metasr.lesions.lesion import Box, Lesion
    from napari_metasr.upscaling.costs import Costs
    from napari_metasr.volume import Plane


@dataclass(frozen=True)
class MeasuredVolume(Volume):
    """A volume whose voxels are read when they are looked at.

    Attributes
    ----------
    intensity
        Its intensity range.
    """

    intensity: tuple[float, float] = (0.0, 1.0)

    @property
    def intensity_range(self) -> tuple[float, float]:
        """What inference maps to 0 and 1, measured before."""
        return self.intensity


@dataclass(frozen=True)
class LesionSearch:
    """What is going to look for lesions.

    Attributes
    ----------
    detector
        Its name or path.
    device
        Where it runs.
    plane
        Of the slices that it looks at.
    sha256
        Of its weights.
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
        card = model_card(detector)
        check_detects(card)
        return cls(detector, device, plane, card.sha256)

    def steps(
        self,
        volume: VolumeInParts,
        unpacked: MappedArray,
        intensity: tuple[float, float],
        costs: Costs,
    ) -> Generator[Progress, None, tuple[tuple[Box, ...], tuple[str, ...]]]:
        """Look through the first time point, a few slices in memory at a time.

        Parameters
        ----------
        volume
            The input.
        unpacked
            Its voxels.
        intensity
            Its intensity range.
        costs
            Of the whole work.

        Yields
        ------
        Progress
            After every slice.

        Returns
        -------
        boxes, doubts
            Round the lesions, and what speaks against trusting them.

        Raises
        ------
        ValueError
            If the detector cannot be asked about this image, or finds nothing.
        """
        seen = MeasuredVolume(
            data=unpacked,  # type: ignore[arg-type]
            affine=volume.affine,
            spacing=volume.spacing,
            source=volume.source,
            intensity=intensity,
        )
        detector = load_detector(self.detector, device=self.device)
        doubts = concerns(seen, self.plane, detector.point)
        if volume.time_points > 1:
            doubts += (
                f"lesions were looked for in the first of {volume.time_points} time points alone",
            )
        count, slices = seen.slice_count(self.plane), {}
        for index, found in look_through(seen, self.plane, detector):
            slices[index] = found
            done = len(slices) / count
            yield Progress("looking for lesions", done, costs.looked(done))
        lesions = link(slices, self.plane, seen.slice_spacing(self.plane))
        return _boxes_of(lesions, f"{volume.path}: {detector.title}"), doubts


def boxes_in(path: Path, volume: VolumeInParts, plane: Plane) -> tuple[Box, ...]:
    """The boxes round the lesions of a segmentation, which is read whole.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no segmentation on the volume's grid, or an empty one.
    """
    grid = Volume(
        data=np.broadcast_to(np.uint8(0), volume.shape[1:]),
        affine=volume.affine,
        spacing=volume.spacing,
        source=volume.source,
    )
    return _boxes_of(read_segmentation(path, grid, plane), str(path))


def _boxes_of(lesions: Sequence[Lesion], by: str) -> tuple[Box, ...]:
    if not lesions:
        raise ValueError(f"{by}: expected lesions, found none; nothing was written")
    return tuple(lesion.box for lesion in lesions)
