"""Meta-SRGAN that is told how its input was acquired.

A code c of the acquisition scales and shifts what every batch normalisation of the trunk gives,
channel by channel, and scales the features before the Meta-Upscale Module::

    z = (1 + A c) BN(x) + B c          each of the trunk's 11 normalisations
    G = conv3x3((1 + A' c) F, [W2; b2])

with A and B linear and 0 at first, so that the network begins as the one that it starts from; c = 0
says that nothing is known (conditional batch normalisation: de Vries et al. 2017, eq. 2 and 3, with
linear maps). Once c is chosen all of it is folded into the weights of a plain Meta-SRGAN.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from napari_metasr.networks.meta_srgan import MetaSRGAN, build_meta_srgan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from torch import Tensor

    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.networks.blocks import ResidualBlock, ResidualTrunk
    from napari_metasr.networks.meta_upscale import MetaUpscale

CODE_LENGTH = 11
"""Numbers that `napari_metasr.acquisition.acquisition_code` tells."""
CODED = ("gains.", "shifts.")
"""How the names of weights begin that a code is multiplied with."""


class ToldMetaSRGAN(MetaSRGAN):
    """Meta-SRGAN with normalisations that a code of the acquisition scales and shifts.

    Parameters
    ----------
    trunk, upscale
        As those of `MetaSRGAN`.
    code_length
        Numbers in the code.
    """

    def __init__(
        self, *, trunk: ResidualTrunk, upscale: MetaUpscale, code_length: int = CODE_LENGTH
    ) -> None:
        super().__init__(trunk=trunk, upscale=upscale)
        self.code_length = code_length
        norms = sum(isinstance(one, nn.BatchNorm2d) for one in trunk.modules())
        self.gains = nn.ParameterList(
            torch.zeros(trunk.features, code_length) for _ in range(norms + 1)
        )
        self.shifts = nn.ParameterList(
            torch.zeros(trunk.features, code_length) for _ in range(norms)
        )

    def forward(
        self,
        image: Tensor,
        grid: OutputGrid,
        pixels: PixelRange | None = None,
        origin: tuple[int, int] = (0, 0),
        code: Tensor | None = None,
    ) -> Tensor:
        """Map (batch, 1, h, w) to (batch, 1, H, W); ``code`` is (batch, code_length) or None."""
        if code is None:
            code = image.new_zeros(len(image), self.code_length, dtype=torch.float32)
        return self.upscale(self.features(image, code), grid, pixels, origin)

    def features(self, image: Tensor, code: Tensor) -> Tensor:
        """Map (batch, 1, h, w) and (batch, code_length) to what G is made of."""
        trunk = self.trunk
        changes = self._changes(code)
        shallow = deep = trunk.head(image)
        for block in trunk.blocks:
            deep = deep + _changed(cast("ResidualBlock", block).body, deep, changes)
        deep = _changed(cast("nn.Sequential", trunk.tail), deep, changes)
        return (shallow + deep) * _each(self.gains[-1], code, 1)

    def _changes(self, code: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        for scale, offset in zip(self.gains, self.shifts, strict=False):
            yield _each(scale, code, 1), _each(offset, code, 0)

    @torch.no_grad()
    def told(self, code: Tensor | None = None) -> MetaSRGAN:
        """Return a plain Meta-SRGAN, in eval mode, that does what this one does when told a code.

        Parameters
        ----------
        code
            (code_length,); None for what it does when nothing is known.

        Raises
        ------
        ValueError
            If the code is of another length.
        """
        code = torch.zeros(self.code_length) if code is None else code
        if code.shape != (self.code_length,):
            raise ValueError(
                f"expected a code of {self.code_length} numbers, found {tuple(code.shape)}"
            )
        code = code.to(self.gains[0])
        plain = MetaSRGAN(trunk=copy.deepcopy(self.trunk), upscale=copy.deepcopy(self.upscale))
        norms = [one for one in plain.trunk.modules() if isinstance(one, nn.BatchNorm2d)]
        for norm, scale, offset in zip(norms, self.gains, self.shifts, strict=False):
            factor = 1 + scale @ code
            norm.weight.mul_(factor)
            norm.bias.mul_(factor).add_(offset @ code)
        second = plain.upscale.weights.second
        factor = (1 + self.gains[-1] @ code).repeat_interleave(9)
        second.weight.mul_(factor[:, None])
        second.bias.mul_(factor)
        return plain.eval()

    def is_told_by(self, weights: Mapping[str, Tensor]) -> bool:
        """Return whether weights say what a code changes."""
        return any(name.startswith(CODED) for name in weights)

    def load_untold(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the weights of a Meta-SRGAN that is told nothing; no code changes it then."""
        ours = {
            name: torch.zeros_like(value)
            for name, value in self.state_dict().items()
            if name.startswith(CODED)
        }
        self.load_state_dict(ours | dict(weights))


def _each(weight: Tensor, code: Tensor, constant: float) -> Tensor:
    """Return a number for each image and channel, (batch, features, 1, 1), in float32."""
    return (code[:, None] * weight).sum(-1)[..., None, None] + constant


def _changed(layers: nn.Sequential, x: Tensor, changes: Iterator[tuple[Tensor, Tensor]]) -> Tensor:
    """Run layers, scaling and shifting what each normalisation gives."""
    for layer in layers:
        x = layer(x)
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            scale, offset = next(changes)
            x = torch.addcmul(offset.to(x), x, scale.to(x))
    return x


def build_told_meta_srgan(*, code_length: int = CODE_LENGTH, **options: Any) -> ToldMetaSRGAN:
    """Build the generator that is told its acquisition; other options as `build_meta_srgan`'s."""
    plain = build_meta_srgan(**options)
    return ToldMetaSRGAN(trunk=plain.trunk, upscale=plain.upscale, code_length=code_length)
