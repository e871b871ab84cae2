"""What is going to be done to a volume: which networks, which grid, what to say of it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr import __version__
from napari_metasr.cohort.consistency import THICKEST
from napari_metasr.cohort.sidecar import ModelRecord
from napari_metasr.cohort.target import target_of
from napari_metasr.weights import ModelCard, WeightsError, model_card
from napari_metasr.zoom.devices import resolve_device

if TYPE_CHECKING:
    from typing import Any

    from napari_metasr.cohort.options import UpscaleOptions
    from napari_metasr.cohort.target import Target
    from napari_metasr.io.stored import StoredVolume

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
        Of the input file.
    """

    volume: StoredVolume
    options: UpscaleOptions
    target: Target
    in_plane: ModelCard | None
    through_plane: ModelCard | None
    device: str
    input_sha256: str

    @classmethod
    def of(
        cls, volume: StoredVolume, options: UpscaleOptions, device: str, input_sha256: str
    ) -> Plan:
        """Make a plan.

        Raises
        ------
        ValueError
            If the options do not fit the volume, or a model is not there or not for this.
        """
        target = target_of(volume, options)
        plane = options.plane
        across = not target.axes[plane.normal_axis].is_identity
        along = [target.axes[axis] for axis in (plane.row_axis, plane.column_axis)]
        in_plane = through_plane = None
        if not all(axis.is_identity for axis in along):
            in_plane = model_card(options.model)
            if not in_plane.enlarges_slices:
                raise WeightsError(f"expected a model for slices, found {in_plane.title}")
        if across:
            through_plane = model_card(options.through_plane_model)
            if not through_plane.magnifies or through_plane.axes != "one":
                raise WeightsError(
                    f"expected a model for what is between slices, found {through_plane.title}"
                )
            spacing = target.input_spacing[plane.normal_axis]
            if (options.thickness or 0) > THICKEST * spacing:
                raise ValueError(
                    f"expected slices of at most {THICKEST:g} times their spacing of "
                    f"{spacing:g} mm, found a thickness of {options.thickness:g} mm"
                )
        return cls(
            volume,
            options,
            target,
            in_plane,
            through_plane,
            resolve_device(device).type,
            input_sha256,
        )

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
    def learned(self) -> tuple[str, ...]:
        """What networks make."""
        found = []
        plane = self.options.plane
        where = " in the boxes of the options" if self.options.boxes else ""
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
        if self.options.boxes:
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
        return tuple(found)

    @property
    def fingerprint(self) -> str:
        """A hash of everything that decides the result."""
        parts = [self.options.model_dump_json(), self.input_sha256, self.device]
        parts += [card.sha256 for card in self.cards]
        parts += [f"{name} {number}" for name, number in sorted(self.versions.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
