"""What a model gains on patients that it was not trained on, over bicubic and over its start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from metasr_training.datasets.contrasts import person
from metasr_training.datasets.slices import some_of_each
from metasr_training.evaluation.contestants import REFERENCE, Contestant, baseline, on_grids
from metasr_training.evaluation.methods import by_model
from metasr_training.evaluation.scores import measure as measured
from metasr_training.evaluation.scores import upscaled
from metasr_training.evaluation.stacks import THICK, THIN, thinned
from metasr_training.evaluation.zoom import score_slice
from metasr_training.seeds import spread_over_seeds
from metasr_training.tables import markdown_table, mean_text

if TYPE_CHECKING:
    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice, Split
    from metasr_training.evaluation.scores import ImageScore
    from napari_metasr.zoom.engine import ZoomModel

START = "start"
FACTORS = (2.0, 3.0, 4.0)
"""How many times fewer slices models across slices are compared on."""
WHOLE = "slice"


@dataclass(frozen=True)
class LeftOutRow:
    """Mean PSNR (dB, whole slices, intensities 0..255) under one condition.

    Attributes
    ----------
    condition
        Degradation and scale.
    bicubic, start
        Of interpolation, and of the model that the training began with.
    tuned
        Of each trained model, one a seed.
    """

    condition: str
    bicubic: float
    start: float
    tuned: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean PSNR of the trained models (dB)."""
        return fmean(self.tuned)


@dataclass(frozen=True)
class LeftOut:
    """Trained models compared on patients who were left out of their training.

    Attributes
    ----------
    split
        ``test``; or ``val``, the patients who also chose the weights that are kept.
    patients, slices
        How many were compared.
    rows
        One a condition.
    better
        Patients on whom the trained models' mean PSNR over all conditions is above the start's.
    """

    split: Split
    patients: int
    slices: int
    rows: tuple[LeftOutRow, ...]
    better: int

    @property
    def gain(self) -> float:
        """Mean PSNR over the start's, over all conditions and seeds (dB)."""
        return fmean(row.mean - row.start for row in self.rows)

    @property
    def spread(self) -> float | None:
        """Sample standard deviation of that gain over the seeds (dB); None for a single seed."""
        gains = [
            fmean(tuned - row.start for row, tuned in zip(self.rows, column, strict=True))
            for column in zip(*(row.tuned for row in self.rows), strict=True)
        ]
        return spread_over_seeds(gains)

    @property
    def concern(self) -> str:
        """What a user must know of the comparison; empty where it is as hoped for."""
        concerns = []
        if self.gain <= 0:
            concerns.append(
                "On the patients left out it was no better than the model it began with "
                f"({self.gain:+.2f} dB)."
            )
        if self.split == "val":
            concerns.append(
                "The patients it was measured on also chose the weights that were kept."
            )
        seeds = len(self.rows[0].tuned)
        if seeds > 1:
            concerns.append(f"Gains are means over {seeds} trainings, of which this is one.")
        return " ".join(concerns)

    def results(self) -> dict[str, Any]:
        """Collect the results for the model card."""
        spread = self.spread
        return {
            "psnr_gain_over_bicubic": {
                row.condition: round(row.mean - row.bicubic, 2) for row in self.rows
            },
            "psnr_gain_over_start": {
                row.condition: round(row.mean - row.start, 2) for row in self.rows
            },
            "split": self.split,
            "patients": self.patients,
            "slices": self.slices,
            "patients_better_than_start": self.better,
            "seeds": len(self.rows[0].tuned),
            "spread_over_seeds": None if spread is None else round(spread, 3),
        }

    def table(self) -> str:
        """Tabulate in Markdown, a line per condition; ± is the seeds' sample standard deviation."""
        return markdown_table(
            {
                "reduced by": lambda row: row.condition,
                "bicubic": lambda row: f"{row.bicubic:.2f}",
                "start": lambda row: f"{row.start:.2f}",
                "fine-tuned": lambda row: mean_text(row.mean, spread_over_seeds(row.tuned), 2),
                "over bicubic": lambda row: f"{row.mean - row.bicubic:+.2f}",
                "over start": lambda row: f"{row.mean - row.start:+.2f}",
            },
            self.rows,
        )


