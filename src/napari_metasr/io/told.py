"""What a header or a BIDS sidecar tells of how an image was acquired, by DICOM keyword."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WORDS = (
    *("SeriesDescription", "ProtocolName", "ImageType", "ScanOptions", "SequenceName"),
    *("PulseSequenceName", "ConvolutionKernel", "ReconstructionMethod", "ContrastBolusAgent"),
    "InPlanePhaseEncodingDirection",
)
TIMES = ("EchoTime", "RepetitionTime", "InversionTime")
NUMBERS = (
    *("AcquisitionMatrix", "PercentSampling", "PercentPhaseFieldOfView"),
    *("MRAcquisitionFrequencyEncodingSteps", "MRAcquisitionPhaseEncodingStepsInPlane"),
)
KEYWORDS = (*WORDS, *TIMES, *NUMBERS)
"""The elements that are looked at; none of them identifies a person, once words are redacted."""


def told_by_sidecar(path: Path) -> dict[str, Any]:
    """Read what the JSON file beside an image records, with times in ms as in DICOM.

    The result is empty if there is no such file, or if it is something else.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    told = {name: found[name] for name in KEYWORDS if name in found}
    for name in TIMES:
        if isinstance(told.get(name), int | float):
            told[name] = 1000 * told[name]
    return told
