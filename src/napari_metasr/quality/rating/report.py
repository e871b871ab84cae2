"""The score of a study as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

from napari_metasr.cells import csv_cell, markdown_cell
from napari_metasr.plurals import in_number
from napari_metasr.quality.rating.study import FLAGS, GRADES, SCRIPTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_metasr.quality.rating.score import StudyScore
    from napari_metasr.quality.rating.table import MethodScore

ALL_RATERS = "all"
SMALLEST_P = 0.0001
NOTHING = "–"


def markdown(score: StudyScore) -> str:
    """Return the paper's table over all raters and for each, agreement, and paired tests.

    Every heading says so where ratings of scripts are among those below it.
    """
    grades = ", ".join(f"{grade} ({word})" for grade, word in enumerate(GRADES))
    flags = ", ".join(f"{letter} ({words})" for letter, words in FLAGS.items())
    mark = f" ({SCRIPTED})" if score.scripted else ""
    parts = [
        f"# Mean opinion scores{mark}",
        (
            f"Study {score.study}: {in_number(score.images, 'image')}, "
            f"{in_number(len(score.ratings), 'rating')} by "
            f"{', '.join(map(markdown_cell, score.raters))}."
        ),
        *(f"**Note:** {markdown_cell(remark)}" for remark in score.remarks),
        _method_table(score.overall),
        (
            "MOS: mean ± standard deviation (of the population, divided by n) of the grades "
            f"{grades}; counts of each grade and of the flags {flags}."
        ),
    ]
    if len(score.raters) > 1:
        for rater, rows in score.raters.items():
            own = mark if rater in score.scripted else ""
            parts += [f"## {markdown_cell(rater)}{own}", _method_table(rows)]
        parts += [f"## Agreement of raters{mark}", *_agreement(score)]
    parts += [
        f"## Methods against each other{mark}",
        _table(
            ("methods", "slices", "differing", "mean difference", "p", "p (Holm)"),
            (
                (
                    f"{test.first} – {test.second}",
                    test.slices,
                    test.differing,
                    _number(test.difference, "+.2f"),
                    _p(test.p),
                    _p(test.p_corrected),
                )
                for test in score.tests
            ),
        ),
        (
            "Wilcoxon signed-rank test on the same slices, two-sided, differences averaged over "
            "raters, slices without a difference left out (p = 1 if none is left); corrected for "
            f"{sum(test.slices > 0 for test in score.tests)} tests by Holm's method."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def csv_files(score: StudyScore) -> dict[str, str]:
    """Write CSV by file name: ``mos.csv``, ``agreement.csv``, ``tests.csv``, ``ratings.csv``.

    In each, ``scripted`` is the number of ratings that programs gave, or 1 where there is any.
    """
    tables = {ALL_RATERS: score.overall, **{f"rater {k}": v for k, v in score.raters.items()}}
    return {
        "mos.csv": _csv(
            ("raters", "method", "ratings", "scripted", "mos", "std", *GRADES, *FLAGS),
            (
                (group, row.method, row.ratings, row.scripted, row.mean, row.std, *row.counts,
                 *row.flags.values())
                for group, rows in tables.items()
                for row in rows
            ),
        ),
        "agreement.csv": _csv(
            ("first", "second", "images", "same_grade", "weighted_kappa", "scripted"),
            (
                (pair.first, pair.second, pair.images, pair.same, pair.kappa,
                 int(bool({pair.first, pair.second} & set(score.scripted))))
                for pair in score.agreement.pairs
            ),
        ),
        "tests.csv": _csv(
            ("first", "second", "slices", "differing", "difference", "p", "p_holm", "scripted"),
            (
                (test.first, test.second, test.slices, test.differing, test.difference, test.p,
                 test.p_corrected, int(bool(score.scripted)))
                for test in score.tests
            ),
        ),
        "ratings.csv": _csv(
            ("rater", "image", "slice", "method", "grade", "flags", "time", "after_opening",
             "scripted"),
            (
                (one.rater, one.image, one.slice, one.method, one.grade, one.flags,
                 one.time.isoformat(), int(one.late), int(one.scripted))
                for one in score.ratings
            ),
        ),
    }  # fmt: skip


def _method_table(rows: Iterable[MethodScore]) -> str:
    return _table(
        ("method", "MOS", *(word.capitalize() for word in GRADES), *FLAGS, "ratings"),
        (
            (
                row.method,
                f"{row.mean:.2f} ± {row.std:.3f}" if row.ratings else NOTHING,
                *row.counts,
                *row.flags.values(),
                row.ratings,
            )
            for row in rows
        ),
    )


def _agreement(score: StudyScore) -> list[str]:
    found = score.agreement
    return [
        _table(
            ("raters", "images", "same grade", "weighted kappa"),
            (
                (
                    f"{pair.first} – {pair.second}",
                    pair.images,
                    _number(pair.same, ".0%"),
                    _number(pair.kappa, ".2f"),
                )
                for pair in found.pairs
            ),
        ),
        (
            f"Cohen's kappa with quadratic weights. ICC(2,1) of the {found.raters} raters on the "
            f"{found.images} images that all of them rated: {_number(found.icc, '.2f')}."
        ),
    ]


def _number(value: float, form: str) -> str:
    return NOTHING if math.isnan(value) else format(value, form)


def _p(value: float) -> str:
    return f"< {SMALLEST_P:g}" if value < SMALLEST_P else _number(value, ".4f")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(markdown_cell, line))} |" for line in lines)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    table.writerows(map(csv_cell, row) for row in rows)
    return text.getvalue()
