"""How good a super-resolved image is."""

from napari_metasr.quality.metrics import brain_box, psnr, ssim

__all__ = ["brain_box", "psnr", "ssim"]
