"""The batches of a run, each drawn while the one before it is in use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from metasr_training.distributed import World
    from metasr_training.schedule import Place, Schedule
    from metasr_training.stage import Stage
    from metasr_training.tasks.base import Task
    from metasr_training.train_config import TrainConfig


@dataclass(frozen=True)
class Drawn:
    """The batches of an update, and the place in the schedule that they were drawn for."""

    stage: Stage
    place: Place
    batches: list[Any]


class Drawing:
    """Draws what each update learns from.

    Parameters
    ----------
    config, task, schedule, world
        The run, what it is trained for, its schedule, the processes that share a batch.
    elapsed
        Returns the seconds that the run has taken.
    """

    def __init__(
        self,
        config: TrainConfig,
        task: Task[Any],
        schedule: Schedule,
        world: World,
        elapsed: Callable[[], float],
    ) -> None:
        self._config, self._task, self._schedule = config, task, schedule
        self._world, self._elapsed = world, elapsed

    def behind(self, update: int) -> float:
        """Return how much of the schedule is behind, in updates; the same in every process."""
        return self._schedule.behind(update, self._world.agree(self._elapsed()))

    def after(self, update: int) -> Generator[Drawn, None, None]:
        """Yield the batches from an update on, drawing each while the previous one is in use.

        A batch depends on the seed and the number of its update alone; not on how many threads
        happen to be free, and it takes none from the network.
        """

        def submit(update: int) -> Any:
            place = self._schedule.place(self.behind(update))
            return pool.submit(self._draw, update, place)

        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as pool:
            coming = submit(update)
            for following in itertools.count(update + 1):
                drawn, coming = coming.result(), submit(following)
                yield drawn

    def _draw(self, update: int, place: Place) -> Drawn:
        stage = self._config.stages[place.stage]
        steps, world = stage.critic_steps, self._world
        batches = [
            self._task.draw(update * steps + step, stage.domain, world.rank, world.size)
            for step in range(steps)
        ]
        return Drawn(stage, place, batches)
