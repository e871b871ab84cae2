"""Evaluations of runs that differ in their seed alone: means, and their spread over the seeds."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from metasr_training.evaluation.about import ABOUT, TABLE, EvaluationAbout, write_about
from metasr_training.evaluation.scores import ALL
from metasr_training.seeds import spread_over_seeds
from metasr_training.tables import markdown_table, mean_text, write_rows
from napari_metasr.files import replacing_folder

TABLE_ROWS = "table.csv"
LABELS = (
    *("condition", "data", "source", "degradation", "scale", "noise"),
    *("thickness", "factor", "method", "detector"),
)
UNSAID = {"", ALL, "0.0"}
"""Values of labels that are left out: all data sets, no noise."""
MEASURES = {
    "psnr": ("PSNR (dB)", 2),
    "ssim": ("SSIM", 3),
    "vif": ("VIF", 3),
    "high_frequency": ("high-frequency energy", 3),
    "flagged": ("patches flagged", 3),
    "frechet": ("Fréchet distance", 3),
    "acceptable": ("acceptable", 3),
    "area_share": ("share of the slice", 3),
    "specificity": ("specificity", 3),
    "updates_per_second": ("updates a second", 2),
}
"""Columns of an evaluation's table that are averaged: their headings and digits."""


@dataclass(frozen=True)
class SeedsRow:
    """A measure of one row of a table, over the seeds.

    Attributes
    ----------
    row
        What the row is of, in words.
    measure
        The column of the table.
    seeds
        How many trainings there are.
    mean, spread
        Mean over the trainings, and their sample standard deviation; None for a single one.
    """

    row: str
    measure: str
    seeds: int
    mean: float
    spread: float | None


def seeds_rows(tables: Sequence[Path]) -> list[SeedsRow]:
    """Average the rows that tables of all seeds have in common.

    Those of all data sets together are taken where there are any.

    Parameters
    ----------
    tables
        A ``table.csv`` of each seed.
    """
    found = [_values(path) for path in tables]
    rows = []
    for label, measures in found[0].items():
        if not all(label in one for one in found):
            continue
        for measure in measures:
            values = [one[label].get(measure, math.nan) for one in found]
            if all(map(math.isfinite, values)):
                mean, spread = fmean(values), spread_over_seeds(values)
                rows.append(SeedsRow(label, measure, len(values), mean, spread))
    return rows


def seeds_table(rows: Sequence[SeedsRow]) -> str:
    """Write the averages in Markdown, a line for each row of the seeds' tables."""
    cells = {(row.row, row.measure): row for row in rows}

    def text(label: str, measure: str) -> str:
        row = cells.get((label, measure))
        return "" if row is None else mean_text(row.mean, row.spread, MEASURES[measure][1])

    columns = {"": lambda label: label} | {
        heading: lambda label, measure=measure: text(label, measure)
        for measure, (heading, _) in MEASURES.items()
    }
    return markdown_table(columns, dict.fromkeys(row.row for row in rows))


def put_together(evaluations: Mapping[int, Path], output: Path) -> EvaluationAbout:
    """Write one evaluation of several seeds: that of the first, headed by means over all.

    Parameters
    ----------
    evaluations
        Each seed's folder of the same experiment's evaluation.
    output
        The folder to write, whole or not at all.
    """
    seeds, folders = list(evaluations), list(evaluations.values())
    first = EvaluationAbout.model_validate_json((folders[0] / ABOUT).read_bytes())
    tables = [folder / TABLE_ROWS for folder in folders]
    rows = seeds_rows(tables) if all(path.exists() for path in tables) else []
    over = f"Over {len(seeds)} seeds: mean ± sample standard deviation of the trainings' means"
    note = (
        f"Trained with the seeds {', '.join(map(str, seeds))}. What is not over all seeds is of "
        f"seed {seeds[0]}."
    )
    about = first.model_copy(
        update={
            "tables": (*([(over, seeds_table(rows))] if rows else []), *first.tables),
            "notes": (note, *first.notes),
        }
    )
    output.parent.mkdir(exist_ok=True)
    with replacing_folder(output) as folder:
        for path in folders[0].iterdir():
            if path.name not in {ABOUT, TABLE}:
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / path.name)
        if rows:
            write_rows(folder / "seeds.csv", rows)
        write_about(folder, about)
    return about


def _values(path: Path) -> dict[str, dict[str, float]]:
    """Return the measures of a table's rows by what they are of."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows = [row for row in rows if row.get("source", ALL) == ALL] or rows
    return {
        ", ".join(row[name] for name in LABELS if row.get(name, "") not in UNSAID): {
            name: float(row[name]) for name in MEASURES if row.get(name)
        }
        for row in rows
    }
