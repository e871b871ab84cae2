"""The smallest lesion that survives being acquired with larger pixels and enlarged again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.trust.lesions import Place, Probe, Shape, flat_tissue, places
from napari_metasr.trust.own_slices import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_metasr.trust.own_slices import Enlargement, OwnSlice

SEEN = 0.5
"""Share of its own contrast from which a lesion counts as seen."""

SURVIVES = 0.9
"""Share of places in which a lesion must be seen to survive."""

LEAST_PLACES = 8
"""Places from which on a share is judged."""

RULE = (
    f"a lesion counts as seen where the enlarged image shows at least {SEEN:.0%} of the contrast "
    "that it has in the scan itself (mean over the lesion less mean over a ring around it). A "
    "false lesion is a place of flat tissue without one at which the enlarged image shows that "
    "much contrast. A size survives if it, and every larger size that was tried, is seen in "
    f"{SURVIVES:.0%} of the places."
)


@dataclass(frozen=True)
class Tried:
    """Lesions of one size, put into one slice once.

    Attributes
    ----------
    scale, diameter
        By how much the slice was reduced; in mm (or pixels).
    recovered
        Of each method: for each lesion the contrast that it has, as a share of its own.
    seen
        Of each method: for each lesion whether it is seen.
    false
        Of each method: places without a lesion at which one is seen, and all those places.
    """

    scale: float
    diameter: float
    recovered: Mapping[str, tuple[float, ...]]
    seen: Mapping[str, tuple[bool, ...]]
    false: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Survival:
    """What becomes of lesions of one size at one scale, by one method.

    Attributes
    ----------
    scale, diameter, method
        By how much slices were reduced; in mm (or pixels); one of the `METHODS`.
    places
        In how many places a lesion was put.
    recovered
        Mean contrast, as a share of the lesions' own; NaN without places.
    seen, false
        Share of places in which a lesion is seen, and of places without one in which one is seen;
        NaN without places.
    """

    scale: float
    diameter: float
    method: str
    places: int
    recovered: float
    seen: float
    false: float

    @property
    def survives(self) -> bool:
        """Whether lesions of this size are seen nearly everywhere."""
        return self.places >= LEAST_PLACES and self.seen >= SURVIVES


def with_lesions(
    image: NDArray[np.float32], probe: Probe, chosen: Sequence[Place], contrast: float
) -> NDArray[np.float32]:
    """Return a slice with lesions put in, whose height is ``contrast`` in the slice's units."""
    out = image.copy()
    for place in chosen:
        out[probe.patch(place)] += (contrast * probe.drawn(place)).astype(np.float32)
    return out


@dataclass(frozen=True)
class Layout:
    """Where lesions of one size go in one slice.

    Attributes
    ----------
    probe
        Draws and measures them.
    truth
        The slice.
    chosen
        Their places.
    free
        Boolean, pixels of flat tissue, for false lesions.
    contrast
        Of the lesions, in the slice's units; negative of dark ones.
    """

    probe: Probe
    truth: OwnSlice
    chosen: tuple[Place, ...]
    free: NDArray[np.bool_]
    contrast: float

    @classmethod
    def of(
        cls,
        truth: OwnSlice,
        diameter: float,
        spacing: tuple[float, float],
        *,
        scale: float,
        contrast: float,
        most: int,
        rng: np.random.Generator,
    ) -> Layout:
        """Choose places in the flat tissue of a slice."""
        probe = Probe(diameter, spacing)
        free = flat_tissue(probe, truth.image, truth.head, contrast, spacing)
        chosen = tuple(places(probe, free, spacing, scale, most, rng))
        return cls(probe, truth, chosen, free, contrast)

    @property
    def image(self) -> NDArray[np.float32]:
        """The slice with the lesions."""
        return with_lesions(self.truth.image, self.probe, self.chosen, self.contrast)

    def measure(
        self,
        scale: float,
        results: Mapping[str, NDArray[np.float32]],
        without: Mapping[str, NDArray[np.float32]],
    ) -> Tried:
        """Look for the lesions.

        Parameters
        ----------
        scale
            By how much the slices were reduced.
        results, without
            The slice with and without lesions, reduced and enlarged, by method.
        """
        probe = self.probe
        own = [self.contrast * probe.own(place) for place in self.chosen]
        least = SEEN * abs(self.contrast) * probe.own(Place(0, 0, Shape.DOT))
        sign = math.copysign(1, self.contrast)
        recovered, seen, false = {}, {}, {}
        for method, image in results.items():
            here = [probe.contrast(image, place) for place in self.chosen]
            before = [probe.contrast(without[method], place) for place in self.chosen]
            recovered[method] = tuple(
                (one - other) / full for one, other, full in zip(here, before, own, strict=True)
            )
            seen[method] = tuple(one / full >= SEEN for one, full in zip(here, own, strict=True))
            shown = sign * probe.contrasts(without[method])[self.free] >= least
            false[method] = (int(np.count_nonzero(shown)), shown.size)
        return Tried(scale, probe.diameter, recovered, seen, false)


def try_lesions(
    layout: Layout, enlarge: Enlargement, without: Mapping[str, NDArray[np.float32]]
) -> Tried:
    """Reduce and enlarge a slice with lesions, and look for them; see `Layout.measure`."""
    results = enlarge(layout.image, layout.truth.index)
    return layout.measure(enlarge.scale, results, without)


def summarised(tried: Sequence[Tried]) -> list[Survival]:
    """Summarise what was tried for each scale, method and diameter, in this order."""
    found = []
    for scale in sorted({one.scale for one in tried}):
        here = [one for one in tried if one.scale == scale]
        for method in METHODS:
            for diameter in sorted({one.diameter for one in here}):
                these = [one for one in here if one.diameter == diameter]
                recovered = [value for one in these for value in one.recovered[method]]
                seen = [value for one in these for value in one.seen[method]]
                wrong, free = (sum(one.false[method][part] for one in these) for part in (0, 1))
                found.append(
                    Survival(
                        scale=scale,
                        diameter=diameter,
                        method=method,
                        places=len(seen),
                        recovered=float(np.mean(recovered)) if recovered else math.nan,
                        seen=float(np.mean(seen)) if seen else math.nan,
                        false=wrong / free if free else math.nan,
                    )
                )
    return found


def smallest_surviving(
    survivals: Sequence[Survival], scale: float, method: str = METHODS[0]
) -> Survival | None:
    """Return the smallest size that survives at a scale, with every larger one; None if none."""
    smallest = None
    for one in sorted(survivals, key=lambda one: -one.diameter):
        if (one.scale, one.method) != (scale, method) or one.places < LEAST_PLACES:
            continue
        if not one.survives:
            break
        smallest = one
    return smallest
