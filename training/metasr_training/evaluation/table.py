"""A table of PSNR and SSIM: means over images, for each source, degradation and scale."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from napari_metasr.files import replacing


@dataclass(frozen=True)
class Score:
    """One image enlarged by one method: PSNR in dB and SSIM, on the slice and in the brain box."""

    source: str
    degradation: str
    scale: float
    method: str
    psnr: float
    ssim: float
    psnr_box: float
    ssim_box: float


@dataclass(frozen=True)
class Row:
    """Mean and standard deviation of the scores of one method over ``images`` images."""

    source: str
    degradation: str
    scale: float
    method: str
    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    psnr_box: float
    ssim_box: float


def summarise(scores: Iterable[Score]) -> list[Row]:
    """Average the scores of every source, degradation, scale and method, in order of coming."""
    groups: dict[tuple[str, str, float, str], list[Score]] = defaultdict(list)
    for score in scores:
        groups[score.source, score.degradation, score.scale, score.method].append(score)
    rows = []
    for key, group in groups.items():
        psnr = [score.psnr for score in group]
        ssim = [score.ssim for score in group]
        rows.append(
            Row(
                *key,
                images=len(group),
                psnr=float(np.mean(psnr)),
                psnr_std=float(np.std(psnr)),
                ssim=float(np.mean(ssim)),
                ssim_std=float(np.std(ssim)),
                psnr_box=float(np.mean([score.psnr_box for score in group])),
                ssim_box=float(np.mean([score.ssim_box for score in group])),
            )
        )
    return rows


def markdown(rows: Iterable[Row], methods: tuple[str, ...]) -> str:
    """One line for each source, degradation and scale: PSNR / SSIM of every method, and the gain.

    The gain is the last method's mean PSNR over the first's.
    """
    by_case: dict[tuple[str, str, float], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_case[row.source, row.degradation, row.scale][row.method] = row
    head = ["source", "degradation", "scale", "images", *methods, "gain", "gain in brain box"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for (source, degradation, scale), cases in by_case.items():
        first, last = cases[methods[0]], cases[methods[-1]]
        cells = [
            source,
            degradation,
            f"x{scale:g}",
            str(first.images),
            *(f"{cases[name].psnr:.2f} / {cases[name].ssim:.3f}" for name in methods),
            f"{last.psnr - first.psnr:+.2f}",
            f"{last.psnr_box - first.psnr_box:+.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_csv(rows: list[Row], path: Path) -> None:
    """Write every row and column."""
    with replacing(path, overwrite=True) as temporary, temporary.open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)])
        table.writeheader()
        table.writerows(asdict(row) for row in rows)
