"""The libraries that DICOM needs, which are an extra."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["need_dicom", "quiet"]

LIBRARIES = ("pydicom", "highdicom")


def need_dicom() -> None:
    """Refuse to go on without the libraries.

    Raises
    ------
    ValueError
        Which are missing, and how to get them.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise ValueError(f"DICOM needs {' and '.join(missing)}: pip install 'napari-metasr[dicom]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries from warning: their messages quote what stands in the files."""
    from pydicom.config import disable_value_validation

    loggers = [logging.getLogger(name) for name in LIBRARIES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
