"""Try a network on the slices of a scan: what it gains, and what becomes of small lesions."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr import __version__
from napari_metasr.acquisition import estimate
from napari_metasr.normalisation import brain_limits
from napari_metasr.trust.agreement import Agreement
from napari_metasr.trust.assumption import AUTO
from napari_metasr.trust.own_acquisition import OwnAcquisition
from napari_metasr.trust.own_marks import Marker, Marks
from napari_metasr.trust.own_slices import (
    LEAST_REDUCED,
    NETWORK,
    Compared,
    Enlargement,
    own_slices,
    reduced_shape,
    spread,
)
from napari_metasr.trust.proof import Example, LesionExample, Proof
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.trust.risk import found_guarantee
from napari_metasr.trust.survival import (
    Layout,
    Tried,
    smallest_surviving,
    summarised,
    try_lesions,
)
from napari_metasr.trust.told import Words, tell_of
from napari_metasr.trust.verdict import ScaleGain
from napari_metasr.volume import SIGNS
from napari_metasr.weights import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition
    from napari_metasr.geometry.windows import Window
    from napari_metasr.trust.own_slices import OwnSlice
    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.zoom.protocols import Engine

DIAMETERS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Diameters of lesions, in the finer of a slice's two spacings."""

PLACES = 48
"""Lesions of each size at each scale, as far as there is room."""

PLACES_IN_SLICE = 24
"""The same where a single slice is tried, so that it takes seconds."""

MOST_PER_SLICE = 16
MOST_ROUNDS = 12
"""How often a slice gets lesions of one size, each time in other places."""

FIXED_SHARE = 0.2
"""Cost of enlarging a slice that does not depend on how small it is, beside that of encoding it."""


@dataclass(frozen=True)
class Progress:
    """How far the proof is: what is being done, and the share that is done, 0 to 1."""

    stage: str
    overall: float