@dataclass(frozen=True)
class Reductions:
    """How slices are reduced, and what methods are compared on.

    Attributes
    ----------
    titles
        Of the conditions, by the names that their scores carry.
    score
        Called with a slice and the models by their labels: reduces the slice under every
        condition, and compares interpolation and the models.
    """

    titles: Mapping[str, str]
    score: Callable[[Slice, Mapping[str, ZoomModel]], Iterator[ImageScore]]


def in_plane(conditions: Sequence[Condition]) -> Reductions:
    """Reduce both axes of slices, for models that super-resolve slices."""

    def score(one: Slice, models: Mapping[str, ZoomModel]) -> Iterator[ImageScore]:
        yield from score_slice(one, _methods(models), conditions)

    return Reductions({one.name: f"{one.degradation} x{one.scale:g}" for one in conditions}, score)


def across_slices() -> Reductions:
    """Thin out the rows of slices, for models that super-resolve across slices.

    Models that can be told how thick slices are for their spacing are told.
    """
    wanted = [(factor, thickness) for factor in FACTORS for thickness in (THICK, THIN)]

    def score(one: Slice, models: Mapping[str, ZoomModel]) -> Iterator[ImageScore]:
        for factor, thickness in wanted:
            told = {
                label: model.told(thickness.code) if model.card.can_be_told else model
                for label, model in models.items()
            }
            case = thinned(one, factor, thickness)
            for label, output in upscaled(case, _methods(told)):
                yield from measured(case, label, output, looks=False)

    titles = {
        f"x{factor:g}-{kind.name}": f"{kind.name} slices x{factor:g}" for factor, kind in wanted
    }
    return Reductions(titles, score)


def _methods(models: Mapping[str, ZoomModel]) -> list[Contestant]:
    return [
        Contestant(REFERENCE, baseline(REFERENCE), is_reference=True),
        *(Contestant(label, on_grids(by_model(one))) for label, one in models.items()),
    ]


def measure(
    slices: Sequence[Slice],
    split: Split,
    start: ZoomModel,
    tuned: Sequence[ZoomModel],
    reductions: Reductions,
    count: int,
) -> LeftOut:
    """Reduce slices, upscale them by every model, and compare.

    Parameters
    ----------
    slices, split
        Of patients who were not trained on.
    start, tuned
        The model that the training began with, and what it has become, one a seed.
    reductions
        How slices are reduced.
    count
        How many slices of each data set are compared, evenly spread over its patients; all if 0.
    """
    chosen = some_of_each(list(slices), count)
    names = [f"seed {number}" for number in range(len(tuned))]
    models = {START: start} | dict(zip(names, tuned, strict=True))
    scores = [
        score
        for one in tqdm(chosen, desc="patients left out", unit="slice")
        for score in reductions.score(one, models)
        if score.region == WHOLE
    ]
    rows = [
        LeftOutRow(
            condition=title,
            bicubic=_mean(scores, REFERENCE, condition=condition),
            start=_mean(scores, START, condition=condition),
            tuned=tuple(_mean(scores, name, condition=condition) for name in names),
        )
        for condition, title in reductions.titles.items()
    ]
    patients: dict[tuple[str, str], list[ImageScore]] = {}
    for score in scores:
        patients.setdefault(person(score.source, score.patient), []).append(score)
    better = sum(
        fmean(_mean(own, name) for name in names) > _mean(own, START) for own in patients.values()
    )
    return LeftOut(split, len(patients), len(chosen), tuple(rows), better)


def _mean(scores: Sequence[ImageScore], method: str, **where: str) -> float:
    """Average the PSNR of a method over the images whose fields have these values."""
    return fmean(
        one.psnr for one in scores if one.method == method and where.items() <= vars(one).items()
    )
