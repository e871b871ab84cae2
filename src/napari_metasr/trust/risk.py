"""Where a rendering may be wrong: the estimated error, a mask of it, and what is guaranteed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.acquisition import estimate
from napari_metasr.plurals import percent
from napari_metasr.trust.assumption import AUTO
from napari_metasr.trust.correction import tissue_of
from napari_metasr.weights import DEFAULT_MODEL, WeightsError, load_network
from napari_metasr.weights.risk import load_risk

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition
    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.io.protocols import ScannedVolume
    from napari_metasr.networks.meta_srgan import MetaSRGAN
    from napari_metasr.networks.risk_head import RiskHead
    from napari_metasr.volume import Plane
    from napari_metasr.weights import ModelCard
    from napari_metasr.weights.risk import Calibration, RiskCard, RiskCell
    from napari_metasr.zoom.encoded import EncodedSlice, Tiling

NOTHING = "Nothing is guaranteed"
DEFAULT_THRESHOLD = 0.05
"""Estimated error from which a head without calibration marks."""

DEFAULT_TAU = 0.1
"""Share of the intensity range from which an error is large where no calibration says so."""

UNEVEN = 0.05
"""Difference of two scales, as a share of the larger one, from which they are not one scale."""

LEAST_ACQUIRED = 0.85
"""Acquired over stored samples of an axis below which a scan is unlike the calibration data."""


class RiskModel:
    """The error head of a model, rendered as the model is: encode once, render at any scale.

    It encodes slices of its own: the head's share of G, 257 channels, is made when it is first
    asked for, and the model's own rendering costs what it did.

    Parameters
    ----------
    network, card
        The model.
    head, risk_card
        Its error head.
    device, tiling, continued
        As for `napari_metasr.zoom.engine.ZoomModel`.
    """

    def __init__(
        self,
        network: MetaSRGAN,
        card: ModelCard,
        head: RiskHead,
        risk_card: RiskCard,
        *,
        device: str = "auto",
        tiling: Tiling | None = None,
        continued: bool = True,
    ) -> None:
        from napari_metasr.devices import resolve_device
        from napari_metasr.networks.risk_head import LARGEST_LOG
        from napari_metasr.zoom.engine import ZoomModel

        self._model = ZoomModel(
            head.attached(network),
            card,
            device=resolve_device(device),
            tiling=tiling,
            continued=continued,
        )
        self._level, self._largest = head.level.item(), np.float32(LARGEST_LOG)
        self._unit = card.standardisation[1]
        self.card, self.risk_card = card, risk_card

    @property
    def device(self) -> str:
        """Where it runs."""
        return self._model.device

    def encode(
        self,
        image: NDArray[Any],
        intensity_range: tuple[float, float] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> EncodedSlice:
        """Take a slice in; see `napari_metasr.zoom.engine.ZoomModel.encode`."""
        return self._model.encode(image, intensity_range, value_range)

    def render_pixels(
        self, encoded: EncodedSlice, grid: OutputGrid, pixels: PixelRange
    ) -> NDArray[np.float32]:
        """Render the estimated error of a range of output pixels (i0, j0, i1, j1).

        Returns
        -------
        ndarray
            float32: the 0.9 quantile of the absolute error, as a share of the intensity range; 0 in
            background and gaps.
        """
        i0, j0, i1, j1 = pixels
        if encoded.constant is not None:
            return np.zeros((i1 - i0, j1 - j0), np.float32)
        logarithm = self._model.network_units(encoded, grid, pixels) + np.float32(self._level)
        risk = np.exp(np.minimum(logarithm, self._largest)) * np.float32(self._unit)
        tissue = tissue_of(encoded)
        if not tissue.all():
            risk[~grid.in_cells(tissue, pixels)] = 0
        return np.asarray(risk, np.float32)


def load_risk_model(
    model: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    tiling: Tiling | None = None,
    continued: bool = True,
) -> RiskModel:
    """Load the error head of a model.

    Raises
    ------
    ValueError
        If the model has none, or it or the device is not there
        (``napari_metasr.weights.WeightsError``).
    """
    from napari_metasr.networks.meta_srgan import MetaSRGAN

    network, card = load_network(model)
    if not isinstance(network, MetaSRGAN):
        raise WeightsError(f"{card.name} has no error head")
    head, risk_card = load_risk(model, card.sha256)
    return RiskModel(
        network, card, head, risk_card, device=device, tiling=tiling, continued=continued
    )


@dataclass(frozen=True)
class Guarantee:
    """What a mask is drawn with, and what is known of it.

    Attributes
    ----------
    threshold
        Estimated error, as a share of the intensity range, from which a pixel is marked.
    sentence
        What is guaranteed, or that nothing is and why; without the marked share.
    holds
        Whether anything is guaranteed.
    tau
        From which share of the intensity range on an error is large.
    alpha
        The share of the large errors that a calibration allows to stay unmarked, on average over
        patients; None without a calibration.
    """

    threshold: float
    sentence: str
    holds: bool
    tau: float = DEFAULT_TAU
    alpha: float | None = None

    def marked(self, risk: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Mark the pixels of an estimated error."""
        return marked(risk, self.threshold)


