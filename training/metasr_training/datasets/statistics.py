"""Mean and standard deviation of training data, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.datasets.windows import maximal_information_crop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from metasr_training.datasets.image_slice import Slice


def mean_and_std(images: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """Compute mean and (population) standard deviation of all pixels of images, in one pass.

    The images' own means and sums of squared deviations are merged in float64 (Chan, Golub,
    LeVeque 1979, eq. 2.1), so that nothing cancels.

    Parameters
    ----------
    images
        Of any shapes, finite; normalised windows, as a network sees them.

    Raises
    ------
    ValueError
        If there is no pixel, or one is not finite.
    """
    count, mean, squares = 0, 0.0, 0.0
    for image in images:
        values = np.asarray(image, np.float64)
        if values.size == 0:
            continue
        own = float(values.mean())
        difference, total = own - mean, count + values.size
        squares += float(((values - own) ** 2).sum())
        squares += difference**2 * count * values.size / total
        mean += difference * values.size / total
        count = total
    if count == 0:
        raise ValueError("expected at least one image with at least one pixel, found none")
    if not np.isfinite(squares):
        raise ValueError("expected finite images, found NaN or infinity")
    return mean, float(np.sqrt(squares / count))


def crop_statistics(slices: Iterable[Slice], shape: tuple[int, int]) -> tuple[float, float]:
    """Compute mean and standard deviation of slices' normalised maximal-information crops.

    Meta-SRGAN's are 0.370 and 0.117 (of crops of about half of a slice).

    Raises
    ------
    ValueError
        As `mean_and_std` and `maximal_information_crop`.
    """

    def crops() -> Iterable[NDArray[np.float32]]:
        for one in slices:
            top, left, bottom, right = maximal_information_crop(one.image, shape)
            yield one.normalised[top:bottom, left:right]

    return mean_and_std(crops())
