"""A second head of Meta-SRGAN's weight prediction network: how large its error may be.

The head shares the hidden layer of the weight prediction network and the features of the trunk::

    q(p) = exp( < W2' relu(W1 v_p + b1) + b2', patch3x3(F, cell(p)) > + level )

Only W2', b2' and the level are its own. It is the same function of features and position as the
image is, so that the re-association (``meta_upscale``) holds: ``hidden + 1`` more channels of G.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_metasr.networks.meta_srgan import MetaSRGAN

QUANTILE = 0.9
"""Quantile of the absolute error that the head estimates."""

FIRST_LEVEL = 0.02
"""Error, as a share of the intensity range, that an untrained head gives everywhere."""

LARGEST_LOG = 4.0
"""Logarithms beyond it are taken for it: exp(4) times the range is no error that could occur."""


class RiskHead(nn.Module):
    """Linear hidden -> features * 9, and a level; zero weights at first.

    Parameters
    ----------
    features, hidden
        Of the network whose errors it estimates.
    """

    def __init__(self, *, features: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.second = nn.Linear(hidden, features * 9)
        self.level = nn.Parameter(torch.tensor(math.log(FIRST_LEVEL)))
        with torch.no_grad():
            for parameter in self.second.parameters():
                parameter.zero_()

    def attached(self, network: MetaSRGAN) -> MetaSRGAN:
        """Return a network whose image is q's logarithm without the level.

        It shares everything with ``network`` but the second layer of its weight prediction.
        """
        upscale = copy.copy(network.upscale)
        upscale._modules = dict(upscale._modules)
        weights = copy.copy(network.upscale.weights)
        weights._modules = dict(weights._modules)
        weights.second = self.second
        upscale.weights = weights
        return type(network)(trunk=network.trunk, upscale=upscale)

    def quantile(self, logarithm: Tensor) -> Tensor:
        """Return q, in the network's units, of what the attached network gives.

        Beyond ``LARGEST_LOG`` it goes on as a straight line, so that pixels that got there in
        training have a gradient that leads them back.
        """
        whole = logarithm + self.level
        beyond = (whole - LARGEST_LOG).clamp(min=0)
        return whole.clamp(max=LARGEST_LOG).exp() * (1 + beyond)


def pinball(error: Tensor, quantile: Tensor, share: float = QUANTILE) -> Tensor:
    """Return the mean pinball loss, which the ``share`` quantile of the errors minimises.

    Koenker & Bassett (1978): ``share (e - q)`` where the error e exceeds q, else
    ``(1 - share) (q - e)``.
    """
    excess = error - quantile
    return torch.maximum(share * excess, (share - 1) * excess).mean()
