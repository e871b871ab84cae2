"""What a header or a BIDS sidecar tells of how an image was acquired, by DICOM keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = (
    *("SeriesDescription", "ProtocolName", "ImageType", "ScanOptions", "SequenceName"),
    *("PulseSequenceName", "ConvolutionKernel", "ReconstructionMethod", "ContrastBolusAgent"),
    "InPlanePhaseEncodingDirection",
)
TIMES = ("EchoTime", "RepetitionTime", "InversionTime")
NUMBERS = (
    *("AcquisitionMatrix", "PercentSampling", "PercentPhaseFieldOfView"),
    *("MRAcquisitionFrequencyEncodingSteps", "MRAcquisitionPhaseEncodingStepsInPlane"),
    "SliceThickness",
)
KEYWORDS = (*WORDS, *TIMES, *NUMBERS)
"""The elements that are looked at; none of them identifies a person, once words are redacted."""


def told_by_sidecar(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the JSON file beside an image records, with times in ms as in DICOM."""
    told = {name: fields[name] for name in KEYWORDS if name in fields}
    for name in TIMES:
        if isinstance(told.get(name), int | float):
            told[name] = 1000 * told[name]
    return told
