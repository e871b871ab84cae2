"""Plan the upscaling of a volume: the output's grid, the networks, and concerns about both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.devices import resolve_device
from napari_metasr.upscaling.consistency import THICKEST
from napari_metasr.upscaling.parts import Part, Pass, PassKind, parts_of, passes_through
from napari_metasr.upscaling.target import target_of
from napari_metasr.weights import ModelCard, WeightsError, cannot_be_told, model_card

if TYPE_CHECKING:
    from typing import Any

    from napari_metasr.io.protocols import VolumeGrid
    from napari_metasr.upscaling.lesion_search import LesionSearch
    from napari_metasr.upscaling.options import UpscaleOptions
    from napari_metasr.upscaling.target import Target

GAP = 0.5
"""Thickness, as a share of the spacing, below which slices say little of what lies between them."""


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before any voxel is read.

    Attributes
    ----------
    volume, options
        The input's grid, and what is asked for.
    target
        The output's grid.
    in_plane, through_plane
        Cards of the networks, where they are needed.
    device
        Where they run.
    search
        The search for lesions around which networks work, if that is asked for.
    tissue_continued
        Whether networks are shown the tissue continued, see ``napari_metasr.zoom.shown``.
    own_ranges
        Whether each time point of a series is normalised and clipped by its own intensities.
    """

    volume: VolumeGrid
    options: UpscaleOptions
    target: Target
    in_plane: ModelCard | None
    through_plane: ModelCard | None
    device: str
    search: LesionSearch | None = None
    tissue_continued: bool = True
    own_ranges: bool = True

    @classmethod
    def of(
        cls,
        volume: VolumeGrid,
        options: UpscaleOptions,
        device: str,
        search: LesionSearch | None = None,
    ) -> Plan:
        """Make a plan.

        Raises
        ------
        ValueError
            If the options do not fit the volume, or a model is missing or unsuitable.
        """
        volume.source.check_brightness()
        options = options.of_volume(volume)
        target = target_of(volume, options)
        kinds = {run.kind for run in passes_through(target, options.plane)}
        in_plane = through_plane = None
        if PassKind.FIRST_VIEW not in kinds and options.thickness is not None:
            options = options.model_copy(update={"thickness": None})  # has no effect
        if PassKind.IN_PLANE in kinds:
            in_plane = model_card(options.model)
            if not in_plane.super_resolves_slices:
                raise WeightsError(f"expected a model for slices, found {in_plane.title}")
            if options.assume is not None and not in_plane.can_be_told:
                raise cannot_be_told(in_plane)
        if PassKind.FIRST_VIEW in kinds:
            through_plane = model_card(options.through_plane_model)
            if not through_plane.super_resolves_across_slices:
                raise WeightsError(
                    f"expected a model for what is between slices, found {through_plane.title}"
                )
            spacing = target.input_spacing[options.plane.normal_axis]
            if (options.thickness or 0) > THICKEST * spacing:
                raise ValueError(
                    f"expected slices of at most {THICKEST:g} times their spacing of "
                    f"{spacing:g} mm, found a thickness of {options.thickness:g} mm"
                )
        on = resolve_device(device).type
        return cls(volume, options, target, in_plane, through_plane, on, search)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """Passes through each time point, in order."""
        return passes_through(self.target, self.options.plane)

    @property
    def parts(self) -> list[Part]:
        """All parts of the work, in order."""
        return parts_of(self.passes, self.volume.time_points)

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of the networks that are needed."""
        return tuple(card for card in (self.in_plane, self.through_plane) if card is not None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the output."""
        return np.dtype(np.float32) if self.options.dtype == "float32" else self.volume.dtype

    @property
    def description(self) -> str:
        """A short description, for a file's header."""
        names = " and ".join(card.name for card in self.cards)
        x, y, z = (f"{factor:.3g}" for factor in self.target.scale[::-1])
        return f"super-resolved by {names}, x{x} x{y} x{z}"

    @property
    def is_partial(self) -> bool:
        """Whether networks work only in boxes."""
        return bool(self.options.boxes) or self.search is not None

    @property
    def learned(self) -> tuple[str, ...]:
        """What networks make, in words."""
        found = []
        plane = self.options.plane
        where = " in the boxes around lesions" if self.is_partial else ""
        if self.in_plane is not None:
            found.append(f"{plane} slices, one by one, by {self.in_plane.title}{where}")
        if self.through_plane is not None:
            found.append(
                f"the space between {plane} slices, by {self.through_plane.title} on both "
                f"orthogonal planes{where}, averaged, then adjusted so that averaging over the "
                "slice profiles reproduces the slices"
            )
        return tuple(found)

    @property
    def interpolated(self) -> tuple[str, ...]:
        """What is interpolated, in words."""
        found = []
        if self.is_partial:
            found.append("everything outside the boxes around lesions, by cubic convolution")
        if self.in_plane is not None and self.in_plane.fixed_scales:
            fixed = " or ".join(f"x{scale}" for scale in self.in_plane.fixed_scales)
            found.append(f"scales in plane other than {fixed}, from the nearest of these")
        return tuple(found)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Reasons not to trust the result, in words."""
        found = list(self.volume.source.concerns)
        if self.options.consistent is not None and self.in_plane is None:
            found.append("nothing is super-resolved in plane, or made consistent with the scan")
        plane = self.options.plane
        across = self.target.scale[plane.normal_axis]
        rows, columns = self.target.scale[plane.row_axis], self.target.scale[plane.column_axis]
        for card, scale, where in (
            (self.in_plane, max(rows, columns), "in plane"),
            (self.through_plane, across, "across slices"),
        ):
            if card is not None:
                found += card.concerns(scale, where)
        spacing = self.target.input_spacing[plane.normal_axis]
        thickness = spacing if self.options.thickness is None else self.options.thickness
        if self.through_plane is not None and thickness < GAP * spacing:
            found.append(
                f"slices of {thickness:g} mm, {spacing:g} mm apart, leave gaps in which nothing "
                "was measured: what is put there is hardly better than interpolation"
            )
        return tuple(found)
