"""Fit a model to the scans of one scanner, measure it on patients left out, install it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from metasr_training.beginning import check_patients
from metasr_training.campaign import Campaign
from metasr_training.cards import Stated, card_fields, contrasts_of
from metasr_training.catalogue import Experiment, Method
from metasr_training.condition import Condition
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.contrasts import CONTRASTS_FOLDER, person
from metasr_training.datasets.slices import load_slices, split_entries
from metasr_training.datasets.split_files import read_split, write_split
from metasr_training.evaluation.zoom import IN_PLANE, zoom_conditions
from metasr_training.left_out import LeftOut, Reductions, across_slices, in_plane, measure
from metasr_training.recipe import Preset, Recipe
from metasr_training.seeds import check_seeds, record_seeds, seed_folders
from metasr_training.tables import write_text
from metasr_training.trained import NETWORKS, TrainedNetwork, load_trained, run_record
from metasr_training.trained_patients import warn_of_trained
from napari_metasr.devices import resolve_device
from napari_metasr.networks import build
from napari_metasr.weights import (
    ModelCard,
    check_new_model,
    install_model,
    load_network,
    model_card,
)
from napari_metasr.zoom.engine import ZoomModel

if TYPE_CHECKING:
    from metasr_training.datasets.entry import Entry
    from metasr_training.datasets.readers import Unreadable
    from metasr_training.datasets.slices import Slice, Split

SCALES = (2.0, 3.0, 4.0)
FEWEST_PATIENTS = 2


@dataclass(frozen=True)
class FineTuning:
    """A fine-tuning, checked before anything is written.

    Attributes
    ----------
    name
        Of the model to come.
    recipe, condition
        How it is trained; what slices are reduced by, where the network is of one scale.
    start, card
        The model it begins with.
    data, run
        The data folder and the run folder.
    split
        A file that says which patients train, validate and test; None where they are drawn.
    preset
        How long the recipe's schedule is.
    unreadable
        What to do with a file that cannot be read: ``stop``, or name and ``skip`` it.
    stated
        What the user says of the model.
    """

    name: str
    recipe: Recipe
    condition: Condition
    start: str
    card: ModelCard
    data: Path
    run: Path
    split: Path | None
    preset: str
    unreadable: Unreadable
    stated: Stated

    @classmethod
    def of(cls, name: str, start: str, recipe: Recipe, **others: Any) -> FineTuning:
        """Check name, start and recipe; the network is the start's, whatever the recipe's is.

        Parameters
        ----------
        others
            ``data``, ``run``, ``split``, ``preset``, ``unreadable`` and ``stated``.

        Raises
        ------
        ValueError
            If the name is taken, or the start is not there or is of another network.
        """
        check_new_model(name)
        card = model_card(start)
        check_start(recipe, card)
        scale = float(card.fixed_scales[-1]) if card.fixed_scales else 2.0
        begun = Preset(options=dict(card.options), training={"shipped": start})
        bare = {key: one.model_copy(update={"options": {}}) for key, one in recipe.presets.items()}
        tuned = recipe.model_copy(update={"start": None, "options": {}, "presets": bare})
        condition = Condition(scale=scale)
        return cls(name, tuned.changed(begun), condition, start, card, **others)

    @property
    def reductions(self) -> Reductions:
        """What the model is measured under: as it is used, at some of its scales."""
        if self.card.super_resolves_across_slices:
            return across_slices()
        if self.card.fixed_scales:
            return in_plane([self.condition])
        return in_plane(zoom_conditions(SCALES, IN_PLANE))

    @property
    def split_file(self) -> Path:
        """Where the run keeps which patients train, validate and test."""
        return self.run / "split.json"

    @property
    def contrasts(self) -> bool:
        """Whether the data sets of other contrasts are trained on and measured as well."""
        return self.recipe.resolve(self.preset, self.condition).contrasts

    def entries(self) -> list[Entry]:
        """List the MRI that is used, with the split of the run or, before it has one, the given."""
        file = self.split_file if self.split_file.exists() else self.split
        found = [one for one in split_entries(self.data, file) if one.domain == "mri"]
        if self.contrasts:
            return found
        return [one for one in found if not one.source.startswith(f"{CONTRASTS_FOLDER}/")]

    @property
    def left_out(self) -> Split:
        """The split that is measured: ``test``, or ``val`` where there are no patients to test."""
        return "test" if any(one.split == "test" for one in self.entries()) else "val"

    def check_data(self) -> None:
        """Refuse data that cannot be trained on or measured; all slices are read.

        Raises
        ------
        ValueError, FileNotFoundError
            If there are too few patients, a contrast is unknown, a split does not fit or is of no
            patients, one of them is in two, or a file cannot be read and is not to be skipped.
        """
        if self.split is not None:
            read_split(self.split)
        entries = self.entries()
        patients = {person(one.source, one.patient) for one in entries}
        if len(patients) < FEWEST_PATIENTS:
            raise ValueError(
                f"expected scans of at least {FEWEST_PATIENTS} patients, to train on some and to "
                f"measure on others, found {len(patients)} in {self.data}"
            )
        if not self.stated.contrasts and not contrasts_of(entries):
            raise ValueError(
                f"expected the contrast of the scans in {self.data} in their files' names, such "
                "as sub-01_FLAIR.nii.gz, or to be told it"
            )
        training = self.slices("train")
        check_patients(training, self.slices("val"))
        check_patients(training, self.slices(self.left_out), "measurement")

    def take_split(self) -> None:
        """Keep the split of the patients in the run folder: the given one, or a drawn one.

        Raises
        ------
        ValueError
            If the run was begun with another split.
        """
        if self.split is not None:
            wanted = read_split(self.split)
            if self.split_file.exists() and read_split(self.split_file) != wanted:
                raise ValueError(
                    f"expected the split with which {self.run} was begun, found another in "
                    f"{self.split}"
                )
            write_split(self.split_file, wanted)
        split_entries(self.data, self.split_file)

    def slices(self, split: Split) -> list[Slice]:
        """Load the slices of a split."""
        return load_slices(
            self.data,
            split,
            unreadable=self.unreadable,
            split_file=self.split_file if self.split_file.exists() else self.split,
            cache=default_folder(),
            contrasts=self.contrasts,
        )

    def campaign(self, run: Path, seed: int, **options: Any) -> Campaign:
        """Return the training with one seed in a run folder; options as `Campaign` has them."""
        experiment = Experiment(
            id="finetune",
            title=f"{self.name}, begun with {self.card.name}",
            source="this project's",
            kind="zoom",
            methods=(Method(label=self.name, recipe=self.recipe.name),),
        )
        return Campaign(
            experiment,
            self.preset,
            self.data,
            run,
            seed=seed,
            unreadable=self.unreadable,
            networks=[(self.recipe, self.condition)],
            **options,
        )

    def train(self, campaigns: Sequence[Campaign]) -> list[TrainedNetwork]:
        """Train with every seed, each in its run folder, which gets the split.

        Raises
        ------
        InterruptedRun, ValueError, FileNotFoundError
            As `Campaign`.
        """
        for campaign in campaigns:
            campaign.check()
        trained = []
        for campaign in campaigns:
            if campaign.run_folder != self.run:
                write_split(campaign.run_folder / "split.json", read_split(self.split_file))
            campaign.record()
            if len(campaigns) > 1:
                seeds = [one.seed for one in campaigns]
                record_seeds(self.run, run_record(campaign.run_folder), seeds)
            campaign.train()
            network = self.recipe.network_name(self.condition)
            trained.append(load_trained(campaign.run_folder, network))
        return trained

    def measure(self, trained: Sequence[TrainedNetwork], count: int, device: str) -> LeftOut:
        """Compare with bicubic and the start on the patients left out."""
        split = self.left_out
        begun, card = load_network(self.start)
        start = ZoomModel(begun, card, device=resolve_device(device))
        tuned = [
            ZoomModel(_module(one), self._card(one), device=resolve_device(device))
            for one in trained
        ]
        slices = self.slices(split)
        warn_of_trained(card.name, card.patients, slices)
        return measure(slices, split, start, tuned, self.reductions, count)

    def _card(self, trained: TrainedNetwork) -> ModelCard:
        fields = card_fields(trained, self.name, self.stated)
        return ModelCard(
            **fields,
            parameters=trained.parameters,
            sha256="0" * 64,
            fixed_scales=self.card.fixed_scales,
        )

    def install(self, trained: TrainedNetwork, found: LeftOut) -> ModelCard:
        """Put a trained network into the user's models, with what was measured."""
        fields = card_fields(trained, self.name, self.stated)
        fields["limitations"] = f"{fields['limitations']} {found.concern}".strip()
        return install_model(_module(trained), results=found.results(), **fields)


