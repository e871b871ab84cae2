"""What a volume's file begins with, in the format that its name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.freesurfer import mgh_start
from napari_metasr.io.metaimage import metaimage_start
from napari_metasr.io.names import FREESURFER, METAIMAGE, NRRD, has_ending
from napari_metasr.io.nifti_start import nifti_start
from napari_metasr.io.nrrd import nrrd_start

if TYPE_CHECKING:
    from napari_metasr.io.start import Outline, Start

__all__ = ["start_of"]

BUILDERS = ((FREESURFER, mgh_start), (NRRD, nrrd_start), (METAIMAGE, metaimage_start))


def start_of(outline: Outline) -> Start:
    """Build what stands around the voxels of a file.

    Raises
    ------
    ValueError
        If the format cannot hold the type.
    """
    for endings, build in BUILDERS:
        if has_ending(outline.path, endings):
            return build(outline)
    return nifti_start(outline)
