"""How well a slice, reduced by a known degradation, is upscaled again: at any scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from metasr_training.condition import Condition
from metasr_training.datasets.eight_bits import FULL_RANGE
from metasr_training.evaluation.cases import RegionOptions, make_case
from metasr_training.evaluation.scores import averages, measure, upscaled
from metasr_training.tables import markdown_table
from napari_metasr.degradations import named_reduction
from napari_metasr.trust.consistency import PlaneConsistency

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.cases import Case
    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.evaluation.scores import ImageScore

IN_PLANE = ("bicubic", "bilinear", "box", "k-space")
"""The degradations that the published networks were trained on."""


@dataclass(frozen=True)
class ZoomRow:
    """One method under one condition, averaged over ``images`` images of a data set.

    PSNR in dB and SSIM on whole slices, and (``box``) in the brain's box.
    """

    source: str
    degradation: str
    scale: float
    noise: float
    method: str
    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    psnr_box: float
    ssim_box: float

    @property
    def case(self) -> tuple[str, str, float, float]:
        """What methods are compared under."""
        return self.source, self.degradation, self.scale, self.noise


def zoom_conditions(
    scales: Iterable[float], degradations: Iterable[str], noise: Iterable[float] = (0,)
) -> list[Condition]:
    """List every degradation at every scale, with each noise."""
    return [
        Condition(scale=scale, degradation=name, noise=sigma)
        for sigma, name, scale in product(noise, degradations, scales)
    ]


CONSISTENT = ", consistent"
"""Behind a method's label: projected onto the slices that reduce to the input."""


def score_slice(
    one: Slice,
    methods: Sequence[Contestant] | Callable[[Condition], Sequence[Contestant]],
    conditions: Iterable[Condition],
    projected: Collection[str] = (),
) -> Iterator[ImageScore]:
    """Reduce a slice in every way, upscale it by every method, and compare on the 0..255 scale.

    PSNR and SSIM have a data range of 255, on the whole slice and in the brain's bounding box.

    Parameters
    ----------
    methods
        Those that are compared, or what gives them under a condition.
    projected
        Labels of methods that are compared a second time, made consistent with the input under the
        condition's own degradation; see `napari_metasr.trust.consistency`.
    """
    for condition in conditions:
        case = make_case(one, condition, "slice", RegionOptions())
        if case is not None:
            compared = methods(condition) if callable(methods) else methods
            for label, output in upscaled(case, compared):
                yield from measure(case, label, output, looks=False)
                if label in projected:
                    consistent = _consistent(case, condition.degradation, output)
                    yield from measure(case, label + CONSISTENT, consistent, looks=False)


def _consistent(case: Case, degradation: str, output: NDArray[Any]) -> NDArray[np.float32]:
    """Project an output onto the slices that reduce to the case's input; clipped to 0..255."""
    reduction = named_reduction(degradation)
    projection = PlaneConsistency(case.grid, (reduction, reduction))
    return projection(output, case.low_resolution).clip(*FULL_RANGE)


def zoom_rows(scores: Iterable[ImageScore], conditions: Iterable[Condition]) -> list[ZoomRow]:
    """Average the scores of every data set, condition and method."""
    scores = list(scores)
    found = averages(scores)
    methods = list(dict.fromkeys(score.method for score in scores))
    rows = []
    for source in dict.fromkeys(score.source for score in scores):
        for condition in conditions:
            for method in methods:
                if (condition.name, method, "slice", source) not in found:
                    continue
                whole = found[condition.name, method, "slice", source]
                box = found[condition.name, method, "brain", source]
                rows.append(
                    ZoomRow(
                        source=source,
                        degradation=condition.degradation,
                        scale=condition.scale,
                        noise=condition.noise,
                        method=method,
                        images=whole.images,
                        psnr=whole.psnr,
                        psnr_std=whole.psnr_std,
                        ssim=whole.ssim,
                        ssim_std=whole.ssim_std,
                        psnr_box=box.psnr,
                        ssim_box=box.ssim,
                    )
                )
    return rows


def gain_table(rows: Iterable[ZoomRow]) -> str:
    """Write a line for each data set, degradation, scale and noise: what every method gains.

    The gain is a method's mean PSNR in the brain's box over the first method's, in dB.
    """
    lines: dict[tuple[str, str, float, float], list[ZoomRow]] = defaultdict(list)
    for row in rows:
        lines[row.case].append(row)

    def gain(place: int) -> Callable[[list[ZoomRow]], str]:
        return lambda line: f"{line[place].psnr_box - line[0].psnr_box:+.2f}"

    columns: dict[str, Callable[[list[ZoomRow]], str]] = {
        "source": lambda line: line[0].source,
        "degradation": lambda line: line[0].degradation,
        "scale": lambda line: f"x{line[0].scale:g}",
        "noise sigma": lambda line: f"{line[0].noise:g}" if line[0].noise else "",
    }
    first = next(iter(lines.values()), [])
    columns |= {row.method: gain(place) for place, row in enumerate(first) if place}
    return markdown_table(columns, lines.values())


def gains_of(rows: Sequence[ZoomRow], name: str, over: str) -> dict[str, float]:
    """Return what a method gains over another, in dB, by data set, degradation and scale."""
    reference = {row.case: row.psnr for row in rows if row.method == over}
    return {
        f"{row.source}/{row.degradation}/x{row.scale:g}": round(row.psnr - reference[row.case], 2)
        for row in rows
        if row.method == name
    }


def zoom_table(rows: Iterable[ZoomRow], gaining: str | None = None) -> str:
    """Write a line for each data set, degradation and scale: every method's PSNR / SSIM, the gain.

    Methods that are not measured under every condition are left out.

    Parameters
    ----------
    gaining
        The method whose mean PSNR is compared with the first's; the last one by default.
    """
    lines: dict[tuple[str, str, float, float], list[ZoomRow]] = defaultdict(list)
    for row in rows:
        lines[row.case].append(row)

    def figures(place: int) -> Callable[[list[ZoomRow]], str]:
        return lambda line: f"{line[place].psnr:.2f} / {line[place].ssim:.3f}"

    columns: dict[str, Callable[[list[ZoomRow]], str]] = {
        "source": lambda line: line[0].source,
        "degradation": lambda line: line[0].degradation,
        "scale": lambda line: f"x{line[0].scale:g}",
        "images": lambda line: str(line[0].images),
    }
    if any(row.noise for line in lines.values() for row in line):
        columns["noise sigma"] = lambda line: f"{line[0].noise:g}"
    everywhere = set.intersection(*({row.method for row in line} for line in lines.values()))
    for case, line in lines.items():
        lines[case] = [row for row in line if row.method in everywhere]
    names = [row.method for row in next(iter(lines.values()))]
    columns |= {name: figures(place) for place, name in enumerate(names)}
    last = next(one for one in reversed(names) if not one.endswith(CONSISTENT))
    plain = names.index(gaining or last)
    projected = f"{names[plain]}{CONSISTENT}" in names
    columns["gain"] = lambda line: f"{line[plain].psnr - line[0].psnr:+.2f}"
    columns["gain in brain box"] = lambda line: f"{line[plain].psnr_box - line[0].psnr_box:+.2f}"
    if projected:
        columns["consistent gain in brain box"] = lambda line: (
            f"{line[plain + 1].psnr_box - line[0].psnr_box:+.2f}"
        )
    return markdown_table(columns, lines.values())
