"""The two sides of a game: networks with their optimisers."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from metasr_training.averaging import averaged
from napari_metasr.networks import build
from napari_metasr.networks.interpolating_start import start_as_interpolation
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.state_files import check_state
from napari_metasr.networks.told_meta_srgan import CODED, ToldMetaSRGAN
from napari_metasr.zoom.kernels import kernel_for

if TYPE_CHECKING:
    from torch import Tensor

    from metasr_training.distributed import World
    from metasr_training.games import Game
    from metasr_training.train_config import TrainConfig


def build_generator(config: TrainConfig, device: str) -> nn.Module:
    """Build the network of a run, with random weights."""
    network = build(config.network, **config.options)
    if isinstance(network, MetaSRGAN):
        network.upscale.kernel = kernel_for(torch.device(device).type)
    if config.interpolating_start:
        start_as_interpolation(network)
    return _placed(network, torch.device(device))


def _placed(network: nn.Module, device: torch.device) -> nn.Module:
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _shared(network: nn.Module, world: World, device: torch.device) -> nn.Module:
    """Make batch statistics span all processes, where that is possible."""
    if world.size > 1 and device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network


class Player:
    """A network that goes down its own loss with Adam.

    Parameters
    ----------
    network
        On its device.
    groups
        Its parameters, each group with its share of the learning rate.
    betas
        Adam's.
    world
        The processes whose gradients are averaged.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: Iterable[dict[str, Any]],
        betas: tuple[float, float],
        world: World,
    ) -> None:
        self.network = network
        self.optimiser = torch.optim.Adam(groups, betas=betas)
        self.world = world

    def set_rate(self, rate: float) -> None:
        """Set the learning rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]

    def descend(self, loss: Tensor, largest: float = 0.0) -> None:
        """Take one step; the gradient's norm is clipped to ``largest`` unless that is 0."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.world.average_gradients(self.network.parameters())
        if largest:
            nn.utils.clip_grad_norm_(self.network.parameters(), largest)
        self.optimiser.step()

    def state(self) -> dict[str, Any]:
        """Return the state that resuming needs."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


class GeneratorPlayer(Player):
    """The network that is trained for, with the running average of its weights.

    Parameters
    ----------
    config
        The run.
    device
        A torch device.
    world
        The processes whose gradients are averaged.
    """

    def __init__(self, config: TrainConfig, device: torch.device, world: World) -> None:
        network = _shared(build_generator(config, str(device)), world, device)
        super().__init__(network, _groups(network, config.kernel_share), config.betas, world)
        self.average = averaged(network, config.average) if config.average else None
        self.builder = config.network

    def candidates(self) -> dict[str, nn.Module]:
        """Copy what may be kept of the network: its weights and, if there is one, their average."""
        found = {"weights": deepcopy(self.network)}
        if self.average is not None:
            found["average"] = deepcopy(self.average.module)
        return found

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin with the weights of another run.

        Raises
        ------
        ValueError
            If they are of another network, or of one with other options.
        """
        begun = [self.network, *([] if self.average is None else [self.average.module])]
        for network in begun:
            wanted, expected = f"{self.builder} as it is configured", network.state_dict()
            if isinstance(network, ToldMetaSRGAN) and not network.is_told_by(weights):
                uncoded = {k: value for k, value in expected.items() if not k.startswith(CODED)}
                check_state("the start", wanted, uncoded, weights)
                network.load_untold(weights)
            else:
                check_state("the start", wanted, expected, weights)
                network.load_state_dict(weights)

    def descend(self, loss: Tensor, largest: float = 0.0) -> None:
        """Take one step, which the average follows."""
        super().descend(loss, largest)
        if self.average is not None:
            self.average.update_parameters(self.network)

    def state(self) -> dict[str, Any]:
        """Return the state that resuming needs, including the average."""
        return super().state() | {
            "average": None if self.average is None else self.average.state_dict()
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        super().load_state(state)
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def _groups(network: nn.Module, kernel_share: float) -> list[dict[str, Any]]:
    """Group a generator's parameters by the share of the learning rate that each gets."""
    kernels: list[nn.Parameter] = []
    if isinstance(network, MetaSRGAN):
        kernels = list(network.upscale.weights.second.parameters())
    slow = {id(one) for one in kernels}
    groups = [
        {"params": [one for one in network.parameters() if id(one) not in slow], "share": 1.0}
    ]
    return [*groups, {"params": kernels, "share": kernel_share}] if kernels else groups


def critic_player(
    rules: Game, betas: tuple[float, float], device: torch.device, world: World
) -> Player:
    """Build the critic that a game is played with."""
    network = _shared(_placed(build(rules.critic, **rules.critic_options), device), world, device)
    return Player(network, [{"params": list(network.parameters()), "share": 1.0}], betas, world)
