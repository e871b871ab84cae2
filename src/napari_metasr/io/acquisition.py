"""How an image was acquired: what stays true of it on a finer grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.files import read_json
from napari_metasr.io.names import stem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ACQUISITION", "GRADIENTS", "acquisition_beside", "gradients_beside"]

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


def acquisition_beside(path: Path) -> Mapping[str, Any]:
    """Read what the JSON file beside an image says of its acquisition.

    Returns
    -------
    mapping
        The fields among `ACQUISITION`; none if there is no such file, or it cannot be read.
    """
    try:
        found = read_json(path.with_name(f"{stem(path)}.json"))
    except (OSError, ValueError):
        return {}
    known = found if isinstance(found, dict) else {}
    return {name: known[name] for name in ACQUISITION if name in known}


def gradients_beside(path: Path) -> dict[str, Path]:
    """Find the files of diffusion weightings beside an image, by their endings."""
    files = {ending: path.with_name(f"{stem(path)}{ending}") for ending in GRADIENTS}
    return {ending: file for ending, file in files.items() if file.is_file()}
