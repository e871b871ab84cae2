"""A detector: slices of any size to the rectangles that may hold a tumour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_metasr import normalisation
from napari_metasr.devices import resolve_device
from napari_metasr.geometry.grids import fitted_shape, square_shape
from napari_metasr.lesions import DEFAULT_DETECTOR as DEFAULT
from napari_metasr.lesions.answers import READERS
from napari_metasr.lesions.detection import Detection, grown, merged
from napari_metasr.lesions.head import head_window, within
from napari_metasr.lesions.mirrored import mirrored
from napari_metasr.lesions.suitability import check_size, has_head
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.lesion_detector import LesionDetector
from napari_metasr.networks.lesion_segmenter import LesionSegmenter
from napari_metasr.normalisation import LinearMap, fill_missing
from napari_metasr.resampling import resampling_matrix
from napari_metasr.volume import Plane
from napari_metasr.weights import WeightsError, load_network, model_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from napari_metasr.io.protocols import SlicedVolume
    from napari_metasr.lesions.answers import ScoredWindow
    from napari_metasr.weights import ModelCard, OperatingPoint

    Look = Callable[[Tensor], Tensor]

BATCH = 8
LARGEST_SEEN = 256
"""Pixels of a slice's longer side that LD was trained up to; the segmenter resizes by itself."""


