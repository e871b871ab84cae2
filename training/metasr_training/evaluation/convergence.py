"""Whether a network has converged, by what it was trained for.

A game lowers PSNR on purpose (Blau, Michaeli 2018), so PSNR tells nothing of a network that has
played one: it is judged by its game's own loss and by visual information fidelity. Others are
judged by PSNR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metasr_training.evaluation.scores import Average
    from metasr_training.trained import TrainedNetwork

TOTAL = "loss/total"
FEWEST = 8
"""Logged losses of a stage from which quarters can be compared."""
STILL = 0.05
"""A loss is still falling if its last quarter brought this share of its whole fall, or more."""
RULE = (
    "A network is not converged, and not ranked, if its mean PSNR is below that of bicubic "
    "interpolation on the same images; one that has played a game, which lowers PSNR on purpose, "
    "if its mean visual information fidelity is below bicubic interpolation's, or if the loss of "
    "its generator still fell in the last quarter of the game."
)


def still_falling(losses: Sequence[float]) -> bool:
    """Tell whether a loss fell in its last quarter.

    It did if the mean of the last quarter is below that of the quarter before by more than two
    standard errors and by at least 5 % of the whole fall. Fewer than eight values do not tell.

    Parameters
    ----------
    losses
        In the order of the updates, each the mean over equally many.
    """
    if len(losses) < FEWEST:
        return False
    first, _, before, last = np.array_split(np.asarray(losses, float), 4)
    fall = before.mean() - last.mean()
    error = np.hypot(*(part.std(ddof=1) / np.sqrt(len(part)) for part in (before, last)))
    return bool(fall > 2 * error and fall >= STILL * (first[0] - last.mean()))


def game_losses(history: Sequence[dict[str, Any]], stage: str) -> list[float]:
    """List what the generator minimised in a stage, line by line of the log."""
    return [line[TOTAL] for line in history if line.get("stage") == stage and TOTAL in line]


def converged(network: TrainedNetwork, found: Average, bicubic: Average) -> bool:
    """Tell whether a network has converged; see ``RULE``.

    Parameters
    ----------
    network
        Its configuration says whether its last stage was a game, its log how the loss went.
    found, bicubic
        Averages of its images and of bicubic interpolation's, on the same slices.
    """
    stage = network.config.stages[-1]
    if stage.game is None:
        return found.psnr >= bicubic.psnr
    if found.vif < bicubic.vif:
        return False
    return not still_falling(game_losses(network.history(), stage.name))
