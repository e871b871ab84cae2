"""How a low-resolution image comes about: used by training, demonstration and checks alike."""

from napari_metasr.degradations.downsampling import DEGRADATIONS, degradation_matrix, degrade
from napari_metasr.degradations.k_space import truncation_matrix

__all__ = ["DEGRADATIONS", "degradation_matrix", "degrade", "truncation_matrix"]
