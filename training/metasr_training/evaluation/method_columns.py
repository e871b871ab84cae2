"""The columns of a table of methods: measured, and as the paper prints them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metasr_training.evaluation.published import published_figure, published_text
from metasr_training.evaluation.scores import ALL
from metasr_training.tables import (
    count_text,
    markdown_table,
    mean_text,
    measure_text,
)


@dataclass(frozen=True)
class TableRow:
    """One method under one condition, on the images of one source or of all.

    PSNR in dB, SSIM, VIF and high-frequency energy (as a share of the truth's) are averaged over
    images in the table's region, PSNR and SSIM in a second one (``other``) too. A network is
    ``converged`` as `metasr_training.evaluation.convergence` tells; ``rank`` is by PSNR on all
    sources' images among the methods that are ranked. ``updates`` are those of all trainings
    that a network's weights come from, which ``trainings`` names one by one; ``batches`` says
    what its seconds an epoch and MiB a step were found with.
    """

    condition: str
    method: str
    source: str
    region: str
    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    vif: float
    high_frequency: float
    flagged: float
    frechet: float
    other: str
    other_psnr: float
    other_ssim: float
    parameters: int | None
    updates: int | None
    trainings: str
    converged: bool | None
    rank: int | None
    epoch_seconds: float | None = None
    step_mib: float | None = None
    batches: str = ""


Columns = dict[str, Callable[[TableRow], str]]


def method_tables(
    experiment: str, rows: Sequence[TableRow], epoch_images: int
) -> list[tuple[str, str]]:
    """Write the paper's table with our figures, and one for each data set if there are several."""
    together = [row for row in rows if row.source == ALL]
    columns = measured_columns() | published_columns(experiment, epoch_images)
    tables = [("Measured, and as published", markdown_table(columns, together))]
    apart = [row for row in rows if row.source != ALL]
    if len({row.source for row in apart}) > 1:
        by_source: Columns = {"source": lambda row: row.source}
        tables.append(("Each data set", markdown_table(by_source | measured_columns(), apart)))
    return tables


def measured_columns() -> Columns:
    """Return the columns of measured figures and of the number of images."""
    return {
        "condition": lambda row: row.condition,
        "method": lambda row: row.method,
        "images": lambda row: str(row.images),
        "PSNR (dB)": lambda row: mean_text(row.psnr, row.psnr_std, 2),
        "SSIM": lambda row: mean_text(row.ssim, row.ssim_std, 3),
        "VIF": lambda row: measure_text(row.vif),
        "high-frequency energy": lambda row: measure_text(row.high_frequency),
        "patches flagged": lambda row: measure_text(row.flagged),
        "Fréchet distance": lambda row: measure_text(row.frechet),
    }


def published_columns(experiment: str, epoch_images: int) -> Columns:
    """Return the columns of the paper's figures and of what else is known of a method."""

    def published(metric: str) -> Callable[[TableRow], str]:
        return lambda row: published_text(experiment, row.condition, row.method, metric)

    def parameters(row: TableRow) -> str:
        figure = published_figure(experiment, row.condition, row.method, "parameters")
        return "" if figure is None else count_text(figure.value)

    return {
        "published PSNR": published("psnr"),
        "published SSIM": published("ssim"),
        "elsewhere": lambda row: f"{row.other}: {row.other_psnr:.2f} / {row.other_ssim:.3f}",
        "rank": lambda row: "not converged" if row.rank is None else str(row.rank),
        "parameters": lambda row: count_text(row.parameters),
        "published parameters": parameters,
        "updates": lambda row: row.trainings,
        f"s an epoch of {epoch_images:,}": lambda row: count_text(row.epoch_seconds),
        "published s an epoch": published("epoch_seconds"),
        "MiB a step": lambda row: count_text(row.step_mib),
        "with batches of": lambda row: row.batches,
    }