class Detector:
    """A network that looks for tumours, and how its answers are read.

    Parameters
    ----------
    network
        (batch, 1, h, w) in 0..1 to boxes (batch, 5) or to logits of a map (batch, 1, m, n); a
        folded copy in eval mode is used. LD+ is asked about the mirror images of a slice too.
    point
        Threshold, level and margin, unless others are asked for.
    name, title
        What it is called on the command line, and to people.
    device
        Where it runs.
    sha256
        Of its weights, if they are a file's.
    wrapped
        Makes of the network as it runs, folded and on its device, what is asked in its place.
    """

    def __init__(
        self,
        network: nn.Module,
        point: OperatingPoint,
        *,
        name: str,
        title: str,
        device: torch.device,
        sha256: str = "",
        wrapped: Callable[[Look], Look] | None = None,
    ) -> None:
        folded = fold_batch_norm(network).to(device).requires_grad_(False)
        folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        asked: Look = mirrored(folded) if isinstance(network, LesionSegmenter) else folded
        self._network = asked if wrapped is None else wrapped(asked)
        self._longest = LARGEST_SEEN if isinstance(network, LesionDetector) else None
        self.point = point
        self.name = name
        self.title = title
        self.device = device
        self.sha256 = sha256

    def detect(
        self,
        image: NDArray[Any],
        intensity_range: tuple[float, float] | None = None,
        *,
        spacing: tuple[float, float] = (1.0, 1.0),
        point: OperatingPoint | None = None,
    ) -> tuple[Detection, ...]:
        """Look for tumours in a slice.

        Parameters
        ----------
        image
            (rows, columns), any real numeric type and range; right way up or upside down.
        intensity_range
            The values that the network sees as 0 and 1: of a slice of a volume, the volume's
            ``intensity_range``. By default the image's own percentiles.
        spacing
            Of rows and columns, in any unit: the network is shown square pixels.
        point
            How answers are read; by default ``self.point``.

        Returns
        -------
        tuple of Detection
            Highest score first, none below the threshold, none overlapping, clipped to the
            head's box. Empty where no tumour, or no head, was found.

        Raises
        ------
        ValueError
            If the image is not 2-D, is smaller than 32 x 32 square pixels, not real-valued, or
            has no finite value; or the spacing is not positive.
        """
        image = np.asarray(image)
        if image.ndim != 2:
            raise ValueError(f"expected a 2-D slice (rows, columns), found shape {image.shape}")
        intensity_range = intensity_range or normalisation.intensity_range(image)
        return self._detect([image], intensity_range, spacing, point or self.point)[0]

    def detect_slices(
        self,
        volume: SlicedVolume,
        plane: Plane = Plane.AXIAL,
        time: int = 0,
        *,
        point: OperatingPoint | None = None,
    ) -> Iterator[tuple[int, tuple[Detection, ...]]]:
        """Look through a volume, slice by slice; the caller may show progress, or stop.

        Parameters
        ----------
        volume, plane, time
            Which slices.
        point
            As ``detect``.

        Yields
        ------
        index, detections
            Of every slice in ascending order, as ``detect`` returns them.

        Raises
        ------
        ValueError
            If there is no such time point, or slices are too small.
        """
        count = volume.slice_count(plane)
        for first in range(0, count, BATCH):
            indices = range(first, min(first + BATCH, count))
            found = self._detect(
                [volume.slice(plane, index, time) for index in indices],
                volume.range_at(time),
                volume.plane_spacing(plane),
                point or self.point,
            )
            yield from zip(indices, found, strict=True)

    def _detect(
        self,
        images: list[NDArray[Any]],
        intensity_range: tuple[float, float],
        spacing: tuple[float, float],
        point: OperatingPoint,
    ) -> list[tuple[Detection, ...]]:
        """Detect tumours in slices of one shape."""
        shape = (images[0].shape[0], images[0].shape[1])
        check_size(shape, spacing)
        normal = [self._normalised(image, intensity_range) for image in images]
        asked = [number for number, image in enumerate(normal) if has_head(image)]
        found: list[tuple[Detection, ...]] = [()] * len(images)
        if asked:
            answers = self._ask(np.stack([normal[number] for number in asked]), spacing, point)
            for number, windows in zip(asked, answers, strict=True):
                kept = ((window, score) for window, score in windows if score >= point.threshold)
                head = head_window(normal[number])
                found[number] = merged(
                    within(grown(window, score, shape, spacing, point.margin), head)
                    for window, score in kept
                )
        return found

    def _normalised(
        self, image: NDArray[Any], intensity_range: tuple[float, float]
    ) -> NDArray[np.float32]:
        """Map the intensity range to 0..1; missing pixels become background."""
        return LinearMap(*intensity_range).forward(fill_missing(image, intensity_range[0])[0])

    @torch.inference_mode()
    def _ask(
        self, images: NDArray[np.float32], spacing: tuple[float, float], point: OperatingPoint
    ) -> list[list[ScoredWindow]]:
        """Ask the network about (batch, rows, columns): windows in shares, and scores."""
        shape = (images.shape[1], images.shape[2])
        seen = square_shape(shape, spacing)
        if self._longest is not None and max(seen) > self._longest:
            seen = fitted_shape(seen, self._longest)
        rows, columns = (
            resampling_matrix(size, wanted, "bilinear")
            for size, wanted in zip(shape, seen, strict=True)
        )
        shown = images if seen == shape else (rows @ images @ columns.T).astype(np.float32)
        batch = torch.from_numpy(np.ascontiguousarray(shown))[:, None].to(self.device)
        answers = self._network(batch.contiguous(memory_format=torch.channels_last))
        read = READERS[answers.ndim - 1]
        return [read(answer, point.level) for answer in answers.float().cpu()]


def load_detector(model: str | Path = DEFAULT, *, device: str = "auto") -> Detector:
    """Load a detector.

    Parameters
    ----------
    model
        A name among ``napari_metasr.weights.model_names()``, or the path of a safetensors file
        with its model card beside it.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``.

    Raises
    ------
    ValueError
        If the device is not there, the weights are missing or damaged, or the model does not
        detect (``napari_metasr.weights.WeightsError``).
    """
    resolved = resolve_device(device)
    check_detects(model_card(model))
    network, card = load_network(model)
    return Detector(
        network,
        check_detects(card),
        name=card.name,
        title=card.title,
        device=resolved,
        sha256=card.sha256,
    )


def check_detects(card: ModelCard) -> OperatingPoint:
    """Return the operating point of a model's card, if the model is a detector.

    Raises
    ------
    WeightsError
        If it is no detector, or its card does not say.
    """
    if not card.detects:
        raise WeightsError(f"expected a detector, found {card.name}, which is a {card.network}")
    if card.detection is None:
        raise WeightsError(
            f"expected a card that says how answers are read (detection), found none in {card.name}"
        )
    return card.detection
