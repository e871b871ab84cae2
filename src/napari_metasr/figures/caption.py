"""Compose the text on every picture: what was done, by which model, and for what use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.purpose import RESEARCH_USE, header_text

if TYPE_CHECKING:
    from napari_metasr.quality.trial import Quality


def scale_text(scale: tuple[float, float], *, short: bool = False) -> str:
    """Write a scale: ``×3.7``, or ``×3.7 (rows), ×2 (columns)`` where the axes differ.

    Parameters
    ----------
    short
        For names of layers, of a width that stays while the scale changes: ``×3.70, ×2.00``.
    """
    if short:
        return ", ".join(dict.fromkeys(f"×{factor:.2f}" for factor in scale))
    rows, columns = (f"{factor:.3f}".rstrip("0").rstrip(".") for factor in scale)
    return f"×{rows}" if rows == columns else f"×{rows} (rows), ×{columns} (columns)"


def spacing_text(spacing: tuple[float, float], unit: str = "mm") -> str:
    """Write a spacing: ``0.27 × 0.27 mm``, rows, then columns."""
    return f"{spacing[0]:.3g} × {spacing[1]:.3g} {unit}"


def super_resolved_text(
    model: str,
    scale: tuple[float, float],
    spacing: tuple[float, float],
    unit: str = "mm",
    remark: str = "",
) -> str:
    """Say that an image is super-resolved, by which model and scale, and for what use.

    Parameters
    ----------
    remark
        What else was done to it, without a full stop.
    """
    done = (
        f"Super-resolved by {model}, {scale_text(scale)}, output spacing "
        f"{spacing_text(spacing, unit)}"
    )
    return "; ".join(filter(None, (done, remark, f"{RESEARCH_USE}.")))


def quality_text(quality: Quality) -> str:
    """Write a quality: ``PSNR 34.10 dB · SSIM 0.962``."""
    similarity = "" if math.isnan(quality.ssim) else f" · SSIM {quality.ssim:.3f}"
    return f"PSNR {quality.psnr:.2f} dB{similarity}"


def description_text(model: str, scale: tuple[float, float]) -> str:
    """Return what a file's header says in at most 79 bytes: its purpose first, lest it be cut."""
    return header_text(f"super-resolved by {model}, {scale_text(scale)}")
