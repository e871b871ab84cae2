"""What is worth saying of a volume that was made of DICOM images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nibabel.affines import voxel_sizes

from napari_metasr.io.phases import phase_concern

if TYPE_CHECKING:
    from napari_metasr.io.dicom.moments import Arrangement
    from napari_metasr.io.dicom.stacking import Slots

__all__ = ["concerns_of", "remarks_of"]

TOUCHING = 0.02
"""Slices whose thickness differs from their spacing by a smaller share of it touch."""


def remarks_of(arrangement: Arrangement, slots: Slots) -> tuple[str, ...]:
    """List what is useful to know about a volume."""
    first = arrangement.frames[0][0]
    found = []
    if "LOCALIZER" in first.header.image_type:
        found.append("localizer")
    if arrangement.told_by is not None:
        found.append(f"time points told apart by their {arrangement.told_by}")
    if first.header.inverted:
        found.append("MONOCHROME1: inverted, so that bright is high")
    if first.header.padding is not None:
        found.append("pixels that stand for no value (padding) are set to the lowest value")
    spacing = float(voxel_sizes(slots.affine)[2])
    if slots.count > 1 and first.thickness and abs(first.thickness / spacing - 1) > TOUCHING:
        found.append(f"slices {first.thickness:.4g} mm thick, {spacing:.4g} mm apart")
    return tuple(found)


def concerns_of(arrangement: Arrangement, slots: Slots) -> tuple[str, ...]:
    """List the reasons not to trust a volume fully."""
    first = arrangement.frames[0][0]
    found = []
    if arrangement.copies:
        found.append(f"{arrangement.copies} images are there twice and were left out once")
    if any(frame.header.lossy for frames in arrangement.frames for frame in frames):
        found.append("the images were compressed with losses")
    if first.header.modality != "MR":
        found.append(
            f"the networks are trained on brain MRI, this is {first.header.modality or 'unknown'}"
        )
    part = first.kinds.get("part of complex numbers")
    found += phase_concern([*first.header.image_type, *first.kinds.get("image type", ()), part])
    unreadable = {
        name for frames in arrangement.frames for frame in frames for name in frame.unreadable
    }
    if unreadable:
        found.append(
            f"elements that cannot be read count as missing: {', '.join(sorted(unreadable))}"
        )
    if len({frame.space for frames in arrangement.frames for frame in frames}) > 1:
        found.append(
            "each image has a frame of reference of its own, though all are taken to lie in one"
        )
    spacing = float(voxel_sizes(slots.affine)[2])
    if slots.count > 1 and first.gap and _is_multiple(spacing / abs(first.gap)):
        found.append(
            f"slices may be missing: {spacing:.4g} mm apart, {abs(first.gap):.4g} mm by the header"
        )
    if slots.count == 1 and not (first.gap or first.thickness):
        found.append("it is one slice of unknown thickness, which is taken for 1 mm")
    return tuple(found)


def _is_multiple(ratio: float) -> bool:
    """Return whether a ratio is about 2, 3 or more, as when only every second slice is there."""
    return round(ratio) > 1 and abs(ratio / round(ratio) - 1) < TOUCHING
