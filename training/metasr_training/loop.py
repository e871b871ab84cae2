"""The training loop: one for every network, loss and game."""

from __future__ import annotations

import itertools
import logging
import math
import resource
import time
from collections import defaultdict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from metasr_training.distributed import World
from metasr_training.games import Game, game
from metasr_training.schedule import Schedule, learning_rate
from napari_metasr.networks import build
from napari_metasr.networks.interpolating_start import start_as_interpolation
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.zoom.kernels import kernel_for

if TYPE_CHECKING:
    from metasr_training.recipe import Stage, TrainConfig
    from metasr_training.run_folder import RunFolder
    from metasr_training.tasks.base import Outcome, Task
    from metasr_training.telemetry import Telemetry

log = logging.getLogger(__name__)

LONGEST_COUNTED_UPDATE = 30.0


@dataclass(frozen=True)
class Drawn:
    """The batches of an update, and the stage that they were drawn for."""

    stage: Stage
    progress: float
    batches: list[Any]


def build_generator(config: TrainConfig, device: str) -> nn.Module:
    """The network of a run, with random weights."""
    kernels = {"kernel": kernel_for(torch.device(device).type)}
    options = config.options | (kernels if config.network == "meta-srgan" else {})
    network = build(config.network, **options)
    if config.interpolating_start:
        start_as_interpolation(network)
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


