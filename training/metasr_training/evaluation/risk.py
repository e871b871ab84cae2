"""How well an error head finds the large errors, and the thresholds that bound what it misses."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.condition import Condition
from metasr_training.datasets.eight_bits import FULL_RANGE, eight_bit_range
from metasr_training.evaluation.cases import cut, degrade_slice
from metasr_training.tables import markdown_table
from napari_metasr.geometry.windows import Window
from napari_metasr.quality.metrics import brain_box
from napari_metasr.trust.conformal import conformal_threshold, missed_share
from napari_metasr.weights.risk import RiskCell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice

    Scales = tuple[float, float]

BANDS: tuple[Scales, ...] = ((1.25, 1.75), (1.75, 2.5), (2.5, 3.25), (3.25, 4.0))
"""Scales that share a threshold; those of a slice are drawn from the band."""

DECIMALS = 2


@dataclass(frozen=True)
class Found:
    """What was found in a patient's slices under one acquisition, at scales of one band.

    Attributes
    ----------
    acquisition, scales
        The cell.
    source, patient
        Whose slices they are.
    large
        Estimated errors of the pixels whose error is large.
    head
        Estimated errors of all pixels of the head's box.
    """

    acquisition: str
    scales: Scales
    source: str
    patient: str
    large: NDArray[np.float32]
    head: NDArray[np.float32]

    def missed(self, threshold: float) -> float:
        """Return the share of the large errors that are not marked."""
        return missed_share(self.large, threshold)

    def marked(self, threshold: float) -> float:
        """Return the share of the head's box that is marked."""
        return float(np.mean(self.head >= threshold))


def errors_and_risks(
    one: Slice, condition: Condition, model: Any, risk_model: Any
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reduce a slice, enlarge it again, and return true and estimated errors of the head's box.

    Both are shares of the intensity range.
    """
    one, truth, low_resolution, grid = degrade_slice(one, condition)
    intensity_range = eight_bit_range(one)
    whole = grid.pixel_range()
    images = [
        each.render_pixels(each.encode(low_resolution, intensity_range, FULL_RANGE), grid, whole)
        for each in (model, risk_model)
    ]
    error = np.abs(images[0] - truth) / np.float32(intensity_range[1] - intensity_range[0])
    box = Window(*brain_box(truth))
    return cut(error, box), cut(images[1], box)


def scale_of(one: Slice, acquisition: str, band: Scales) -> float:
    """Draw the scale of a slice from a band: the same in every evaluation."""
    seed = zlib.crc32(f"{one.source}/{one.patient}/{one.name}/{acquisition}/{band}".encode())
    return round(float(np.random.default_rng(seed).uniform(*band)), DECIMALS)


def search(
    slices: Iterable[Slice],
    acquisitions: Iterable[str],
    model: Any,
    risk_model: Any,
    *,
    tau: float,
    bands: Iterable[Scales] = BANDS,
    tick: Callable[[], object] = lambda: None,
) -> Iterator[Found]:
    """Yield what is found in every patient's slices, in every cell.

    Parameters
    ----------
    tau
        From which share of the intensity range on an error is large.
    tick
        Called after every slice of every cell.
    """
    patients: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    for one in slices:
        patients[one.source, one.patient].append(one)
    for (source, patient), own in patients.items():
        for acquisition in acquisitions:
            for band in bands:
                large, head = [], []
                for one in own:
                    scale = scale_of(one, acquisition, band)
                    condition = Condition(scale=scale, degradation=acquisition)
                    error, risk = errors_and_risks(one, condition, model, risk_model)
                    large.append(risk[error > tau])
                    head.append(risk.ravel())
                    tick()
                yield Found(
                    acquisition, band, source, patient, np.concatenate(large), np.concatenate(head)
                )


def by_cell(found: Iterable[Found]) -> dict[tuple[str, Scales], list[Found]]:
    """Sort what was found by cell; one entry for each patient."""
    cells: dict[tuple[str, Scales], list[Found]] = defaultdict(list)
    for one in found:
        cells[one.acquisition, one.scales].append(one)
    return cells


def calibrated(found: Iterable[Found], alpha: float) -> list[RiskCell]:
    """Choose the threshold of every cell; see `napari_metasr.trust.conformal`.

    Raises
    ------
    ValueError
        If there are too few patients, or alpha is out of range.
    """
    cells = []
    for (acquisition, scales), patients in by_cell(found).items():
        threshold = conformal_threshold([one.large for one in patients], alpha)
        missed, marked = averages(patients, threshold)
        cells.append(
            RiskCell(
                acquisition=acquisition,
                scales=scales,
                threshold=threshold,
                patients=len(patients),
                missed=missed,
                marked=marked,
            )
        )
    return cells


def averages(patients: Sequence[Found], threshold: float) -> tuple[float, float]:
    """Return missed and marked shares, averaged over patients."""
    missed = float(np.mean([one.missed(threshold) for one in patients]))
    return missed, float(np.mean([one.marked(threshold) for one in patients]))


@dataclass(frozen=True)
class CoverageRow:
    """A cell, and what its threshold does on patients that it was not chosen on.

    Shares are means over patients; None without any.
    """

    acquisition: str
    scales: str
    threshold: float
    patients: int
    missed: float
    marked: float
    tested: int = 0
    tested_missed: float | None = None
    tested_marked: float | None = None


def coverage_rows(cells: Iterable[RiskCell], tested: Iterable[Found]) -> list[CoverageRow]:
    """Measure every cell on patients that neither trained nor calibrated."""
    found, rows = by_cell(tested), []
    for cell in cells:
        patients = found.get((cell.acquisition, cell.scales), [])
        missed, marked = averages(patients, cell.threshold) if patients else (None, None)
        low, high = cell.scales
        rows.append(
            CoverageRow(
                cell.acquisition, f"x{low:g}-x{high:g}", cell.threshold, cell.patients,
                cell.missed, cell.marked, len(patients), missed, marked,
            )
        )  # fmt: skip
    return rows


def coverage_table(rows: Iterable[CoverageRow]) -> str:
    """One line for each cell: threshold, and missed and marked shares."""
    return markdown_table(
        {
            "acquisition": lambda row: row.acquisition,
            "scales": lambda row: row.scales,
            "threshold": lambda row: f"{row.threshold:.3f}",
            "calibrated on": lambda row: str(row.patients),
            "missed": lambda row: f"{row.missed:.1%}",
            "marked": lambda row: f"{row.marked:.1%}",
            "tested on": lambda row: str(row.tested) if row.tested else "",
            "missed in test": lambda row: _share(row.tested_missed),
            "marked in test": lambda row: _share(row.tested_marked),
        },
        rows,
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
