"""PSNR and SSIM of every image, their averages, and who comes out above whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.eight_bits import EIGHT_BITS
from metasr_training.evaluation.cases import cut
from napari_metasr.quality.trial import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.evaluation.cases import Case
    from metasr_training.evaluation.contestants import Contestant

ALL = "all"


@dataclass(frozen=True)
class ImageScore:
    """One image enlarged by one method, compared in one region: PSNR in dB, and SSIM."""

    condition: str
    method: str
    source: str
    patient: str
    image: str
    region: str
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Average:
    """Mean and standard deviation (of the population) over ``images`` images."""

    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float


def enlarged(case: Case, contestants: Iterable[Contestant]) -> Iterator[tuple[str, NDArray]]:
    """(label, (H, W) output on the 0..255 scale) of every method: each sees the whole slice."""
    for contestant in contestants:
        yield contestant.label, contestant.enlarge(case.low_resolution, case.grid, case.intensity)


def measure(case: Case, label: str, output: NDArray) -> Iterator[ImageScore]:
    """Compare an output in every region, with a data range of 255."""
    one = case.slice
    for region, window in case.regions.items():
        quality = Quality.of(cut(output, window), cut(case.truth, window), EIGHT_BITS)
        yield ImageScore(
            case.condition, label, one.source, one.patient, one.name, region,
            quality.psnr, quality.ssim,
        )  # fmt: skip


def averages(
    scores: Iterable[ImageScore],
) -> dict[tuple[str, str, str, str], Average]:
    """Averages by (condition, method, region, source), with ``all`` sources together too.

    Each image counts once; a table's mean is the mean over images, not over data sets.
    """
    groups: dict[tuple[str, str, str, str], list[ImageScore]] = defaultdict(list)
    for score in scores:
        for source in (ALL, score.source):
            groups[score.condition, score.method, score.region, source].append(score)
    return {key: _average(group) for key, group in groups.items()}


def _average(group: Sequence[ImageScore]) -> Average:
    psnr = np.array([score.psnr for score in group])
    ssim = np.array([score.ssim for score in group])
    return Average(
        len(group), float(psnr.mean()), float(psnr.std()), float(ssim.mean()), float(ssim.std())
    )


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


def average_rows(scores: Iterable[ImageScore]) -> list[AverageRow]:
    """The averages as rows, in the order in which the scores came."""
    return [AverageRow(*key, **asdict(average)) for key, average in averages(scores).items()]


def ranked(
    psnr: Mapping[str, float], networks: Iterable[str], reference: float
) -> tuple[list[str], list[str]]:
    """The methods by falling PSNR, and the networks that are not converged.

    Parameters
    ----------
    psnr
        Mean PSNR of each method on the same images.
    networks
        Which of them are trained networks.
    reference
        Mean PSNR of bicubic interpolation on these images: a network below it is not converged,
        and is not ranked.
    """
    below = [method for method in networks if psnr[method] < reference]
    return sorted(psnr.keys() - set(below), key=lambda method: -psnr[method]), below


def standing(
    scores: Sequence[ImageScore], methods: Iterable[Contestant]
) -> tuple[list[str], list[str]]:
    """``ranked`` of the scores of one condition, in their first region, over all images."""
    first = scores[0]
    methods = list(methods)
    found = averages(scores)
    psnr = {one.label: found[first.condition, one.label, first.region, ALL].psnr for one in methods}
    networks = [one.label for one in methods if one.network is not None]
    return ranked(psnr, networks, next(psnr[one.label] for one in methods if one.is_reference))
