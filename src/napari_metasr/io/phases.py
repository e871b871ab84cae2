"""Images of phases, which are no brightness: they jump by a whole turn where they wrap round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from napari_metasr.io.names import stem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["phase_concern"]

TYPES = frozenset({"P", "PHASE", "PHASE MAP"})
"""Values of DICOM's element Image Type, or of its Complex Image Component, that say so."""

_NAMED = re.compile(r"(^|_)part-phase(_|$)|^sub-.*_phase(diff|[12])?$")
"""How names of BIDS say so; elsewhere ``_phase`` is that of a contrast agent as well."""


def phase_concern(image_type: Any, path: Path | None = None) -> tuple[str, ...]:
    """Say what speaks against interpolating an image, if it is known to hold phases.

    Parameters
    ----------
    image_type
        The values of its Image Type, of DICOM or of a JSON file; whatever else is passed over.
    path
        Its file, if that has a name that tells.
    """
    values = image_type if isinstance(image_type, list | tuple) else ()
    is_phase = any(str(value).upper() in TYPES for value in values)
    if is_phase or (path is not None and _NAMED.search(stem(path))):
        return ("its numbers are phases: what lies between voxels is wrong where they wrap round",)
    return ()
