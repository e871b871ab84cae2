"""How well an error head finds the large errors, and the thresholds that bound what it misses."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.condition import Condition
from metasr_training.datasets.eight_bits import FULL_RANGE, eight_bit_range
from metasr_training.evaluation.cases import cut, degrade_slice
from metasr_training.tables import markdown_table
from napari_metasr.geometry.windows import Window
from napari_metasr.quality.hallucination import patch_map
from napari_metasr.quality.metrics import brain_box
from napari_metasr.trust.agreement import Agreement
from napari_metasr.trust.conformal import threshold_for_each
from napari_metasr.trust.risk import marked
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
    error, risk
        True and estimated errors of the pixels of the head's box, as shares of the intensity range.
    patches
        The patches that these pixels lie in; see `napari_metasr.quality.hallucination.patch_map`.
    tau
        From which share of the intensity range on an error is large.
    """

    acquisition: str
    scales: Scales
    source: str
    patient: str
    error: NDArray[np.float32]
    risk: NDArray[np.float32]
    patches: NDArray[np.uint8]
    tau: float

    @property
    def large(self) -> NDArray[np.float32]:
        """Estimated errors of the pixels whose error is large."""
        return self.risk[self.error > self.tau]

    def agreement(self, threshold: float) -> Agreement:
        """Return what marks of estimated errors from a threshold on hold."""
        return Agreement.of(self.error, marked(self.risk, threshold), self.patches, self.tau)