def _module(trained: TrainedNetwork) -> Any:
    """Rebuild the network as it was trained, with nothing folded."""
    module = build(trained.config.network, **trained.config.options)
    module.load_state_dict(trained.weights["network"])
    return module


def check_start(recipe: Recipe, card: ModelCard) -> None:
    """Refuse a start that a recipe cannot go on from.

    Raises
    ------
    ValueError
        If it is of another network, or upscales another axis.
    """
    axes = "one" if recipe.pairs is not None and recipe.pairs.axes == "one" else "both"
    if (card.network, card.axes) != (recipe.network, axes):
        across = {"one": " across slices", "both": ""}
        raise ValueError(
            f"expected a start of the network {recipe.network}{across[axes]}, which the recipe "
            f"{recipe.name} trains, found {card.name}, which is of {card.network}"
            f"{across[card.axes]}"
        )


def best(trained: Sequence[TrainedNetwork]) -> TrainedNetwork:
    """Return the network whose weights validate best; the patients left out do not decide."""
    return max(trained, key=lambda one: one.validation.get("score", -math.inf))


def begun_start(run: Path) -> str | None:
    """Return the model that the networks of a run began with; None if there are none yet."""
    for path in sorted(run.rglob(f"{NETWORKS}/*/config.json")):
        start: str | None = json.loads(path.read_text(encoding="utf-8"))["config"]["shipped"]
        return start
    return None


def fine_tune(
    work: FineTuning,
    *,
    budget: float | None,
    seed: int,
    seeds: int,
    device: str,
    count: int,
    interrupts: Callable[[], AbstractContextManager[Event]],
) -> tuple[ModelCard, LeftOut]:
    """Train, measure on the patients left out and install; return the card and the measurements.

    Parameters
    ----------
    budget
        Seconds for all seeds together.
    seed, seeds
        The first seed, and how many.
    count
        Slices of each data set that are measured.
    interrupts
        As `Campaign` has it.

    Raises
    ------
    InterruptedRun, ValueError, FileNotFoundError
        As `Campaign`; or if the run was begun with other seeds.
    """
    folders = seed_folders(work.run, seed, seeds)
    check_seeds(work.run, list(folders))
    share = budget / seeds if budget else None
    trained = work.train(
        [
            work.campaign(folder, number, budget=share, device=device, interrupts=interrupts)
            for number, folder in folders.items()
        ]
    )
    found = work.measure(trained, count, device)
    write_text(work.run / "left-out.md", f"{found.table()}\n")
    return work.install(best(trained), found), found
