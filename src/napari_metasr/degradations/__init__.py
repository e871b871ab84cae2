"""How a low-resolution image comes about: used by training, demonstration and checks alike."""

from napari_metasr.degradations.blur import blurred_box_matrix
from napari_metasr.degradations.downsampling import (
    DEGRADATIONS,
    degradation_matrix,
    degrade,
    named_reduction,
    reduce_image,
)
from napari_metasr.degradations.k_space import Apodisation, truncation_matrix
from napari_metasr.degradations.noise import add_k_space_noise
from napari_metasr.degradations.reduction import Reduction
from napari_metasr.degradations.slice_profile import slice_profile_matrix, slice_profile_on

__all__ = [
    "DEGRADATIONS",
    "Apodisation",
    "Reduction",
    "add_k_space_noise",
    "blurred_box_matrix",
    "degradation_matrix",
    "degrade",
    "named_reduction",
    "reduce_image",
    "slice_profile_matrix",
    "slice_profile_on",
    "truncation_matrix",
]
