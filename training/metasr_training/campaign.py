"""All the networks of an experiment, one after another, in one run folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from metasr_training.beginning import (
    as_begun,
    begun,
    begun_budget,
    check_start,
    check_unchanged,
    start_sha256,
)
from metasr_training.catalogue import Experiment, recipe
from metasr_training.condition import Condition
from metasr_training.datasets.regions import regions_of_interest
from metasr_training.detector import LD, LD_PLUS, SHIPPED, find_detector, find_weights
from metasr_training.distributed import World
from metasr_training.loop import Trainer
from metasr_training.perceptual import Features, perceptual_features
from metasr_training.progress import Progress
from metasr_training.recipe import Recipe
from metasr_training.run_data import PARTS, RunData
from metasr_training.run_folder import RunFolder, surroundings, write_json
from metasr_training.tasks.detection import Detection
from metasr_training.tasks.super_resolution import SuperResolution
from metasr_training.telemetry import Telemetry
from metasr_training.train_config import TrainConfig
from metasr_training.trained import finished, load_trained, network_folder, run_record
from napari_metasr.weights import load_network, shipped_names

if TYPE_CHECKING:
    from metasr_training.datasets.readers import Unreadable
    from metasr_training.datasets.slices import Slice
    from metasr_training.tasks.base import Task
    from metasr_training.trained import TrainedNetwork
    from napari_metasr.lesions.detector import Detector

log = logging.getLogger(__name__)


class InterruptedRun(Exception):  # noqa: N818 - asked for, no error
    """The run was asked to stop, and has saved what it needs to go on."""


class Campaign:
    """Trains what an experiment needs and the run does not have yet.

    Parameters
    ----------
    experiment, preset
        What to train, and how long.
    data
        The data folder.
    run
        The run folder.
    budget
        Seconds for all networks together.
    seed, device, world, unreadable
        See ``metasr-train --help``.
    interrupts
        Makes the context that a network is trained in: when its event is set, the run saves and
        ends.
    networks
        What is trained, those that others start from first; the experiment's by default.
    slices
        Gives the slices of a split and a domain; by default those of the data folder.
    """

    def __init__(
        self,
        experiment: Experiment,
        preset: str,
        data: Path,
        run: Path,
        *,
        budget: float | None = None,
        seed: int = 0,
        device: str = "cpu",
        world: World = World(),
        unreadable: Unreadable = "stop",
        interrupts: Callable[[], AbstractContextManager[Event]] = lambda: nullcontext(Event()),
        networks: Sequence[tuple[Recipe, Condition]] | None = None,
        slices: Callable[..., list[Slice]] | None = None,
    ) -> None:
        self.experiment = experiment
        self.networks = experiment.networks() if networks is None else list(networks)
        self.preset = preset
        self.data = data
        self.run_folder = run
        self.budget = budget
        self.seed = seed
        self.device = device
        self.world = world
        self.unreadable = unreadable
        self.interrupts = interrupts
        self.trained_now: list[TrainedNetwork] = []
        self.run_data = RunData(data, run / "split.json", unreadable=unreadable, read=slices)

    def check(self) -> None:
        """Refuse to go on with a run that was begun otherwise; no data is looked at.

        Every network that is asked for counts, be it finished.

        Raises
        ------
        ValueError
            If the run was begun with another preset or seed, or a network with another
            configuration or start.
        """
        self._run_record()
        for folder, config in self._begun():
            check_unchanged(folder, config)
            check_start(folder, config)

    def _run_record(self) -> dict[str, Any]:
        """Return what ``run.json`` says, or is to say of a new run."""
        wanted = {"preset": self.preset, "seed": self.seed}
        try:
            record = run_record(self.run_folder)
        except FileNotFoundError:
            record = {"experiments": [], **wanted}
        for key, value in wanted.items():
            if record[key] != value:
                raise ValueError(
                    f"expected {key} {record[key]!r}, with which {self.run_folder} was begun, "
                    f"found {value!r}"
                )
        return record

    def _begun(self) -> Iterator[tuple[RunFolder, TrainConfig]]:
        """List the networks that were begun, each with the configuration that is asked for now."""
        for one, condition in self.plan():
            path = network_folder(self.run_folder, one.network_name(condition))
            about = begun(RunFolder(path)) if path.is_dir() else None
            if about is not None:
                folder = RunFolder(path)
                config = self._resolved(one, condition, begun_budget(folder, None))
                yield folder, as_begun(config, about)

    def _check_data(self) -> None:
        """Read all slices that are needed, and compare with those that networks were begun with."""
        for one, condition in self.unfinished():
            self.run_data.images(self._config(one, condition, None))
        for folder, config in self._begun():
            self.run_data.check(folder, config)

    def record(self) -> None:
        """Write ``run.json`` and the split, or add the experiment to the run.

        Data that cannot be used is found before anything is written.

        Raises
        ------
        ValueError
            As `check`; or if the data is not what the run was begun with.
        """
        self.check()
        self._check_data()
        record = self._run_record()
        record |= {
            "data": str(self.data.resolve()),
            "unreadable": self.unreadable,
            **surroundings(self.device),
        }
        record["experiments"] = list(dict.fromkeys([*record["experiments"], self.experiment.id]))
        if self.world.first:
            self.run_data.keep_split()
            write_json(self.run_folder / "run.json", record)

    def plan(self) -> list[tuple[Recipe, Condition]]:
        """List the networks of the experiment, preceded by the lesion detector if it is needed.

        It is needed where a region of interest or a perceptual loss asks for one and none is
        shipped.
        """
        networks = self.networks
        configs = [one.resolve(self.preset, condition) for one, condition in networks]
        asked = self.experiment.options.get("roi") == "detector" or any(map(asks_detector, configs))
        names = [config.name for config in configs]
        there = {*names, *shipped_names()}
        if asked and there.isdisjoint((*SHIPPED, *SHIPPED.values())):
            return [(recipe(LD), Condition()), *networks]
        return networks

    def unfinished(self) -> list[tuple[Recipe, Condition]]:
        """List the networks that are still to be trained, in order."""
        return [
            (one, condition)
            for one, condition in self.plan()
            if not finished(self.run_folder, one.network_name(condition))
        ]

    def train(self) -> None:
        """Train every network that is not finished.

        Raises
        ------
        InterruptedRun
            If it was asked to stop.
        """
        waiting = self.unfinished()
        if not waiting:
            log.info("every network of %s is trained", self.experiment.id)
            return
        for one, condition in waiting:
            self._train(one, condition, self._budget_of([(one, condition)]))
            name = one.network_name(condition)
            self.trained_now.append(load_trained(self.run_folder, name))
        self.run_data.forget()

    def _budget_of(self, networks: Sequence[tuple[Recipe, Condition]]) -> float | None:
        """Return the share of the budget, in seconds, of some of the networks; None without one."""
        if self.budget is None:
            return None
        shares, all_shares = (
            sum(one.resolve(self.preset, condition).share for one, condition in some)
            for some in (networks, self.plan())
        )
        return self.budget * shares / all_shares

    def _progress(self, one: Recipe, condition: Condition) -> Progress:
        """Make the progress of one of the campaign's networks, and of what comes after it."""
        names = [each.network_name(where) for each, where in self.plan()]
        name = one.network_name(condition)
        after = [each for each in self.unfinished() if each[0].network_name(each[1]) != name]
        lengths = [
            stage.updates
            for each, where in after
            for stage in each.resolve(self.preset, where).stages
        ]
        known = [length for length in lengths if length is not None]
        return Progress(
            number=names.index(name) + 1,
            count=len(names),
            seconds_after=self._budget_of(after),
            updates_after=known if len(known) == len(lengths) else None,
        )

    def summary(self) -> list[str]:
        """Describe each trained network in one line: updates, minutes and validation PSNR."""
        return [
            described(load_trained(self.run_folder, one.network_name(condition)))
            for one, condition in self.plan()
            if finished(self.run_folder, one.network_name(condition))
        ]

    def _resolved(self, one: Recipe, condition: Condition, budget: float | None) -> TrainConfig:
        start = recipe(one.start).network_name(condition) if one.start else None
        return one.resolve(self.preset, condition, start=start, seed=self.seed, budget=budget)

    def _config(self, one: Recipe, condition: Condition, budget: float | None) -> TrainConfig:
        """Resolve a network's configuration, without the stages that there are no images for."""
        config = self._resolved(one, condition, budget)
        stages = []
        for stage in config.stages:
            if self.run_data.has(stage.domain):
                stages.append(stage)
            else:
                log.warning(
                    "no %s images in %s: %s goes without its stage %s",
                    stage.domain,
                    self.data,
                    config.name,
                    stage.name,
                )
        return config.model_copy(update={"stages": tuple(stages)})

    def task(self, config: TrainConfig) -> Task[Any]:
        """Build the task of a run, with its data."""
        images = self.run_data.images(config)
        validation = images["val"]
        training: dict[str, list[Slice]] = {
            PARTS[part][1]: found for part, found in images.items() if part != "val"
        }
        if config.pairs is None:
            return Detection(config, training, validation)
        boxes = None
        if config.pairs.windows == "roi":
            boxes = regions_of_interest(
                [*training["mri"], *validation], config.pairs.roi, self.detector
            )
        return SuperResolution(
            config, training, validation, boxes=boxes, features=self._features(config)
        )

    def detector(self) -> Detector:
        """Find the run's lesion detector, or else the shipped one."""
        return find_detector(self.run_folder, self.device)

    def _features(self, config: TrainConfig) -> tuple[Features, str] | None:
        """Build the feature network of the perceptual loss, if a stage has one, and name it."""
        if not any("perceptual" in stage.losses for stage in config.stages):
            return None
        if config.perceptual.network == "lesion-detector":
            weights = find_weights(self.run_folder, self.device, (LD, LD_PLUS))
            features, name = perceptual_features(config.perceptual, detector=weights.network)
            return features, f"{name}, {weights.title}"
        return perceptual_features(config.perceptual)

    def _begin(self, trainer: Trainer, config: TrainConfig) -> None:
        """Give a new run the weights that its recipe begins with, if any."""
        if config.start is not None:
            weights = load_trained(self.run_folder, config.start).weights
            trainer.start_from(weights["network"], weights["task"])
        elif config.shipped is not None:
            network, card = load_network(config.shipped)
            trainer.start_from(
                network.state_dict(), {"standardisation": list(card.standardisation)}
            )

    def _train(self, one: Recipe, condition: Condition, budget: float | None) -> None:
        folder = RunFolder(network_folder(self.run_folder, one.network_name(condition)))
        kept = begun_budget(folder, budget)
        if budget is not None and kept != budget:
            log.info("%s goes on with the schedule that it was begun with", folder.path.name)
        config = self._config(one, condition, kept)
        about = begun(folder)
        if about is not None:
            config = as_begun(config, about)
        task = self.task(config)
        trainer = Trainer(
            config,
            task,
            folder,
            device=self.device,
            world=self.world,
            progress=self._progress(one, condition),
        )
        config = trainer.config
        check_unchanged(folder, config)
        resumed = trainer.resume()
        if not resumed:
            self._begin(trainer, config)
        if not resumed and self.world.first:
            folder.write_config(
                config,
                task=task.about(),
                **self.run_data.about(config, task.patients()),
                source=one.source,
                start_sha256=start_sha256(config),
                parameters=sum(
                    weights.numel() for weights in trainer.generator.network.parameters()
                ),
                **surroundings(self.device),
            )
        telemetry = Telemetry(folder, update=trainer.update, writes=self.world.first)
        try:
            with self.interrupts() as trainer.stop:
                whole = trainer.run(telemetry)
        finally:
            telemetry.close()
        self.world.agree(0.0)  # the others wait until the first has written the weights
        if not whole:
            raise InterruptedRun(f"stopped at update {trainer.update} of {config.name}")


def described(trained: TrainedNetwork) -> str:
    """Describe a trained network in one line: updates, minutes and PSNR of what is kept of it."""
    found = trained.validation
    words = f"{trained.name}: {trained.updates:,} updates in {trained.seconds / 60:.1f} min"
    if "val/psnr" not in found:
        return words
    gain = found["val/psnr"] - found["val/psnr_bicubic"]
    return f"{words}, validation patches {found['val/psnr']:.2f} dB ({gain:+.2f} over bicubic)"


def asks_detector(config: TrainConfig) -> bool:
    """Return whether a run needs the lesion detector for its loss or its regions of interest."""
    windows = config.pairs is not None and (config.pairs.windows, config.pairs.roi)
    perceptual = any("perceptual" in stage.losses for stage in config.stages)
    return windows == ("roi", "detector") or (
        perceptual and config.perceptual.network == "lesion-detector"
    )
