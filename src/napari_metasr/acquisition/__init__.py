"""How a scan was acquired, estimated from its pixels and header: resolution, noise, contrast."""

from napari_metasr.acquisition.band import Band, acquired_bands, cropped_to_band
from napari_metasr.acquisition.code import acquisition_code, slice_code
from napari_metasr.acquisition.description import Acquisition, AxisAcquisition
from napari_metasr.acquisition.estimate import estimate, resolution_of

__all__ = [
    "Acquisition",
    "AxisAcquisition",
    "Band",
    "acquired_bands",
    "acquisition_code",
    "cropped_to_band",
    "estimate",
    "resolution_of",
    "slice_code",
]
