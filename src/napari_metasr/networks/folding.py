"""Batch normalisation folded into the convolution before it, for inference."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def fold_batch_norm(module: ModuleT) -> ModuleT:
    """Return a copy in eval mode in which no convolution is followed by a BatchNorm2d.

    Pairs are looked for in ``nn.Sequential``; the copy computes the same function.
    """
    folded = copy.deepcopy(module).eval()
    for part in folded.modules():
        if isinstance(part, nn.Sequential):
            _fold_pairs(part)
    return folded


def _fold_pairs(sequence: nn.Sequential) -> None:
    names = list(sequence._modules)
    for name, following in pairwise(names):
        conv, norm = sequence._modules[name], sequence._modules[following]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            sequence._modules[name] = fuse_conv_bn_eval(conv, norm)
            sequence._modules[following] = nn.Identity()