def compared(
    one: Slice, condition: Condition, model: Any, risk_model: Any
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Reduce a slice, enlarge it again, and compare it with the truth in the head's box.

    Returns
    -------
    error, risk, patches
        True and estimated errors, as shares of the intensity range, and the map of patches.
    """
    one, truth, low_resolution, grid = degrade_slice(one, condition)
    intensity_range = eight_bit_range(one)
    whole = grid.pixel_range()
    image, risk = (
        each.render_pixels(each.encode(low_resolution, intensity_range, FULL_RANGE), grid, whole)
        for each in (model, risk_model)
    )
    error = np.abs(image - truth) / np.float32(intensity_range[1] - intensity_range[0])
    box = Window(*brain_box(truth))
    patches = patch_map(cut(image, box), cut(truth, box), max(grid.true_scale))
    return cut(error, box), cut(risk, box), patches


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
                found = []
                for one in own:
                    scale = scale_of(one, acquisition, band)
                    condition = Condition(scale=scale, degradation=acquisition)
                    found.append(
                        [each.ravel() for each in compared(one, condition, model, risk_model)]
                    )
                    tick()
                error, risk, patches = map(np.concatenate, zip(*found, strict=True))
                yield Found(acquisition, band, source, patient, error, risk, patches, tau)


def by_cell(found: Iterable[Found]) -> dict[tuple[str, Scales], list[Found]]:
    """Sort what was found by cell; one entry for each patient."""
    cells: dict[tuple[str, Scales], list[Found]] = defaultdict(list)
    for one in found:
        cells[one.acquisition, one.scales].append(one)
    return cells


def calibrated(found: Iterable[Found], alpha: float) -> list[RiskCell]:
    """Choose the threshold of every cell, for all patients and for each data set's alike.

    See `napari_metasr.trust.conformal.threshold_for_each`.

    Raises
    ------
    ValueError
        If there are too few patients, alpha is out of range, or too many large errors lie where
        nothing is marked.
    """
    cells = []
    for (acquisition, scales), patients in by_cell(found).items():
        sources: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
        for one in patients:
            sources[one.source].append(one.large)
        threshold = threshold_for_each(list(sources.values()), alpha)
        if threshold == 0 and any(len(one.large) for one in patients):
            low, high = scales
            raise ValueError(
                f"{acquisition}, x{low:g} to x{high:g}: too many of the large errors lie in "
                "background, which is never marked, for any threshold: allow a larger share of them"
            )
        shares = Shares.of(patients, threshold)
        cells.append(
            RiskCell(
                acquisition=acquisition,
                scales=scales,
                threshold=threshold,
                patients=len(patients),
                missed=shares.missed,
                marked=shares.marked,
            )
        )
    return cells


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Means over patients of what marks hold; see `napari_metasr.trust.agreement.Agreement`.

    Attributes
    ----------
    patients
        How many.
    missed, missed_error
        Missed share of the large errors, and the standard error of this mean; NaN of one patient.
    marked, excess, recall, precision, wrong
        Marked share, excess in marks, flagged patches that are marked, marks in flagged patches,
        and flagged share of the patches; over the patients that have any, NaN without.
    """

    patients: int
    missed: float
    missed_error: float
    marked: float
    excess: float
    recall: float
    precision: float
    wrong: float

    @staticmethod
    def of(patients: Sequence[Found], threshold: float) -> Shares:
        """Average over patients at a threshold."""
        found = [one.agreement(threshold) for one in patients]
        missed = np.array([one.missed_share for one in found])
        count = len(found)
        return Shares(
            patients=count,
            missed=float(missed.mean()),
            missed_error=float(missed.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan,
            marked=_mean(one.marked_share for one in found),
            excess=_mean(one.excess_share for one in found),
            recall=_mean(one.recall for one in found),
            precision=_mean(one.precision for one in found),
            wrong=_mean(one.wrong_share for one in found),
        )


def _mean(values: Iterable[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return float(np.mean(finite)) if finite else math.nan


CALIBRATION, TEST = "calibration", "test"
"""Whose shares: patients that thresholds were chosen on, and those that had no part in anything."""


@dataclass(frozen=True, kw_only=True)
class CoverageRow(Shares):
    """What the marks of a cell do on one group of patients, `CALIBRATION` or `TEST`."""

    acquisition: str
    scales: str
    threshold: float
    group: str


def coverage_rows(
    cells: Sequence[RiskCell], own: Iterable[Found], tested: Iterable[Found]
) -> list[CoverageRow]:
    """Measure every cell on the patients that it was calibrated on, and on those of the test."""
    rows = []
    groups = ((CALIBRATION, by_cell(own)), (TEST, by_cell(tested)))
    for cell in cells:
        low, high = cell.scales
        for group, found in groups:
            patients = found.get((cell.acquisition, cell.scales))
            if patients:
                rows.append(
                    CoverageRow(
                        acquisition=cell.acquisition,
                        scales=f"x{low:g}-x{high:g}",
                        threshold=cell.threshold,
                        group=group,
                        **asdict(Shares.of(patients, cell.threshold)),
                    )
                )
    return rows


def coverage_table(rows: Sequence[CoverageRow]) -> str:
    """Write a line for each cell: threshold, and missed and marked shares."""
    tested = {(row.acquisition, row.scales): row for row in rows if row.group == TEST}

    def of_test(text: Callable[[CoverageRow], str]) -> Callable[[CoverageRow], str]:
        def cell(row: CoverageRow) -> str:
            other = tested.get((row.acquisition, row.scales))
            return "" if other is None else text(other)

        return cell

    return markdown_table(
        {
            "acquisition": lambda row: row.acquisition,
            "scales": lambda row: row.scales,
            "threshold": lambda row: f"{row.threshold:.3f}",
            "calibrated on": lambda row: str(row.patients),
            "missed": lambda row: f"{row.missed:.1%}",
            "marked": lambda row: f"{row.marked:.1%}",
            "tested on": of_test(lambda row: str(row.patients)),
            "missed in test": of_test(_missed),
            "marked in test": of_test(lambda row: f"{row.marked:.1%}"),
        },
        [row for row in rows if row.group == CALIBRATION],
    )


def _missed(row: CoverageRow) -> str:
    spread = "" if math.isnan(row.missed_error) else f" ± {100 * row.missed_error:.1f}"
    return f"{row.missed:.1%}{spread}"


def agreement_table(rows: Iterable[CoverageRow]) -> str:
    """Write a line for each cell and group: where the errors and the flagged patches are."""
    return markdown_table(
        {
            "patients": lambda row: row.group,
            "acquisition": lambda row: row.acquisition,
            "scales": lambda row: row.scales,
            "marked": lambda row: _share(row.marked),
            "excess in marks": lambda row: _share(row.excess),
            "wrong patches marked": lambda row: _share(row.recall),
            "marks in wrong patches": lambda row: _share(row.precision),
            "by chance": lambda row: _share(row.wrong),
        },
        sorted(rows, key=lambda row: row.group),
    )


def _share(share: float) -> str:
    return "" if math.isnan(share) else f"{share:.1%}"
