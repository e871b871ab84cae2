"""How a scan was acquired, estimated from its pixels: the band that holds signal, noise, blur."""

from napari_metasr.acquisition.band import Band, acquired_bands, cropped_to_band

__all__ = ["Band", "acquired_bands", "cropped_to_band"]
