"""A simulated glioma phantom: a brain MRI whose truth is known, made without any download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_metasr.samples.anatomy import BRAIN_BOX, Anatomy, separable_field
from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.samples.anatomy import Points

__all__ = ["CONTRASTS", "LABELS", "Contrast", "glioma_contrasts", "glioma_phantom"]

Contrast = Literal["t1c", "t2", "flair"]

LABELS = {"necrotic core": 1, "oedema": 2, "enhancing tumour": 3}
"""Values of the ground-truth mask (as in BraTS)."""

CONTRASTS: dict[Contrast, dict[str, float]] = {
    "t1c": {
        "fluid": 0.20,
        "grey": 0.60,
        "white": 0.90,
        "nucleus": 0.68,
        "pallidum": 0.76,
        "vessel": 1.70,
        "plexus": 1.30,
        "oedema": 0.56,
        "enhancing": 1.55,
        "necrotic": 0.34,
    },
    "t2": {
        "fluid": 1.90,
        "grey": 0.86,
        "white": 0.60,
        "nucleus": 0.74,
        "pallidum": 0.52,
        "vessel": 0.15,
        "plexus": 1.20,
        "oedema": 1.35,
        "enhancing": 0.95,
        "necrotic": 1.60,
    },
    "flair": {
        "fluid": 0.18,
        "grey": 0.88,
        "white": 0.70,
        "nucleus": 0.80,
        "pallidum": 0.66,
        "vessel": 0.30,
        "plexus": 0.80,
        "oedema": 1.45,
        "enhancing": 1.10,
        "necrotic": 0.55,
    },
}
"""Intensities of the tissues in each contrast, relative to ``INTENSITY``."""

INTENSITY = 1000.0
_TEXTURE = 0.022
_BIAS = 0.09


def glioma_phantom(
    shape: tuple[int, int, int] = (155, 240, 240),
    spacing: float | tuple[float, float, float] = 1.0,
    *,
    seed: int = 0,
    contrast: Contrast = "t1c",
    noise: float = 0.02,
) -> tuple[Volume, NDArray[np.uint8]]:
    """Simulate a skull-stripped brain with a glioma in the right hemisphere, in one contrast.

    Parameters
    ----------
    contrast : {"t1c", "t2", "flair"}
        T1 with contrast agent, T2, or T2 with suppressed fluid.
    shape, spacing, seed, noise
        As `glioma_contrasts`.

    Returns
    -------
    volume : Volume
        uint16, world 0 in the middle of the field of view.
    mask : ndarray, uint8
        The truth, in the shape of the volume: 0 elsewhere, and `LABELS`.

    Raises
    ------
    ValueError
        If the shape, the spacing, the noise or the contrast make no sense.
    """
    volumes, mask = glioma_contrasts(shape, spacing, seed=seed, contrasts=(contrast,), noise=noise)
    return volumes[contrast], mask


def glioma_contrasts(
    shape: tuple[int, int, int] = (155, 240, 240),
    spacing: float | tuple[float, float, float] = 1.0,
    *,
    seed: int = 0,
    contrasts: Sequence[Contrast] = ("t1c", "t2", "flair"),
    noise: float = 0.02,
) -> tuple[dict[Contrast, Volume], NDArray[np.uint8]]:
    """Simulate a skull-stripped brain with a glioma in the right hemisphere.

    Folded grey and white matter, ventricles, deep nuclei, cerebellum, brainstem and vessels; a
    ring-enhancing tumour with a necrotic core and oedema that follows the white matter and pushes
    the ventricles aside; a smooth bias field and Rician noise. A seed is an individual: its
    contrasts share the anatomy and can be laid over one another, and so do other grids.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, y, x).
    spacing : float or tuple of float
        mm, of all axes or (z, y, x); the field of view is centred on the brain.
    seed : int
        Which individual.
    contrasts : sequence of {"t1c", "t2", "flair"}
        T1 with contrast agent, T2, and T2 with suppressed fluid.
    noise : float
        Standard deviation of the noise in both channels, relative to ``INTENSITY``.

    Returns
    -------
    volumes : dict
        uint16, each by its contrast; world 0 in the middle of the field of view.
    mask : ndarray, uint8
        The truth, in the shape of the volumes: 0 elsewhere, and `LABELS`.

    Raises
    ------
    ValueError
        If the shape, the spacing, the noise or a contrast make no sense.
    """
    steps = np.broadcast_to(np.asarray(spacing, dtype=np.float64), (3,))
    if len(shape) != 3 or min(shape) < 2:
        raise ValueError(f"expected three axes (z, y, x) of at least 2 voxels, found {shape}")
    if not (np.isfinite(steps).all() and (steps > 0).all()):
        raise ValueError(f"expected a positive spacing in mm, found {spacing}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"expected a noise of at least 0, found {noise}")
    unknown = set(contrasts) - set(CONTRASTS)
    if unknown:
        raise ValueError(f"expected contrasts of {', '.join(CONTRASTS)}, found {min(unknown)!r}")

    affine = np.diag([*steps[::-1], 1.0])
    affine[:3, 3] = [(1 - n) * (step / 2) for n, step in zip(shape[::-1], steps[::-1], strict=True)]
    axes, box = _axes_around_the_brain(shape, affine)
    anatomy = Anatomy(axes, (float(steps[0]), float(steps[1]), float(steps[2])), seed)
    volumes: dict[Contrast, Volume] = {}
    for contrast, painted in _painted(anatomy, contrasts).items():
        image = np.zeros(shape, np.uint16)
        image[box] = _acquired(painted, axes, seed, contrast, noise)
        source = Source(name=f"glioma-phantom-{contrast}", affine=affine, dtype=image.dtype)
        volumes[contrast] = Volume(image, affine, anatomy.spacing, source)
    mask = np.zeros(shape, np.uint8)
    mask[box] = _mask(anatomy)
    return volumes, mask


def _axes_around_the_brain(
    shape: tuple[int, int, int], affine: NDArray[np.float64]
) -> tuple[Points, tuple[slice, ...]]:
    """Return open axes (x, y, z) in mm of the part with the brain, and that part (z, y, x)."""
    axes, box = [], []
    for axis, (low, high) in enumerate(BRAIN_BOX):
        positions = affine[axis, 3] + affine[axis, axis] * np.arange(shape[2 - axis])
        first, last = np.searchsorted(positions, (low, high))
        first, last = min(first, len(positions) - 2), max(last, first + 2)
        part = slice(int(first), int(last))
        lengths = [1, 1, 1]
        lengths[2 - axis] = -1
        axes.append(positions[part].astype(np.float32).reshape(lengths))
        box.append(part)
    return (axes[0], axes[1], axes[2]), tuple(box[::-1])


def _painted(
    anatomy: Anatomy, contrasts: Sequence[Contrast]
) -> dict[Contrast, NDArray[np.float32]]:
    """Make the images without any fault of the scanner."""
    shape = np.broadcast_shapes(*(axis.shape for axis in anatomy.axes))
    images = {contrast: np.zeros(shape, np.float32) for contrast in contrasts}
    for tissue, cover in anatomy.coats():
        for contrast in contrasts:
            paint = np.float32(CONTRASTS[contrast][tissue])
            images[contrast] += cover * (paint - images[contrast])
    return images


def _acquired(
    image: NDArray[np.float32], axes: Points, seed: int, contrast: Contrast, noise: float
) -> NDArray[np.uint16]:
    """Add texture, bias field and Rician noise within the head, as 16-bit numbers."""
    rng = np.random.default_rng([seed, *b"scanner", *contrast.encode()])
    head = image > min(CONTRASTS[contrast].values()) / 4
    image *= (
        1 + _TEXTURE * separable_field(rng, axes, 5) + _TEXTURE * separable_field(rng, axes, 14)
    )
    image *= np.exp(_BIAS * separable_field(rng, axes, 260))
    real = image + noise * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = noise * rng.standard_normal(image.shape, dtype=np.float32)
    magnitude = np.hypot(real, imaginary) * head
    return np.rint(magnitude * INTENSITY).astype(np.uint16)


def _mask(anatomy: Anatomy) -> NDArray[np.uint8]:
    core, oedema, rim = anatomy.lesion
    mask = np.zeros(core.shape, np.uint8)
    for cover, name in ((oedema, "oedema"), (rim, "enhancing tumour"), (core, "necrotic core")):
        mask[cover > np.float32(1 / 2)] = LABELS[name]
    return mask
