"""Files to and from volumes."""

from napari_metasr.io.nifti import read_volume

__all__ = ["read_volume"]
