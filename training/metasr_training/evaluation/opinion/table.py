"""Mean opinion scores beside those that the paper prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from metasr_training.evaluation.published import published_figure, published_text
from metasr_training.tables import count_text, mean_text
from napari_metasr.quality.rating import SCRIPTED

if TYPE_CHECKING:
    from napari_metasr.quality.rating import MethodScore

GROUND_TRUTH = "Ground truth"
FLAGS = "SAUN"
PRINTED_GRADES = ("poor", "fair", "good", "great")
GRADES = ("non-diagnostic", *PRINTED_GRADES)


@dataclass(frozen=True)
class OpinionRow:
    """What was said of one method, or nothing yet, beside what the paper prints.

    ``scripted`` of the ratings were given by programs: they are no person's opinion.
    """

    method: str
    published_mos: float | None
    published_mos_std: float | None
    ratings: int = 0
    scripted: int = 0
    mos: float | None = None
    mos_std: float | None = None
    non_diagnostic: int | None = None
    poor: int | None = None
    fair: int | None = None
    good: int | None = None
    great: int | None = None
    flag_s: int | None = None
    flag_a: int | None = None
    flag_u: int | None = None
    flag_n: int | None = None


def opinion_rows(
    experiment: str, condition: str, labels: Iterable[str], opinions: Mapping[str, MethodScore]
) -> list[OpinionRow]:
    """Make a row for each method; those without ratings have the paper's figures alone."""
    rows = []
    for label in labels:
        printed = published_figure(experiment, condition, label, "mos")
        figures = (None, None) if printed is None else (printed.value, printed.std)
        row = OpinionRow(label, *figures)
        rows.append(_rated(row, opinions[label]) if label in opinions else row)
    return rows


def opinion_title(rows: Iterable[OpinionRow]) -> str:
    """Return the heading of the table, which says so where scripts gave any of the ratings."""
    mark = f" ({SCRIPTED})" if any(row.scripted for row in rows) else ""
    return f"Mean opinion scores{mark}"


def _rated(row: OpinionRow, score: MethodScore) -> OpinionRow:
    counts: dict[str, Any] = {
        name.replace("-", "_"): n for name, n in zip(GRADES, score.counts, strict=True)
    }
    flags: dict[str, Any] = {f"flag_{flag.lower()}": score.flags[flag] for flag in FLAGS}
    figures: dict[str, Any] = {"ratings": score.ratings, "scripted": score.scripted}
    return replace(row, mos=score.mean, mos_std=score.std, **figures, **counts, **flags)


def opinion_columns(experiment: str, condition: str) -> dict[str, Callable[[OpinionRow], str]]:
    """Return the columns of the paper's table, measured and published."""

    def counted(name: str) -> Callable[[OpinionRow], str]:
        return lambda row: count_text(getattr(row, name))

    def printed(metric: str) -> Callable[[OpinionRow], str]:
        return lambda row: published_text(experiment, condition, row.method, metric)

    return {
        "method": lambda row: row.method,
        "MOS": lambda row: "" if row.mos is None else mean_text(row.mos, row.mos_std, 3),
        "scripted ratings": lambda row: count_text(row.scripted or None),
        **{grade: counted(grade.replace("-", "_")) for grade in GRADES},
        **{flag: counted(f"flag_{flag.lower()}") for flag in FLAGS},
        "published MOS": printed("mos"),
        **{f"published {grade}": printed(f"count_{grade}") for grade in PRINTED_GRADES},
        **{f"published {flag}": printed(f"flag_{flag.lower()}") for flag in FLAGS},
    }
