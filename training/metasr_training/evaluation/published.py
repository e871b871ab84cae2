"""What the papers print, to stand beside what was measured."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PUBLISHED = Path(__file__).parents[1] / "published.csv"
NAMES = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "epoch_seconds": "seconds an epoch",
    "inference_seconds": "seconds for the validation set",
}


@dataclass(frozen=True)
class PublishedFigure:
    """One number that a paper prints.

    Attributes
    ----------
    experiments
        The ids of the experiments it belongs to.
    condition, method
        As the experiments name them; empty where it is of none in particular.
    metric
        ``psnr`` (dB), ``ssim``, ``parameters``, ``epoch_seconds``, ``inference_seconds``, ``mos``,
        ``count_poor`` .. ``count_great``, ``flag_s`` .. ``flag_n``, ``perfect_percent`` and others.
    value, std
        The number, and its standard deviation where one is printed.
    printed
        The same as the paper prints it: ``18.72 ± 5.338``.
    source
        Paper, and table or section.
    note
        What is odd about the way it is printed.
    """

    experiments: tuple[str, ...]
    condition: str
    method: str
    metric: str
    value: float
    std: float | None
    printed: str
    source: str
    note: str


@cache
def published_figures() -> tuple[PublishedFigure, ...]:
    """Read all figures of ``published.csv``, in its order."""
    with PUBLISHED.open(newline="", encoding="utf-8") as file:
        return tuple(
            PublishedFigure(
                experiments=tuple(row["experiment"].split()),
                condition=row["condition"],
                method=row["method"],
                metric=row["metric"],
                value=float(row["value"]),
                std=float(row["std"]) if row["std"] else None,
                printed=" ± ".join(filter(None, (row["value"], row["std"]))),
                source=row["source"],
                note=row["note"],
            )
            for row in csv.DictReader(file)
        )


def same_name(one: str, other: str) -> bool:
    """Compare labels by letters, digits and + alone: ``GAN + Pre-train``, ``GAN+Pre_train``."""
    return _letters(one) == _letters(other)


def published_figure(
    experiment: str, condition: str, method: str, metric: str
) -> PublishedFigure | None:
    """Find the figure that a paper prints for a cell of a table; None if it prints none."""
    for figure in published_figures():
        if (
            experiment in figure.experiments
            and figure.metric == metric
            and figure.condition == condition
            and same_name(figure.method, method)
        ):
            return figure
    return None


def published_text(experiment: str, condition: str, method: str, metric: str) -> str:
    """Return a figure as printed, ``18.72 ± 5.338`` or ``32.1``; empty if the paper prints none."""
    figure = published_figure(experiment, condition, method, metric)
    return "" if figure is None else figure.printed


def sharing(experiment: str, metric: str) -> tuple[str, ...]:
    """List the experiments that share a metric's printed figures; empty if it is not printed."""
    for figure in published_figures():
        if experiment in figure.experiments and figure.metric == metric:
            return figure.experiments
    return ()


def published_notes(experiment: str, *metrics: str) -> list[str]:
    """List the notes on how these metrics are printed, each with the figures that it concerns."""
    about: dict[tuple[str, str], list[str]] = {}
    for figure in published_figures():
        if experiment in figure.experiments and figure.metric in metrics and figure.note:
            about.setdefault((figure.note, figure.metric), []).append(
                f"{figure.method} {figure.condition}"
            )
    return [
        f"Published {NAMES.get(metric, metric)} of {', '.join(places)}: {note}."
        for (note, metric), places in about.items()
    ]


def _letters(label: str) -> str:
    return "".join(one for one in label.casefold() if one.isalnum() or one == "+")