class Prover:
    """Try a network on the slices of a scan.

    Everything that can be refused is refused when it is made.

    Parameters
    ----------
    volume
        The scan.
    model
        The network; it must enlarge slices along both axes.
    settings
        What is tried.
    plane
        Plane of the slices; that of the scan's acquisition by default.
    index, region, time
        Only this slice; only this part of it, in pixel edges; time point of a series.
    head
        The network's error head, whose marks are tried as well.

    Raises
    ------
    ValueError
        If the scan is too small, empty, or holds labels, or the region is smaller than the
        smallest lesion.
    WeightsError
        If the network does not enlarge slices.
    """

    def __init__(
        self,
        volume: Volume,
        model: Engine,
        settings: ProofSettings | None = None,
        *,
        plane: Plane | None = None,
        index: int | None = None,
        region: Window | None = None,
        time: int = 0,
        head: RiskModel | None = None,
    ) -> None:
        self.settings = settings or ProofSettings()
        volume = volume.at_time(time)
        self._volume, self._model, self._region = volume, model, region
        self._head = head
        volume.source.check_brightness()
        if not model.card.super_resolves_slices:
            raise WeightsError(f"{model.card.name} does not super-resolve slices along both axes")
        self.plane = plane or volume.acquired_plane
        if region is not None and index is None:
            index = volume.slice_count(self.plane) // 2
        self._spacing = volume.plane_spacing(self.plane)
        self._check_region()
        self._truths = own_slices(
            volume, self.plane, self.settings.slices, index=index, region=region
        )
        self._scales = self._usable_scales()
        tissue = np.concatenate([one.image[one.head] for one in self._truths])
        level = float(np.median(tissue)) - volume.intensity_range[0]
        self._contrast = self.settings.contrast * level

    @property
    def diameters(self) -> tuple[float, ...]:
        """Diameters of the lesions, in mm (or pixels)."""
        return tuple(size * min(self._spacing) for size in DIAMETERS)

    def _check_region(self) -> None:
        region, smallest = self._region, self.diameters[0]
        if region is None:
            return
        height, width = region.height * self._spacing[0], region.width * self._spacing[1]
        if min(height, width) < smallest:
            unit = SIGNS[self._volume.source.unit]
            raise ValueError(
                f"the region of {height:.3g} x {width:.3g} {unit} is smaller than the smallest "
                f"lesion that is put in ({smallest:.3g} {unit})"
            )

    def _usable_scales(self) -> list[float]:
        shape = self._truths[0].image.shape
        usable = [scale for scale in self.settings.scales if reduced_shape(shape, scale)]
        if not usable:
            least = math.ceil(LEAST_REDUCED * min(self.settings.scales))
            raise ValueError(
                f"the slices of {shape[0]} x {shape[1]} pixels are too small to be reduced: at "
                f"least {least} x {least} are needed"
            )
        return usable

    def steps(self) -> Iterator[Progress | Proof]:
        """Do the work, telling how far it is; the last step is the proof."""
        rng = np.random.default_rng(self.settings.seed)
        volume, truths = self._volume, self._truths
        yield Progress("estimating the acquisition", 0.0)
        found = estimate(volume, None if volume.data.ndim == 2 else self.plane)
        name = self.settings.acquisition
        acquisition = OwnAcquisition.of(found) if name == AUTO else OwnAcquisition.named(name)
        model = self._model
        if model.card.can_be_told:  # the copies are acquired as the scan was, for all that is known
            told = tell_of(Words(name), found)
            model, line = model.told(told.code, told.title), f"The network was told: {told.title}."
            acquisition = replace(acquisition, lines=(*acquisition.lines, line))
        bearing = spread(truths, self.settings.lesion_slices)
        often = 1 if self._head is None else 2
        work = _Work(self._scales, often * len(truths), len(bearing) * len(DIAMETERS))
        compared: list[tuple[float, tuple[Compared, ...]]] = []
        tried: list[Tried] = []
        examples: list[Example] = []
        kept: list[LesionExample] = []
        marks: list[Marks] = []
        low, high = volume.value_range
        widened = (min(low, low + self._contrast), max(high, high + self._contrast))
        for scale in self._scales:
            enlarge = Enlargement(
                model,
                acquisition,
                truths[0].image.shape,
                scale,
                intensity_range=volume.intensity_range,
                value_range=widened,
                seed=self.settings.seed,
            )
            marker = self._marker(found, enlarge)
            here, without, agreement = [], {}, Agreement()
            for truth in truths:
                yield Progress(f"comparing slices at ×{scale:g}", work.share)
                results = enlarge(truth.image, truth.index)
                here.append(enlarge.compare(truth, results))
                marked = None
                if marker is not None:
                    marked = marker.marked(truth)
                    agreement += marker.agreement(truth, results[NETWORK], marked)
                if truth in bearing:
                    without[truth.index] = results
                if truth is bearing[len(bearing) // 2]:
                    reduced = enlarge.reduced(truth.image, truth.index)
                    examples.append(Example(scale, truth, reduced, results, marked))
                work.add(scale, often)
            compared.append((scale, tuple(here)))
            if marker is not None:
                marks.append(Marks(scale, marker.guarantee, agreement))
            for diameter in self.diameters:
                for attempt in self._lesions(diameter, bearing, enlarge, without, rng):
                    yield Progress(f"putting lesions in at ×{scale:g}", work.share)
                    tried.append(attempt)
                work.add(scale, len(bearing))
            kept += self._example(tried, enlarge, bearing, without, rng)
        survivals = tuple(summarised(tried))
        yield Proof(
            settings=self.settings,
            card=self._model.card,
            device=self._model.device,
            version=__version__,
            voxels_sha256=_voxels_sha256(volume),
            shape=(truths[0].image.shape[0], truths[0].image.shape[1]),
            spacing=self._spacing,
            unit=SIGNS[volume.source.unit],
            plane=self.plane,
            slices=tuple(truth.index for truth in truths),
            region=self._region,
            acquisition=acquisition,
            found=found,
            contrast=self._contrast,
            intensity_range=volume.intensity_range,
            display=brain_limits(volume.data),
            gains=tuple(ScaleGain.of(scale, here) for scale, here in compared),
            compared=tuple(compared),
            survivals=survivals,
            examples=tuple(examples),
            lesion_examples=tuple(kept),
            marks=tuple(marks),
            concerns=self._concerns(found),
            is_oriented=volume.source.is_oriented,
        )

    def _marker(self, found: Acquisition, enlarge: Enlargement) -> Marker | None:
        """Return what marks slices, as it marks this scan; None without an error head."""
        if self._head is None:
            return None
        name = self.settings.acquisition
        guarantee = found_guarantee(
            self._head.risk_card,
            found,
            (enlarge.scale, enlarge.scale),
            acquisition=None if name == AUTO else name,
        )
        return Marker(self._head, enlarge, guarantee)

    def _lesions(
        self,
        diameter: float,
        bearing: Sequence[OwnSlice],
        enlarge: Enlargement,
        without: Mapping[int, Mapping[str, NDArray[np.float32]]],
        rng: np.random.Generator,
    ) -> Iterator[Tried]:
        """Put lesions of one size into the slices until there are enough of them."""
        count, wanted = 0, PLACES if len(bearing) > 1 else PLACES_IN_SLICE
        for number in range(MOST_ROUNDS * len(bearing)):
            truth = bearing[number % len(bearing)]
            layout = self._layout(truth, diameter, enlarge.scale, rng)
            if layout.chosen:
                yield try_lesions(layout, enlarge, without[truth.index])
            count += len(layout.chosen)
            if count >= wanted or (number + 1 == len(bearing) and not count):
                return

    def _layout(
        self, truth: OwnSlice, diameter: float, scale: float, rng: np.random.Generator
    ) -> Layout:
        return Layout.of(
            truth,
            diameter,
            self._spacing,
            scale=scale,
            contrast=self._contrast,
            most=MOST_PER_SLICE,
            rng=rng,
        )

    def _example(
        self,
        tried: Sequence[Tried],
        enlarge: Enlargement,
        bearing: Sequence[OwnSlice],
        without: Mapping[int, Mapping[str, NDArray[np.float32]]],
        rng: np.random.Generator,
    ) -> Iterator[LesionExample]:
        """Give a slice with lesions of the smallest size that survives, or of the largest."""
        scale, truth = enlarge.scale, bearing[len(bearing) // 2]
        survivals = summarised([one for one in tried if one.scale == scale])
        smallest = smallest_surviving(survivals, scale)
        sizes = [one.diameter for one in survivals if one.places]
        if not sizes:
            return
        diameter = max(sizes) if smallest is None else smallest.diameter
        layout = self._layout(truth, diameter, scale, rng)
        if layout.chosen:
            results = enlarge(layout.image, truth.index)
            seen = layout.measure(scale, results, without[truth.index]).seen
            yield LesionExample(scale, layout, results, seen)

    def _concerns(self, found: Acquisition) -> tuple[str, ...]:
        card = self._model.card
        concerns = list(self._volume.source.concerns)
        if found.contrast is not None and found.contrast not in card.trained_contrasts:
            trained = ", ".join(card.trained_contrasts)
            concerns.append(
                f"{card.title} was trained on {trained}, and this scan is {found.contrast}"
            )
        for scale in self._scales:
            concerns += card.concerns(scale, "in plane")
        skipped = [scale for scale in self.settings.scales if scale not in self._scales]
        if skipped:
            listed = ", ".join(f"x{scale:g}" for scale in skipped)
            concerns.append(f"the slices are too small to be reduced by {listed}")
        return tuple(dict.fromkeys(concerns))


class _Work:
    """How far the work is, by its estimated cost."""

    def __init__(self, scales: Sequence[float], slices: int, lesions: int) -> None:
        self._whole = sum(map(_cost, scales)) * (slices + lesions)
        self._done = 0.0

    def add(self, scale: float, count: int = 1) -> None:
        self._done += count * _cost(scale)

    @property
    def share(self) -> float:
        return self._done / self._whole


def _cost(scale: float) -> float:
    return 1 / scale**2 + FIXED_SHARE


def _voxels_sha256(volume: Volume) -> str:
    data: NDArray[Any] = np.ascontiguousarray(volume.data)
    return hashlib.sha256(data.tobytes()).hexdigest()
