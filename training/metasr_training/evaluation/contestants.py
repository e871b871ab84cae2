"""The rows of a table: interpolation and trained networks, called alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.catalogue import recipe
from metasr_training.datasets.eight_bits import FULL_RANGE
from metasr_training.evaluation.methods import Method as ByScale
from metasr_training.evaluation.methods import bilinear_nld, interpolation
from napari_metasr.zoom.baselines import BASELINES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.catalogue import Experiment, Method
    from metasr_training.condition import Condition
    from metasr_training.trained import TrainedNetwork
    from napari_metasr.geometry.grids import OutputGrid

    Upscale = Callable[[NDArray[Any], OutputGrid, tuple[float, float]], NDArray[np.float32]]
    LoadNetwork = Callable[[str], TrainedNetwork]

BASELINE_METHODS: dict[str, ByScale] = {
    **{name: interpolation(name) for name in BASELINES},
    "b+nld": bilinear_nld,
}
REFERENCE = "bicubic"
REFERENCE_LABEL = "Bicubic (reference)"


@dataclass(frozen=True)
class Contestant:
    """A method under one condition.

    Attributes
    ----------
    label
        As tables print it.
    upscale
        (h, w) low-resolution slice on the 0..255 scale, its output grid, and what a network sees
        as 0 and 1 (interpolation ignores it) to (H, W), clipped to 0..255.
    network
        The trained network; None for interpolation.
    is_reference
        Whether it is the bicubic interpolation that a converged network reaches.
    """

    label: str
    upscale: Upscale
    network: TrainedNetwork | None = None
    is_reference: bool = False


def contestants(
    experiment: Experiment, condition: Condition, load: LoadNetwork
) -> list[Contestant]:
    """List the experiment's methods, with bicubic interpolation first if it is not among them.

    Raises
    ------
    FileNotFoundError
        If a network that a row needs was not trained.
    """
    found = [_contestant(method, condition, load) for method in experiment.methods]
    if any(one.is_reference for one in found):
        return found
    return [Contestant(REFERENCE_LABEL, baseline(REFERENCE), is_reference=True), *found]


def baseline(name: str) -> Upscale:
    """Interpolation as a method.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name not in BASELINE_METHODS:
        raise ValueError(f"expected a baseline among {', '.join(BASELINE_METHODS)}, found {name!r}")
    return on_grids(BASELINE_METHODS[name])


def on_grids(upscale: ByScale) -> Upscale:
    """Adapt a method that takes scales so that it takes grids."""
    return lambda image, grid, intensity_range: upscale(
        image, (grid.rows.scale, grid.columns.scale), intensity_range
    )


def by_network(network: TrainedNetwork, code: NDArray[np.float32] | None = None) -> Upscale:
    """Wrap a trained network as a method; one that can be told of acquisitions is told a code."""
    return lambda image, grid, intensity_range: network.upscale(
        image, grid, intensity_range=intensity_range, value_range=FULL_RANGE, code=code
    )


def _contestant(method: Method, condition: Condition, load: LoadNetwork) -> Contestant:
    if method.baseline is not None:
        return Contestant(
            method.label, baseline(method.baseline), is_reference=method.baseline == REFERENCE
        )
    network = load(recipe(str(method.recipe)).network_name(condition))
    return Contestant(method.label, by_network(network), network)
