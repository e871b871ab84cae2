"""What is going to be done to a volume: which networks, which grid, what to say of it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr import __version__
from napari_metasr.devices import resolve_device
from napari_metasr.upscaling.consistency import THICKEST
from napari_metasr.upscaling.parts import Part, Way, parts_of, ways_through
from napari_metasr.upscaling.sidecar import ModelRecord
from napari_metasr.upscaling.target import target_of
from napari_metasr.weights import ModelCard, WeightsError, model_card

if TYPE_CHECKING:
    from typing import Any

    from napari_metasr.io.parts import VolumeInParts
    from napari_metasr.upscaling.lesion_search import LesionSearch
    from napari_metasr.upscaling.options import UpscaleOptions
    from napari_metasr.upscaling.target import Target

GAP = 0.5
"""A share of their spacing: slices thinner than that say little of what lies between them."""

PACKAGES = ("numpy", "torch", "numba", "nibabel", "scipy")
SLACK = 0.05
"""By so much a scale may exceed the trained ones before that is a concern."""


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before any voxel is read.

    Attributes
    ----------
    volume, options
        The input, and what is wanted of it.
    target
        The output's grid.
    in_plane, through_plane
        The networks' cards, where they are needed.
    device
        Where they run.
    input_sha256
        Of the input.
    search
        What is to look for the lesions that networks work round, if that is wanted.
    stamps
        Sizes and times of the input's files, from before they were read for the hash.
    """

    volume: VolumeInParts
    options: UpscaleOptions
    target: Target
    in_plane: ModelCard | None
    through_plane: ModelCard | None
    device: str
    input_sha256: str
    search: LesionSearch | None = None
    stamps: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(
        cls,
        volume: VolumeInParts,
        options: UpscaleOptions,
        device: str,
        search: LesionSearch | None = None,
    ) -> Plan:
        """Make a plan.

        Raises
        ------
        ValueError
            If the options do not fit the volume, or a model is not there or not for this.
        """
        target = target_of(volume, options)
        stages = {way.stage for way in ways_through(target, options.plane)}
        in_plane = through_plane = None
        if "in plane" in stages:
            in_plane = model_card(options.model)
            if not in_plane.enlarges_slices:
                raise WeightsError(f"expected a model for slices, found {in_plane.title}")
        if "across, first view" in stages:
            through_plane = model_card(options.through_plane_model)
            if not through_plane.magnifies or through_plane.axes != "one":
                raise WeightsError(
                    f"expected a model for what is between slices, found {through_plane.title}"
                )
            spacing = target.input_spacing[options.plane.normal_axis]
            if (options.thickness or 0) > THICKEST * spacing:
                raise ValueError(
                    f"expected slices of at most {THICKEST:g} times their spacing of "
                    f"{spacing:g} mm, found a thickness of {options.thickness:g} mm"
                )
        stamps = stamps_of(volume)
        return cls(
            volume,
            options,
            target,
            in_plane,
            through_plane,
            resolve_device(device).type,
            volume.sha256(),
            search,
            stamps,
        )

    def check_unchanged(self) -> None:
        """Refuse an input that is not any more what the hash is of.

        Raises
        ------
        ValueError
            If a file of it was changed.
        """
        if stamps_of(self.volume) != self.stamps:
            raise ValueError(
                f"{self.volume.path}: expected a file that stays as it is, found that it was "
                "changed while it was read"
            )

    @property
    def ways(self) -> tuple[Way, ...]:
        """Through each time point, in order."""
        return ways_through(self.target, self.options.plane)

    @property
    def parts(self) -> list[Part]:
        """All of the work, in order."""
        return parts_of(self.ways, self.volume.time_points)

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """Of the networks that are needed."""
        return tuple(card for card in (self.in_plane, self.through_plane) if card is not None)

    @property
    def models(self) -> tuple[ModelRecord, ...]:
        """The networks, as the sidecar has them."""
        return tuple(
            ModelRecord(
                name=card.name,
                title=card.title,
                sha256=card.sha256,
                degradations=card.degradations,
                trained_scales=card.trained_scales,
                trained_contrasts=card.trained_contrasts,
            )
            for card in self.cards
        )

    @property
    def versions(self) -> dict[str, str]:
        """Of what computes the result."""
        found = {name: version(name) for name in PACKAGES}
        return {"napari-metasr": __version__, "python": platform.python_version(), **found}

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the output's numbers."""
        return np.dtype(np.float32) if self.options.dtype == "float32" else self.volume.dtype

    @property
    def description(self) -> str:
        """What a file's header says, in few letters."""
        names = " and ".join(card.name for card in self.cards)
        x, y, z = (f"{factor:.3g}" for factor in self.target.scale[::-1])
        return f"super-resolved by {names}, x{x} x{y} x{z}"

    @property
    def is_partial(self) -> bool:
        """Whether networks work in boxes alone."""
        return bool(self.options.boxes) or self.search is not None

    @property
    def learned(self) -> tuple[str, ...]:
        """What networks make."""
        found = []
        plane = self.options.plane
        where = " in the boxes of the options" if self.is_partial else ""
        if self.in_plane is not None:
            found.append(f"{plane} slices, one by one, by {self.in_plane.title}{where}")
        if self.through_plane is not None:
            found.append(
                f"what is between {plane} slices, by {self.through_plane.title} on both orthogonal "
                f"planes{where}, averaged, then changed as little as makes averages over the "
                "slices' profiles equal the slices"
            )
        return tuple(found)

    @property
    def interpolated(self) -> tuple[str, ...]:
        """What is interpolated."""
        found = []
        if self.is_partial:
            found.append("everything outside the boxes of the options, by cubic convolution")
        if self.in_plane is not None and self.in_plane.fixed_scales:
            fixed = " or ".join(f"x{scale}" for scale in self.in_plane.fixed_scales)
            found.append(f"scales in plane other than {fixed}, from the nearest of these")
        return tuple(found)

    @property
    def concerns(self) -> tuple[str, ...]:
        """What speaks against trusting the result."""
        found = []
        plane = self.options.plane
        across = self.target.scale[plane.normal_axis]
        rows, columns = self.target.scale[plane.row_axis], self.target.scale[plane.column_axis]
        for card, scale, where in (
            (self.in_plane, max(rows, columns), "in plane"),
            (self.through_plane, across, "across slices"),
        ):
            if card is not None and scale > card.trained_scales[1] * (1 + SLACK):
                found.append(
                    f"x{scale:.3g} {where} is beyond the x{card.trained_scales[1]:g} that "
                    f"{card.title} was trained on"
                )
        spacing = self.target.input_spacing[plane.normal_axis]
        thickness = spacing if self.options.thickness is None else self.options.thickness
        if self.through_plane is not None and thickness < GAP * spacing:
            found.append(
                f"slices of {thickness:g} mm, {spacing:g} mm apart, leave gaps in which nothing "
                "was measured: what is put there is hardly better than interpolation"
            )
        return tuple(found)

    @property
    def fingerprint(self) -> str:
        """A hash of everything that decides the result, and how the work is cut up."""
        decisions = [self.options.recorded.model_dump_json(), self.input_sha256, self.device]
        decisions += [] if self.search is None else [f"search {self.search.sha256}"]
        decisions += [card.sha256 for card in self.cards]
        decisions += [f"{name} {number}" for name, number in sorted(self.versions.items())]
        decisions += map(repr, self.parts)
        return hashlib.sha256("\n".join(decisions).encode()).hexdigest()


def stamps_of(volume: VolumeInParts) -> tuple[tuple[int, int], ...]:
    """Bytes and time of change (ns) of each of a volume's files; (-1, -1) of what is gone."""
    found = []
    for path in volume.files:
        try:
            status = path.stat()
        except OSError:
            found.append((-1, -1))
        else:
            found.append((status.st_size, status.st_mtime_ns))
    return tuple(found)
