"""How a low-resolution image comes about: used by training, demonstration and checks alike."""

from napari_metasr.degradations.downsampling import DEGRADATIONS, degradation_matrix, degrade
from napari_metasr.degradations.k_space import truncation_matrix
from napari_metasr.degradations.noise import add_k_space_noise
from napari_metasr.degradations.slice_profile import slice_profile_matrix, slice_profile_on

__all__ = [
    "DEGRADATIONS",
    "add_k_space_noise",
    "degradation_matrix",
    "degrade",
    "slice_profile_matrix",
    "slice_profile_on",
    "truncation_matrix",
]
