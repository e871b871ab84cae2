"""What headers tell of an acquisition: DICOM's elements, or their like in a BIDS sidecar."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_metasr.io.contrast import guess_contrast

if TYPE_CHECKING:
    from collections.abc import Mapping

LEARNED = re.compile(
    r"deep.?resolve|\bdr[bgs]\b|air.?recon|\bardl\b|deep.?learning|\bdl\b|smart.?speed|"
    r"adaptive.?cs|cs.?ai\b|\baice\b|\bpiqe\b|\bacs\b|subtle",
    re.IGNORECASE,
)
"""Names of the vendors' reconstructions by networks."""

COMPRESSED = re.compile(r"compressed.?sens\w*|\bcs\b|c.?sense|hyper.?sense|\bcsmt\b", re.IGNORECASE)
INTERPOLATED = re.compile(r"\bzi?p[ _-]?\d+|interpol\w*", re.IGNORECASE)

WORDS = (
    *("SeriesDescription", "ProtocolName", "ImageType", "ScanOptions", "SequenceName"),
    *("ConvolutionKernel", "ReconstructionMethod", "PulseSequenceName"),
)

SHORT_ECHO, LONG_ECHO = 30.0, 65.0
SHORT_REPETITION, LONG_REPETITION = 1000.0, 1800.0
FLUID_NULLED = 1500.0
"""Times, in ms, that make an image T1-, T2- or proton-density-weighted, or a FLAIR."""


@dataclass(frozen=True)
class Protocol:
    """What a header tells.

    Attributes
    ----------
    rows, columns
        Samples acquired along the stored image's rows and columns axes; None where it does not
        say.
    interpolated
        Whether it says that the scanner interpolated.
    reconstruction
        A sentence on the vendor's learned or compressed-sensing reconstruction; empty without.
    contrast
        Among `GUESSED`.
    kernel
        The reconstruction kernel's name.
    slice_thickness
        In mm; None where it does not say.
    """

    rows: int | None = None
    columns: int | None = None
    interpolated: bool = False
    reconstruction: str = ""
    contrast: str | None = None
    kernel: str = ""
    slice_thickness: float | None = None


def protocol_of(told: Mapping[str, Any]) -> Protocol:
    """Read what a header tells, by DICOM keyword; what is missing or odd tells nothing."""
    words = " ".join(_text(told.get(name)) for name in WORDS)
    rows, columns = _matrix(told)
    learned, compressed = LEARNED.search(words), COMPRESSED.search(words)
    reconstruction = ""
    if learned:
        reconstruction = f"reconstructed by the scanner's own network ({learned[0]})"
    elif compressed:
        reconstruction = f"reconstructed by compressed sensing ({compressed[0]})"
    return Protocol(
        rows=rows,
        columns=columns,
        interpolated=bool(INTERPOLATED.search(words)),
        reconstruction=reconstruction,
        contrast=_contrast(told),
        kernel=_text(told.get("ConvolutionKernel")),
        slice_thickness=_number(told.get("SliceThickness")),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if 0 < found < math.inf else None


def _matrix(told: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the number of samples acquired along the image's row and column axes.

    Two of AcquisitionMatrix's values (frequency rows, frequency columns, phase rows, phase columns)
    are 0. PercentSampling is the share of the phase-encoding lines that was acquired.
    """
    matrix = told.get("AcquisitionMatrix")
    if isinstance(matrix, list | tuple) and len(matrix) == 4:
        frequency, phase = list(matrix[:2]), list(matrix[2:])
    else:
        steps = told.get("MRAcquisitionFrequencyEncodingSteps")
        lines = told.get("MRAcquisitionPhaseEncodingStepsInPlane")
        along_rows = str(told.get("InPlanePhaseEncodingDirection", "")).upper() == "ROW"
        if not along_rows and "InPlanePhaseEncodingDirection" not in told:
            return None, None
        frequency = [steps, 0] if along_rows else [0, steps]
        phase = [0, lines] if along_rows else [lines, 0]
    share = (_number(told.get("PercentSampling")) or 100.0) / 100
    found: list[int | None] = []
    for sampled, encoded in zip(frequency, phase, strict=True):
        lines = _number(encoded)
        count = _number(sampled) or (lines and lines * min(share, 1.0))
        found.append(round(count) if count else None)
    return found[0], found[1]


def _contrast(told: Mapping[str, Any]) -> str | None:
    """Return the contrast by the series' names, else by echo, repetition and inversion times."""
    names = (_text(told.get(name)) for name in ("SeriesDescription", "ProtocolName"))
    found = guess_contrast(*names) or _by_times(told)
    return "T1c" if found == "T1" and _text(told.get("ContrastBolusAgent")).strip() else found


def _by_times(told: Mapping[str, Any]) -> str | None:
    echo, repetition, inversion = (
        _number(told.get(name)) for name in ("EchoTime", "RepetitionTime", "InversionTime")
    )
    if echo is None or repetition is None:
        return None
    if inversion is not None and inversion > FLUID_NULLED and echo > LONG_ECHO:
        return "FLAIR"
    if echo > LONG_ECHO:
        return "T2" if repetition > LONG_REPETITION else None
    if echo < SHORT_ECHO:
        if repetition < SHORT_REPETITION or inversion is not None:
            return "T1"
        return "PD" if repetition > LONG_REPETITION else None
    return None