def marked(risk: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Mark estimated errors from a threshold on; never background and gaps, where they are 0."""
    found: NDArray[np.bool_] = (risk >= threshold) & (risk > 0)
    return found


def marked_share(marked: NDArray[np.bool_], risk: NDArray[np.float32]) -> float:
    """Return the marked share of the tissue; 0 where there is none."""
    tissue = np.count_nonzero(risk > 0)
    return float(np.count_nonzero(marked)) / tissue if tissue else 0.0


def marked_text(share: float, where: str = "tissue in view") -> str:
    """Say how much is marked."""
    return f"{share:.1%} of the {where} is marked."


def guarantee(
    card: RiskCard,
    scale: tuple[float, float],
    *,
    acquisition: str | None = None,
    contrast: str | None = None,
    acquired: tuple[float, float] = (1.0, 1.0),
    consistent: bool = False,
) -> Guarantee:
    """Return how a rendering is marked, and what that guarantees.

    Parameters
    ----------
    card
        Of the error head.
    scale
        Of rows and columns.
    acquisition
        How the scan is assumed to have been acquired: one of the calibrated degradations; None for
        any of them, which marks more.
    contrast
        The scan's, if it is known.
    acquired
        Acquired over stored samples of rows and columns, if that is known.
    consistent
        Whether the rendering was changed to be consistent with the scan.
    """
    calibration = card.calibration
    if calibration is None:
        return Guarantee(DEFAULT_THRESHOLD, f"{NOTHING}: the error head is not calibrated.", False)
    largest = max(scale)
    cells = [one for one in calibration.cells if one.holds(largest)]
    cell: RiskCell | None
    if acquisition is None:
        cell = calibration.strictest(largest)
    else:
        cell = calibration.cell(acquisition, largest)
    nearest = cell or min(
        cells or calibration.cells,
        key=lambda one: (abs(sum(one.scales) / 2 - largest), one.threshold),
    )
    reasons = []
    if not cells:
        reasons.append(f"x{largest:.3g} was not calibrated")
    elif cell is None:
        reasons.append(f"{acquisition} was not calibrated")
    if abs(scale[0] - scale[1]) > UNEVEN * largest:
        reasons.append("rows and columns have different scales")
    if contrast is None:
        reasons.append("the contrast is not known")
    elif contrast not in calibration.contrasts:
        reasons.append(f"{contrast} was not calibrated, {', '.join(calibration.contrasts)} was")
    if min(acquired) < LEAST_ACQUIRED:
        reasons.append("the scan stores many more pixels than it acquired")
    if consistent:
        reasons.append("consistent results were not calibrated")
    if reasons:
        sentence = f"{NOTHING}: {'; '.join(reasons)}."
    else:
        sentence = promise(calibration, nearest.patients)
    return Guarantee(nearest.threshold, sentence, not reasons, calibration.tau, calibration.alpha)


def promise(calibration: Calibration, patients: int) -> str:
    """Say what a calibration on so many patients guarantees."""
    allowed, large = percent(calibration.alpha), percent(calibration.tau)
    return (
        f"At most {allowed} of errors above {large} of the intensity range are unmarked, on "
        f"average over patients like the {patients} calibrated on."
    )


def scan_guarantee(
    card: RiskCard,
    volume: ScannedVolume,
    plane: Plane | None,
    scale: tuple[float, float],
    consistent: str | None = None,
) -> Guarantee:
    """Return how renderings of a volume's slices are marked, and what that guarantees.

    Parameters
    ----------
    card, scale
        As for `guarantee`.
    volume, plane
        The scan, one volume of a series if that is meant, and the plane of its slices, from which
        contrast and acquired samples are told.
    consistent
        The acquisition with which renderings are made consistent, if with any; a named one is
        taken for the scan's own.
    """
    return found_guarantee(
        card,
        estimate(volume, plane),
        scale,
        acquisition=None if consistent in {None, AUTO} else consistent,
        consistent=consistent is not None,
    )


def found_guarantee(
    card: RiskCard,
    found: Acquisition,
    scale: tuple[float, float],
    *,
    acquisition: str | None = None,
    consistent: bool = False,
) -> Guarantee:
    """Return what is guaranteed of a scan whose acquisition was estimated; see `guarantee`."""
    return guarantee(
        card,
        scale,
        acquisition=acquisition,
        contrast=found.contrast,
        acquired=(found.rows.true_scale(1), found.columns.true_scale(1)),
        consistent=consistent,
    )