class Trainer:
    """Train one network until its schedule or its budget is used up.

    Parameters
    ----------
    config
        The run.
    task
        What is trained for, with its data.
    folder
        Where checkpoints go.
    device
        A torch device; ``cpu`` uses the compiled kernel.
    world
        The processes that share each batch.
    stop
        When it is set, the update at hand is finished, the state is saved, and ``run`` returns.
    """

    def __init__(
        self,
        config: TrainConfig,
        task: Task[Any],
        folder: RunFolder,
        *,
        device: str = "cpu",
        world: World = World(),
        stop: Event | None = None,
    ) -> None:
        self.config = config
        self.task = task
        self.folder = folder
        self.stop = stop or Event()
        self.device = torch.device(device)
        self.world = world
        self.schedule = Schedule.of(
            config.stages,
            [task.updates_per_epoch(stage.domain) for stage in config.stages],
            config.budget,
        )
        torch.manual_seed(config.seed)
        self.network = self._shared(build_generator(config, device))
        self.average = (
            AveragedModel(
                self.network, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True
            )
            if config.average
            else None
        )
        self.optimiser = torch.optim.Adam(self._groups(), betas=config.betas)
        self.games: dict[str, Game] = {
            stage.game: game(stage.game) for stage in config.stages if stage.game is not None
        }
        self.critic: nn.Module | None = None
        self.critic_optimiser: torch.optim.Adam | None = None
        if self.games:
            first = next(iter(self.games.values()))
            critic = build(first.critic, **first.critic_options)
            critic = critic.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.critic = self._shared(critic)
            self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), betas=config.betas)
        self.update = 0
        self.elapsed = 0.0
        self.best_score = -math.inf

    def _shared(self, network: nn.Module) -> nn.Module:
        """With batch statistics over all processes, where that is possible."""
        if self.world.size > 1 and self.device.type == "cuda":
            return nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return network

    def _groups(self) -> list[dict[str, Any]]:
        """The generator's parameters, with the share of the learning rate that each gets."""
        kernels: list[nn.Parameter] = []
        if isinstance(self.network, MetaSRGAN):
            kernels = list(self.network.upscale.weights.second.parameters())
        slow = {id(one) for one in kernels}
        others = [one for one in self.network.parameters() if id(one) not in slow]
        groups = [{"params": others, "share": 1.0}]
        if kernels:
            groups.append({"params": kernels, "share": self.config.kernel_share})
        return groups

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are validated and kept: the average, if there is one."""
        return self.average.module if self.average is not None else self.network

    def start_from(self, network: dict[str, Tensor], task: dict[str, Any]) -> None:
        """Begin with the weights of another run, and what its task kept with them."""
        self.network.load_state_dict(network)
        if self.average is not None:
            self.average.module.load_state_dict(network)
        self.task.load_state(task)

    def weights(self) -> dict[str, Any]:
        """What is kept of a network: the generator alone."""
        return {
            "network": self.kept.state_dict(),
            "task": self.task.state(),
            "update": self.update,
            "seconds": self.elapsed,
        }

    def save(self) -> None:
        """Save what a resume needs."""
        if not self.world.first:
            return
        state = {
            "name": self.config.name,
            "builder": self.config.network,
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic": None if self.critic is None else self.critic.state_dict(),
            "critic_optimiser": (
                None if self.critic_optimiser is None else self.critic_optimiser.state_dict()
            ),
            "task": self.task.state(),
            "update": self.update,
            "elapsed": self.elapsed,
            "best_score": self.best_score,
        }
        self.folder.save(self.folder.checkpoint, state)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False if there is none.

        Raises
        ------
        ValueError
            If the checkpoint is of another network.
        """
        state = self.folder.load_checkpoint()
        if state is None:
            return False
        found = state.get("name"), state.get("builder")
        if found != (self.config.name, self.config.network):
            raise ValueError(
                f"expected a checkpoint of {self.config.name} ({self.config.network}) in "
                f"{self.folder.path}, found one of {found[0]} ({found[1]})"
            )
        try:
            self.network.load_state_dict(state["network"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.critic is not None and self.critic_optimiser is not None:
                self.critic.load_state_dict(state["critic"])
                self.critic_optimiser.load_state_dict(state["critic_optimiser"])
        except (RuntimeError, TypeError) as error:
            raise ValueError(
                f"the checkpoint in {self.folder.path} is not of {self.config.name} as it is "
                f"configured now: {error}"
            ) from None
        self.task.load_state(state["task"])
        self.update, self.elapsed = state["update"], state["elapsed"]
        self.best_score = state["best_score"]
        return True

    def _draw(self, update: int, stage: Stage, progress: float) -> Drawn:
        steps = stage.critic_steps
        batches = [
            self.task.draw(update * steps + step, stage.domain, self.world.rank, self.world.size)
            for step in range(steps)
        ]
        return Drawn(stage, progress, batches)

    def _submit(self, pool: ThreadPoolExecutor, update: int) -> Any:
        behind = self.schedule.behind(update, self.world.agree(self.elapsed))
        place = self.schedule.place(behind)
        return pool.submit(self._draw, update, self.config.stages[place.stage], place.progress)

    def drawn(self) -> Generator[Drawn, None, None]:
        """The batches from this update on, each drawn while the one before it is worked on.

        A batch depends on the seed and the number of its update alone; not on how many threads
        happen to be free, and it takes none from the network.
        """
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as pool:
            coming = self._submit(pool, self.update)
            for update in itertools.count(self.update + 1):
                drawn, coming = coming.result(), self._submit(pool, update)
                yield drawn

    def _forward(self, drawn: Drawn, batch: Any) -> Outcome:
        reduced = self.config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
            return self.task.evaluate(self.network, batch, drawn.stage, self.device)

    def _descend(
        self, optimiser: torch.optim.Adam, network: nn.Module, loss: Tensor, largest: float = 0.0
    ) -> None:
        """One step of one player down its loss."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.world.average_gradients(network.parameters())
        if largest:
            nn.utils.clip_grad_norm_(network.parameters(), largest)
        optimiser.step()

    def _check(self, losses: dict[str, Tensor], batch: Any) -> None:
        """Stop, with the batch saved, if a loss of any process is not finite."""
        total = torch.stack([loss.detach().float() for loss in losses.values()]).sum()
        if not torch.isfinite(self.world.average(total)):
            kept = self.folder.path / f"batch-not-finite-{self.world.rank}.pt"
            tensors = {name: one for name, one in vars(batch).items() if isinstance(one, Tensor)}
            others = {name: repr(one) for name, one in vars(batch).items() if name not in tensors}
            self.folder.save(kept, tensors | others)
            found = ", ".join(f"{name} {loss.item():g}" for name, loss in losses.items())
            raise FloatingPointError(
                f"expected finite losses, found {found} at update {self.update} of "
                f"{self.config.name}; the batch is in {kept}"
            )

    def _play(
        self, critic: nn.Module, optimiser: torch.optim.Adam, drawn: Drawn, outcome: Outcome
    ) -> dict[str, Tensor]:
        """The critic's steps; the last is on the batch that the generator learns from."""
        rules = self.games[drawn.stage.game or ""]
        rng = torch.Generator().manual_seed(self.config.seed + self.update)
        reduced = self.config.precision == "bfloat16"
        losses: dict[str, Tensor] = {}
        for step, batch in enumerate(drawn.batches):
            last = step == len(drawn.batches) - 1
            if not last:
                with torch.no_grad():
                    seen = self._forward(drawn, batch)
            else:
                seen = outcome
            if seen.made is None or seen.real is None:
                raise ValueError(f"{self.config.name} makes no images, so it plays no game")
            with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
                losses = rules.critic_loss(critic, seen.made.detach(), seen.real, rng)
            self._check(losses, batch)
            self._descend(optimiser, critic, torch.stack(list(losses.values())).sum())
            rules.after_critic_step(critic)
        return losses

    def step(self, drawn: Drawn) -> dict[str, float]:
        """One update of the generator, after those of its critic; every loss by its name.

        Raises
        ------
        FloatingPointError
            If a loss is not finite; the batch is saved.
        """
        stage = drawn.stage
        rate = learning_rate(stage.rate, drawn.progress, self.update)
        optimisers = [self.optimiser, self.critic_optimiser]
        for group in (g for one in optimisers if one is not None for g in one.param_groups):
            group["lr"] = rate * group.get("share", 1.0)
        self.network.train()
        batch = drawn.batches[-1]
        outcome = self._forward(drawn, batch)
        losses = dict(outcome.losses)
        played: dict[str, Tensor] = {}
        if stage.game and self.critic is not None and self.critic_optimiser is not None:
            self.critic.train()
            played = self._play(self.critic, self.critic_optimiser, drawn, outcome)
            self.critic.requires_grad_(False)
            reduced = self.config.precision == "bfloat16"
            with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
                losses["adversarial"] = self.games[stage.game].generator_loss(
                    self.critic,
                    outcome.made,  # type: ignore[arg-type]
                )
            self.critic.requires_grad_(True)
        self._check(losses, batch)
        total = torch.stack([stage.losses[name] * loss for name, loss in losses.items()]).sum()  # type: ignore[index]
        self._descend(self.optimiser, self.network, total, self.config.largest_gradient)
        if self.average is not None:
            self.average.update_parameters(self.network)
        self.update += 1
        named = {"total": total} | losses | played
        return {f"loss/{name}": float(loss.detach()) for name, loss in named.items()}

    def validate(self, telemetry: Telemetry) -> None:
        """Measure the kept network, and keep its weights if they are the best."""
        if not self.world.first:
            return
        found = self.task.validate(self.kept.eval(), self.device)
        telemetry.log(
            self.update, **found.values, seconds=round(self.elapsed, 3), memory_mib=self.memory()
        )
        telemetry.show(self.update, found.images)
        if found.score > self.best_score:
            self.best_score = found.score
            self.folder.save(self.folder.best, self.weights())

    def memory(self) -> int:
        """The most memory that was held, in MiB: on the accelerator, or by the process."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) >> 20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

    def run(self, telemetry: Telemetry) -> None:
        """Train to the end of the schedule, or until it is asked to stop."""
        config = self.config
        sums: dict[str, list[float]] = defaultdict(list)
        total = self.schedule.total
        bar = tqdm(
            total=total,
            initial=int(self.schedule.behind(self.update, self.elapsed)),
            desc=config.name,
            unit="update",
            mininterval=5,
            disable=not self.world.first,
        )
        logged_at, logged_update = time.perf_counter(), self.update
        coming = self.drawn()
        while self.schedule.behind(self.update, self.world.agree(self.elapsed)) < total:
            started = time.perf_counter()
            drawn = next(coming)
            for name, value in self.step(drawn).items():
                sums[name].append(value)
            self.elapsed += min(time.perf_counter() - started, LONGEST_COUNTED_UPDATE)
            bar.update(int(self.schedule.behind(self.update, self.elapsed)) - bar.n)
            if self.update % config.log_every == 0:
                now = time.perf_counter()
                telemetry.log(
                    self.update,
                    stage=drawn.stage.name,
                    **{name: math.fsum(found) / len(found) for name, found in sums.items()},
                    rate=self.optimiser.param_groups[0]["lr"],
                    updates_per_second=round((self.update - logged_update) / (now - logged_at), 4),
                    seconds=round(self.elapsed, 3),
                )
                sums.clear()
                logged_at, logged_update = now, self.update
            if self.update % config.validate_every == 0:
                self.validate(telemetry)
            if self.update % config.checkpoint_every == 0:
                self.save()
            if self.stop.is_set():
                break
        coming.close()
        bar.close()
        if self.stop.is_set():
            self.save()
            return
        if self.update % config.validate_every:
            self.validate(telemetry)
        self.save()
        if self.world.first:
            self.folder.save(self.folder.final, self.weights())
