"""How an image was acquired: what stays true of it on a finer grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.io.inherited import files_for
from napari_metasr.io.names import stem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ACQUISITION", "GRADIENTS", "acquisition_of", "gradients_beside"]

ACQUISITION = (
    *("Modality", "Manufacturer", "ManufacturersModelName", "MagneticFieldStrength"),
    *("BodyPart", "TaskName", "ContrastBolusIngredient", "PulseSequenceType"),
    *("ScanningSequence", "SequenceVariant", "SequenceName", "MRAcquisitionType"),
    *("NonlinearGradientCorrection", "EchoTime", "RepetitionTime", "RepetitionTimeExcitation"),
    *("RepetitionTimePreparation", "InversionTime", "FlipAngle", "PhaseEncodingDirection"),
    *("TotalReadoutTime", "ParallelReductionFactorInPlane", "PartialFourier"),
)
"""Fields of BIDS that depend on no grid and name no person."""

GRADIENTS = (".bval", ".bvec")
"""Endings of the files that hold the diffusion weighting of each volume; its directions are along
the axes of the image, which keep their order."""


def acquisition_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the JSON file beside an image says of its acquisition: `ACQUISITION` alone."""
    return {name: fields[name] for name in ACQUISITION if name in fields}


def gradients_beside(path: Path) -> dict[str, Path]:
    """Find the files of diffusion weightings beside an image, or inherited, by their endings."""
    found: dict[str, Path] = {}
    for ending in GRADIENTS:
        beside = path.with_name(f"{stem(path)}{ending}")
        files = [beside] if beside.is_file() else files_for(path, ending)
        if files:
            found[ending] = files[-1]
    return found
