"""Which method comes out above which, and which networks are not ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metasr_training.evaluation.convergence import converged
from metasr_training.evaluation.scores import ALL, averages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.evaluation.scores import ImageScore


def standing(
    scores: Sequence[ImageScore], methods: Iterable[Contestant]
) -> tuple[list[str], list[str]]:
    """Rank the methods of one condition by falling PSNR, in their first region, over all images.

    Returns
    -------
    order, below
        The methods that are ranked; the networks that are not, since they have not converged.
    """
    first = scores[0]
    methods = list(methods)
    averaged = averages(scores)
    found = {one.label: averaged[first.condition, one.label, first.region, ALL] for one in methods}
    bicubic = next(found[one.label] for one in methods if one.is_reference)
    below = [
        one.label
        for one in methods
        if one.network is not None and not converged(one.network, found[one.label], bicubic)
    ]
    return sorted(found.keys() - set(below), key=lambda method: -found[method].psnr), below
