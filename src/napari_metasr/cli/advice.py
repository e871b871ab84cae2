"""Options that remedy an error, for the line in which the command line reports it."""

from __future__ import annotations

from napari_metasr.cohort.items import SameOutputError
from napari_metasr.errors import in_words
from napari_metasr.files import KeptFileError
from napari_metasr.upscaling.errors import (
    DamagedWorkError,
    OtherWorkError,
    OutputDiffersError,
    TooLargeError,
)

ADVICE: dict[type[Exception], str] = {
    DamagedWorkError: "without --resume the work starts over",
    KeptFileError: "--overwrite replaces it",
    OtherWorkError: "without --resume the work starts over",
    OutputDiffersError: "--output writes elsewhere",
    SameOutputError: "a narrower --pattern takes one of them",
    TooLargeError: "--force allows it",
}


def with_advice(error: BaseException) -> str:
    """Describe an error in one line, with the option that remedies it."""
    advice = next((text for kind, text in ADVICE.items() if isinstance(error, kind)), None)
    return in_words(error) if advice is None else f"{in_words(error)}; {advice}"
