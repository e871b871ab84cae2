"""What is measured of every image, and its averages."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.eight_bits import EIGHT_BITS
from metasr_training.evaluation.cases import cut
from napari_metasr.quality.hallucination import flagged_share
from napari_metasr.quality.perceptual import VIF_SMALLEST, high_frequency_energy, vif
from napari_metasr.quality.trial import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.evaluation.cases import Case
    from metasr_training.evaluation.contestants import Contestant

ALL = "all"


@dataclass(frozen=True)
class ImageOfMethod:
    """One method's image of a slice: a row of ``scores.csv``, by which methods are paired."""

    condition: str
    method: str
    source: str
    patient: str
    image: str
    region: str


@dataclass(frozen=True)
class ImageScore(ImageOfMethod):
    """One image upscaled by one method, compared with the truth in one region.

    Attributes
    ----------
    psnr, ssim
        In dB; see `napari_metasr.quality.metrics`.
    vif, high_frequency
        Visual information fidelity (NaN in regions too small for it) and energy above half of
        Nyquist as a share of the truth's; see `napari_metasr.quality.perceptual`.
    flagged
        Share of patches that scanning Fourier ring correlation flags; NaN in regions too small
        for a patch; see `napari_metasr.quality.hallucination`.

    All three are NaN where they were not asked for.
    """

    psnr: float
    ssim: float
    vif: float
    high_frequency: float
    flagged: float


@dataclass(frozen=True)
class Average:
    """Means over ``images`` images, with standard deviations (of the population).

    SSIM, VIF, high-frequency energy and flagged patches are averaged over the images that have
    them: the truth decides which, so that these are the same for every method.
    """

    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    vif: float
    high_frequency: float
    flagged: float


def upscaled(case: Case, contestants: Iterable[Contestant]) -> Iterator[tuple[str, NDArray]]:
    """Yield every method's label and (H, W) output, 0..255; each method sees the whole slice."""
    for contestant in contestants:
        yield (
            contestant.label,
            contestant.upscale(case.low_resolution, case.grid, case.intensity_range),
        )


def measure(case: Case, label: str, output: NDArray, *, looks: bool = True) -> Iterator[ImageScore]:
    """Compare an output in every region, with a data range of 255.

    Without ``looks`` PSNR and SSIM alone are measured, in a third of the time; the rest is NaN.
    """
    one = case.slice
    for region, window in case.regions.items():
        found, truth = cut(output, window), cut(case.truth, window)
        quality = Quality.of(found, truth, EIGHT_BITS)
        large = looks and min(truth.shape) >= VIF_SMALLEST
        yield ImageScore(
            case.condition, label, one.source, one.patient, one.name, region,
            quality.psnr, quality.ssim,
            vif(found, truth, EIGHT_BITS) if large else math.nan,
            high_frequency_energy(found, truth) if looks else math.nan,
            flagged_share(found, truth, max(case.grid.true_scale)) if looks else math.nan,
        )  # fmt: skip


def averages(
    scores: Iterable[ImageScore],
) -> dict[tuple[str, str, str, str], Average]:
    """Average scores by (condition, method, region, source), and over ``all`` sources together.

    Each image counts once; a table's mean is the mean over images, not over data sets.
    """
    groups: dict[tuple[str, str, str, str], list[ImageScore]] = defaultdict(list)
    for score in scores:
        for source in (ALL, score.source):
            groups[score.condition, score.method, score.region, source].append(score)
    return {key: _average(group) for key, group in groups.items()}


def _average(group: Sequence[ImageScore]) -> Average:
    psnr = np.array([score.psnr for score in group])
    ssim = _known(score.ssim for score in group)
    return Average(
        images=len(group),
        psnr=float(psnr.mean()),
        psnr_std=float(psnr.std()),
        ssim=float(ssim.mean()),
        ssim_std=float(ssim.std()),
        vif=float(_known(score.vif for score in group).mean()),
        high_frequency=float(_known(score.high_frequency for score in group).mean()),
        flagged=float(_known(score.flagged for score in group).mean()),
    )


def _known(values: Iterable[float]) -> NDArray[np.float64]:
    """Return the values that are known; a single NaN where none is."""
    found = [value for value in values if not math.isnan(value)]
    return np.array(found or [math.nan])


@dataclass(frozen=True)
class AverageRow:
    """An average with what it is of, for tables."""

    condition: str
    method: str
    region: str
    source: str
    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    vif: float
    high_frequency: float
    flagged: float


def average_rows(scores: Iterable[ImageScore]) -> list[AverageRow]:
    """Return the averages as rows, in the order in which the scores came."""
    return [AverageRow(*key, **asdict(average)) for key, average in averages(scores).items()]
