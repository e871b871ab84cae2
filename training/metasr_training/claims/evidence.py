"""What an evaluation's folder holds for and against the claims: its scores and its table."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.evaluation.published import same_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from metasr_training.claims.claim import Side

ALL = "all"
SCORES, TABLE = "scores.csv", "table.csv"


@dataclass(frozen=True)
class Pairs:
    """Two methods on the same images.

    Attributes
    ----------
    greater, lesser
        (images,) each.
    patients
        (images,) whose image it is.
    """

    greater: np.ndarray
    lesser: np.ndarray
    patients: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """The tables of one evaluation, as text.

    Attributes
    ----------
    scores
        One row for each image, method, condition and region.
    table
        One row for each method, condition and data source.
    """

    scores: tuple[Mapping[str, str], ...]
    table: tuple[Mapping[str, str], ...]

    @classmethod
    def read(cls, folder: Path) -> Evidence:
        """Read what there is in an evaluation's folder; a file that is not there is empty."""
        return cls(_rows(folder / SCORES), _rows(folder / TABLE))

    def pairs(self, metric: str, greater: Side, lesser: Side) -> Pairs:
        """Return the images that both sides have, in the evaluation's first region.

        Where the two sides differ in their condition, an image is the same slice under both.
        """
        first, second = (self.by_image(metric, side) for side in (greater, lesser))
        shared = [key for key in first if key in second]
        return Pairs(
            np.array([first[key] for key in shared]),
            np.array([second[key] for key in shared]),
            tuple(f"{source}/{patient}" for source, patient, _ in shared),
        )

    def by_image(self, metric: str, side: Side) -> dict[tuple[str, str, str], float]:
        """Return a side's scores by source, patient and image, in the evaluation's first region.

        Images without a finite score (a region too small for the metric, a slice without a
        tumour, an image without any error) have none to compare and are left out.
        """
        found: dict[tuple[str, str, str], float] = {}
        regions: dict[str, str] = defaultdict(str)
        for row in self.scores:
            condition, region = row["condition"], row.get("region", "")
            if (
                condition == side.condition
                and region == regions.setdefault(condition, region)
                and same_name(_method(row), side.method)
                and math.isfinite(value := float(row.get(metric) or math.nan))
            ):
                found[row["source"], row["patient"], row["image"]] = value
        return found

    def value(self, column: str, side: Side) -> float | None:
        """Return a method's value over all data sources; None where there is none."""
        for row in self.table:
            if (
                row.get("source", ALL) == ALL
                and row.get("condition") == side.condition
                and same_name(_method(row), side.method)
                and row.get(column)
            ):
                return float(row[column])
        return None

    def updates(self, side: Side) -> int | None:
        """Return how many updates a method's weights come from; None where none are told."""
        found = self.value("updates", side)
        return None if found is None else int(found)


def _method(row: Mapping[str, str]) -> str:
    return row.get("method") or row.get("detector") or ""


def _rows(path: Path) -> tuple[Mapping[str, str], ...]:
    if not path.is_file():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
