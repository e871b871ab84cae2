"""What a network gains that is told how its input was reduced, and what wrong words cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.datasets.eight_bits import FULL_RANGE
from metasr_training.evaluation.contestants import REFERENCE, Contestant, baseline, on_grids
from metasr_training.evaluation.methods import Method, by_model
from metasr_training.evaluation.zoom import CONSISTENT
from metasr_training.tables import markdown_table
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction
from napari_metasr.trust.assumption import SHARPEST_FIRST
from napari_metasr.trust.told import Words, tell
from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.condition import Condition
    from metasr_training.evaluation.zoom import ZoomRow
    from napari_metasr.geometry.grids import Scale
    from napari_metasr.zoom.engine import ZoomModel

NOISE_STEP = 0.01
"""Share of the intensity range by which noise is told wrongly."""

TOLD, ESTIMATED = ", told", ", told its estimate"
SHARPER, BLURRIER, NOISIER = ", told sharper", ", told blurrier", ", told noisier"


def neighbours(name: str) -> tuple[str | None, str | None]:
    """Return the reductions that are a step sharper and a step blurrier; None at either end."""
    place = SHARPEST_FIRST.index(name)
    sharper = SHARPEST_FIRST[place - 1] if place else None
    return sharper, SHARPEST_FIRST[place + 1] if place + 1 < len(SHARPEST_FIRST) else None


def told_methods(model: ZoomModel, condition: Condition) -> list[Contestant]:
    """List a model told nothing, told the condition, its neighbours, and each slice's estimate."""
    width = FULL_RANGE[1] - FULL_RANGE[0]
    noise = condition.noise / width
    sharper, blurrier = neighbours(condition.degradation)
    words: dict[str, tuple[str | None, float]] = {
        TOLD: (condition.degradation, noise),
        SHARPER: (sharper, noise),
        BLURRIER: (blurrier, noise),
        NOISIER: (condition.degradation, noise + NOISE_STEP),
    }
    found = [Contestant(model.name, on_grids(by_model(model)))]
    for ending, (name, level) in words.items():
        if name is not None:
            reduction = named_reduction(name)
            told = model.told(acquisition_code((reduction, reduction), level))
            found.append(Contestant(model.name + ending, on_grids(by_model(told))))
    return [*found, Contestant(model.name + ESTIMATED, on_grids(_by_estimate(model)))]


def _by_estimate(model: ZoomModel) -> Method:
    """Wrap a model that is told, of every slice, what the slice shows of its own acquisition."""

    def upscale(
        image: NDArray[Any], scale: Scale, intensity_range: tuple[float, float]
    ) -> NDArray[np.float32]:
        told = tell(Words(), Volume(image, np.eye(4), (1.0, 1.0), Source("slice")))
        return by_model(model.told(told.code))(image, scale, intensity_range)

    return upscale


def methods_beside(
    model: ZoomModel, others: Sequence[ZoomModel] = ()
) -> Callable[[Condition], list[Contestant]]:
    """Return what lists, under a condition, bicubic, Lanczos, other models, and a model last.

    A model that can be told is listed told nothing and, after that, as `told_methods` has it.
    """
    first = [
        Contestant(REFERENCE, baseline(REFERENCE), is_reference=True),
        Contestant("lanczos", baseline("lanczos")),
        *(Contestant(one.name, on_grids(by_model(one))) for one in others),
    ]
    if model.card.can_be_told:
        return lambda condition: [*first, *told_methods(model, condition)]
    return lambda _: [*first, Contestant(model.name, on_grids(by_model(model)))]


def told_table(rows: Iterable[ZoomRow], model: str, beside: Iterable[str]) -> str:
    """Write a line for each degradation, scale and noise: PSNR in the brain's box, of all data.

    Parameters
    ----------
    rows
        Of the model and of all that it is compared with.
    model
        Name of the model.
    beside
        The other methods, which come first.
    """
    lines = _pooled(rows)
    columns = _conditions() | {
        name: _figure(name)
        for name in (
            *beside,
            *(f"{model}{end}" for end in ("", CONSISTENT)),
            *(f"{model}{TOLD}{end}" for end in ("", CONSISTENT)),
            f"{model}{ESTIMATED}",
        )
        if any(name in line for line in lines.values())
    }
    return markdown_table(columns, lines.items())


def wrongly_told_table(rows: Iterable[ZoomRow], model: str) -> str:
    """Write a line for each degradation, scale and noise: PSNR over the model's, told nothing."""
    columns = _conditions() | {
        ending.removeprefix(", "): _difference(model + ending, model)
        for ending in (TOLD, ESTIMATED, SHARPER, BLURRIER, NOISIER)
    }
    return markdown_table(columns, _pooled(rows).items())


Line = tuple[tuple[str, float, float], dict[str, float]]


def _pooled(rows: Iterable[ZoomRow]) -> dict[tuple[str, float, float], dict[str, float]]:
    """Average over data sets, each image counting once."""
    sums: dict[Any, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0]))
    for row in rows:
        cell = sums[row.degradation, row.scale, row.noise][row.method]
        cell[0] += row.images * row.psnr_box
        cell[1] += row.images
    return {
        case: {method: total / count for method, (total, count) in line.items()}
        for case, line in sums.items()
    }


def _conditions() -> dict[str, Callable[[Line], str]]:
    return {
        "degradation": lambda line: line[0][0],
        "scale": lambda line: f"x{line[0][1]:g}",
        "noise sigma": lambda line: f"{line[0][2]:g}" if line[0][2] else "",
    }


def _figure(method: str) -> Callable[[Line], str]:
    return lambda line: f"{line[1][method]:.2f}" if method in line[1] else ""


def _difference(method: str, other: str) -> Callable[[Line], str]:
    return lambda line: f"{line[1][method] - line[1][other]:+.2f}" if method in line[1] else ""
