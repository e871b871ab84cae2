"""The training loop: one for every network, loss and game."""

from __future__ import annotations

import math
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from metasr_training.averaging import normalisations, reestimate_statistics
from metasr_training.distributed import World
from metasr_training.drawing import Drawing, Drawn
from metasr_training.games import Game, game
from metasr_training.loss_log import LossLog
from metasr_training.memory import peak_mib
from metasr_training.players import GeneratorPlayer, Player, critic_player
from metasr_training.precision import settled
from metasr_training.progress import Progress
from metasr_training.schedule import Schedule, learning_rate
from metasr_training.stopwatch import Stopwatch

if TYPE_CHECKING:
    from torch import nn

    from metasr_training.run_folder import RunFolder
    from metasr_training.stage import Stage
    from metasr_training.tasks.base import StepResult, Task
    from metasr_training.telemetry import Telemetry
    from metasr_training.train_config import TrainConfig

STATISTICS_BATCHES = 32
"""Training batches from which the statistics of batch normalisation are estimated anew."""


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
    progress
        What the bar says besides.

    Raises
    ------
    ValueError
        If the processes cannot share a batch evenly.
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
        progress: Progress | None = None,
    ) -> None:
        if config.batch % world.size:
            raise ValueError(
                f"expected a batch that {world.size} processes share evenly, found {config.batch}"
            )
        self.config = config = settled(config, device, world)
        self.task = task
        self.folder = folder
        self.stop = stop or Event()
        self.progress = progress or Progress()
        self.device = torch.device(device)
        self.world = world
        self.schedule = Schedule.of(
            config.stages,
            [task.updates_per_epoch(stage.domain) for stage in config.stages],
            config.budget,
        )
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        torch.manual_seed(config.seed)
        self.generator = GeneratorPlayer(config, self.device, world)
        self.games: dict[str, Game] = {
            stage.name: game(stage.game, **stage.game_options)
            for stage in config.stages
            if stage.game is not None
        }
        self.critics: dict[str, Player] = {}
        for name, rules in self.games.items():
            before = next((each for each in self.critics if self.games[each] == rules), None)
            self.critics[name] = (
                self.critics[before]
                if before is not None
                else critic_player(rules, config.betas, self.device, world)
            )
        self.update = 0
        self.stopwatch = Stopwatch()
        self.drawing = Drawing(config, task, self.schedule, world, lambda: self.stopwatch.elapsed)
        self.losses = LossLog()
        self.best_score = -math.inf
        self.kept: nn.Module = self.generator.network
        self.kept_as = "weights"
        self.validated: int | None = None
        self.validation: dict[str, float] = {}

    def start_from(self, network: dict[str, Tensor], task: dict[str, Any]) -> None:
        """Begin with the weights of another run, and what its task kept with them."""
        self.generator.start_from(network)
        self.task.load_state(task)

    def weights(self) -> dict[str, Any]:
        """Collect what is saved: the weights or their average, whichever validated better last.

        With them goes what the last validation found of them: ``score`` and its values.
        """
        return {
            "network": self.kept.state_dict(),
            "kept": self.kept_as,
            "validation": self.validation,
            "task": self.task.state(),
            "update": self.update,
            "seconds": self.stopwatch.elapsed,
        }

    def save(self) -> None:
        """Save what a resume needs."""
        if not self.world.first:
            return
        state = {
            "name": self.config.name,
            "builder": self.config.network,
            "generator": self.generator.state(),
            "critics": {name: critic.state() for name, critic in self.critics.items()},
            "task": self.task.state(),
            "update": self.update,
            "elapsed": self.stopwatch.elapsed,
            "best_score": self.best_score,
            "unlogged": self.losses.state(),
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
            self.generator.load_state(state["generator"])
            for name, critic in self.critics.items():
                critic.load_state(state["critics"][name])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"the checkpoint in {self.folder.path} is not of {self.config.name} as it is "
                f"configured now: {error}"
            ) from None
        self.task.load_state(state["task"])
        self.update, self.best_score = state["update"], state["best_score"]
        self.stopwatch = Stopwatch(state["elapsed"])
        self.losses.load_state(state["unlogged"])
        return True

    def _autocast(self) -> torch.autocast:
        reduced = self.config.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=reduced)

    def forward(self, drawn: Drawn, batch: Any) -> StepResult:
        """Run the generator on a batch and compute its losses."""
        with self._autocast():
            return self.task.evaluate(self.generator.network, batch, drawn.stage, self.device)

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

    def play(self, critic: Player, drawn: Drawn, outcome: StepResult) -> dict[str, Tensor]:
        """Take the critic's steps, the last one on the batch that the generator learns from."""
        rules = self.games[drawn.stage.name]
        place = (self.config.seed + self.update) * self.world.size + self.world.rank
        rng = torch.Generator().manual_seed(place)
        losses: dict[str, Tensor] = {}
        critic.network.train()
        for batch in drawn.batches:
            seen = outcome
            if batch is not drawn.batches[-1]:
                with torch.no_grad():
                    seen = self.forward(drawn, batch)
            if seen.made is None or seen.real is None:
                raise ValueError(f"{self.config.name} makes no images, so it plays no game")
            with self._autocast():
                losses = rules.critic_loss(critic.network, seen.made.detach(), seen.real, rng)
            self._check(losses, batch)
            critic.descend(torch.stack(list(losses.values())).sum())
            rules.after_critic_step(critic.network)
        return losses

    def judge(self, critic: Player, drawn: Drawn, outcome: StepResult) -> Tensor:
        """Compute the generator's loss in the game, leaving no gradient on the critic."""
        rules = self.games[drawn.stage.name]
        critic.network.requires_grad_(False)
        with self._autocast():
            loss = rules.generator_loss(critic.network, outcome.made)  # type: ignore[arg-type]
        critic.network.requires_grad_(True)
        return loss

    def step(self, drawn: Drawn) -> dict[str, float]:
        """Update the generator once, after its critic; return every loss by its name.

        Raises
        ------
        FloatingPointError
            If a loss is not finite; the batch is saved.
        """
        stage, place = drawn.stage, drawn.place
        rate = learning_rate(stage.rate, place.progress, place.updates)
        batch = drawn.batches[-1]
        self.generator.set_rate(rate)
        self.generator.network.train()
        if self.config.fixed_statistics:
            for norm in normalisations(self.generator.network):
                norm.eval()
        outcome = self.forward(drawn, batch)
        losses = dict(outcome.losses)
        played: dict[str, Tensor] = {}
        if stage.game is not None:
            critic = self.critics[stage.name]
            critic.set_rate(rate)
            played = self.play(critic, drawn, outcome)
            losses["adversarial"] = self.judge(critic, drawn, outcome)
        self._check(losses, batch)
        terms = [stage.losses[name] * loss for name, loss in losses.items()]  # type: ignore[index]
        total = torch.stack(terms).sum()
        self.generator.descend(total, self.config.largest_gradient)
        self.update += 1
        named = {"total": total} | losses | played
        return {f"loss/{name}": float(loss.detach()) for name, loss in named.items()}

    def _fit_statistics(self, network: nn.Module) -> None:
        """Give a network the batch statistics of training images; every process takes part."""
        if self.config.fixed_statistics:
            return

        def forward(index: int) -> None:
            batch = self.task.draw(index, "mri", self.world.rank, self.world.size)
            with self._autocast():
                self.task.forward(network, batch, self.device)

        reestimate_statistics(
            network, (partial(forward, index) for index in range(STATISTICS_BATCHES))
        )

    def validate(self, telemetry: Telemetry) -> None:
        """Measure the weights and their average; keep the better, and the best of all so far.

        What a network was before its first update is measured for the curve, and not kept: a
        table's network has been trained.
        """
        candidates = self.generator.candidates()
        for network in candidates.values():
            self._fit_statistics(network)
        self.validated = self.update
        if not self.world.first:
            return
        measured = {
            name: self.task.validate(network.eval(), self.device)
            for name, network in candidates.items()
        }
        name = max(measured, key=lambda one: measured[one].score)
        self.kept, self.kept_as, found = candidates[name], name, measured[name]
        self.validation = {"score": found.score, **found.values}
        self.progress.note(found.values)
        scores = {f"val/score_of_{one}": each.score for one, each in measured.items()}
        seconds = round(self.stopwatch.elapsed, 3)
        memory = peak_mib(self.device)
        telemetry.log(
            self.update, **found.values, **scores, kept=name, seconds=seconds, memory_mib=memory
        )
        telemetry.show(self.update, found.images)
        if self.update and found.score > self.best_score:
            self.best_score = found.score
            self.folder.save(self.folder.best, self.weights())

    def _log(self, telemetry: Telemetry, stage: Stage) -> None:
        """Write the mean of every loss since the last line."""
        telemetry.log(
            self.update,
            stage=stage.name,
            **self.losses.means,
            rate=self.generator.optimiser.param_groups[0]["lr"],
            updates_per_second=round(self.losses.speed(self.update), 4),
            seconds=round(self.stopwatch.elapsed, 3),
        )
        self.losses.begin_line(self.update)
        self.losses.clear()

    def _asked_to_stop(self) -> bool:
        """Return whether any process was asked to stop."""
        return bool(self.world.average(torch.tensor(float(self.stop.is_set()))) > 0)

    def run(self, telemetry: Telemetry) -> bool:
        """Train to the end of the schedule; False if it was asked to stop before."""
        with tqdm(
            total=self.schedule.total,
            initial=int(self.drawing.behind(self.update)),
            desc=self.progress.label(self.config.name),
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
            mininterval=5,
            disable=not self.world.first,
        ) as bar:
            if self.update == 0:
                self.validate(telemetry)
            stopped, stage = self._updates(telemetry, bar)
        if not stopped and self.losses:
            self._log(telemetry, stage)
        if not stopped and self.validated != self.update:
            self.validate(telemetry)
        self.save()
        if not stopped and self.world.first:
            self.folder.save(self.folder.final, self.weights())
        return not stopped

    def _updates(self, telemetry: Telemetry, bar: tqdm) -> tuple[bool, Stage]:
        """Update to the end of the schedule, or until asked to stop; in which stage that was."""
        config, total, begun = self.config, self.schedule.total, bar.n
        self.losses.begin_line(self.update)
        coming = self.drawing.after(self.update)
        stopped = False
        stage = config.stages[0]
        began = self.stopwatch.elapsed
        self.stopwatch.start()
        while not stopped and self.drawing.behind(self.update) < total:
            self.losses.stopwatch.start()
            drawn = next(coming)
            stage = drawn.stage
            losses = self.step(drawn)
            self.progress.note(losses)
            self.losses.add(losses)
            self.losses.stopwatch.tick()
            if self.update % config.log_every == 0:
                self._log(telemetry, stage)
            if self.update % config.validate_every == 0:
                self.validate(telemetry)
            self.stopwatch.tick()
            if self.update % config.checkpoint_every == 0:
                self.save()
            behind = self.schedule.behind(self.update, self.stopwatch.elapsed)
            speed = (behind - begun) / max(self.stopwatch.elapsed - began, 1e-9)
            words = self.progress.text(self.update, total - behind, speed)
            bar.set_postfix_str(words, refresh=False)
            bar.update(int(behind) - bar.n)
            stopped = self._asked_to_stop()
        coming.close()
        return stopped, stage
