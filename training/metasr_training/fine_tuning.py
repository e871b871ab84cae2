"""Fit a model to the scans of one scanner, measure it on patients left out, install it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from metasr_training.campaign import Campaign
from metasr_training.cards import Stated, card_fields, contrasts_of
from metasr_training.catalogue import Experiment, Method
from metasr_training.condition import Condition
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.slices import load_slices, split_entries
from metasr_training.datasets.split_files import read_split, write_split
from metasr_training.evaluation.zoom import IN_PLANE, zoom_conditions
from metasr_training.left_out import LeftOut, measure
from metasr_training.recipe import Preset, Recipe
from metasr_training.seeds import seed_folders
from metasr_training.tables import write_text
from metasr_training.trained import TrainedNetwork, load_trained
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
    stated: Stated

    @classmethod
    def of(
        cls, name: str, start: str, recipe: Recipe, data: Path, run: Path, stated: Stated
    ) -> FineTuning:
        """Check name, start and recipe.

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
        tuned = recipe.changed(begun).model_copy(update={"start": None})
        return cls(name, tuned, Condition(scale=scale), start, card, data, run, stated)

    @property
    def conditions(self) -> list[Condition]:
        """What the model is measured under: all of its degradations at some of its scales."""
        if self.card.fixed_scales:
            return [self.condition]
        return zoom_conditions(SCALES, IN_PLANE)

    @property
    def split_file(self) -> Path:
        """Which patients train, validate and test."""
        return self.run / "split.json"

    def check_data(self, given: Path | None) -> None:
        """Refuse data of too few patients or of unknown contrast, or a split that does not fit.

        Raises
        ------
        ValueError
            If that is so.
        """
        if given is not None:
            read_split(given)
        entries = [one for one in split_entries(self.data, given) if one.domain == "mri"]
        patients = {(one.source, one.patient) for one in entries}
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

    def take_split(self, given: Path | None) -> None:
        """Keep the split of the patients in the run folder: the given one, or a drawn one.

        Raises
        ------
        ValueError
            If the run was begun with another split.
        """
        if given is not None:
            wanted = read_split(given)
            if self.split_file.exists() and read_split(self.split_file) != wanted:
                raise ValueError(
                    f"expected the split with which {self.run} was begun, found another in {given}"
                )
            write_split(self.split_file, wanted)
        split_entries(self.data, self.split_file)

    def slices(self, split: Split) -> list[Slice]:
        """Load the slices of a split."""
        return load_slices(self.data, split, split_file=self.split_file, cache=default_folder())

    def train(self, run: Path, preset: str, seed: int, **options: Any) -> TrainedNetwork:
        """Train with one seed in a run folder, which gets the split.

        Raises
        ------
        InterruptedRun, ValueError, FileNotFoundError
            As ``Campaign``.
        """
        if run != self.run:
            write_split(run / "split.json", read_split(self.split_file))
        network = self.recipe.network_name(self.condition)
        experiment = Experiment(
            id="finetune",
            title=f"{self.name}, begun with {self.card.name}",
            source="this project's",
            kind="zoom",
            methods=(Method(label=self.name, recipe=self.recipe.name),),
        )
        campaign = Campaign(
            experiment,
            preset,
            self.data,
            run,
            seed=seed,
            networks=[(self.recipe, self.condition)],
            **options,
        )
        campaign.record()
        campaign.train()
        return load_trained(run, network)

    def measure(self, trained: Sequence[TrainedNetwork], count: int, device: str) -> LeftOut:
        """Compare with bicubic and the start on the patients left out."""
        split: Split = "test" if self._has("test") else "val"
        begun, card = load_network(self.start)
        start = ZoomModel(begun, card, device=resolve_device(device))
        tuned = [
            ZoomModel(_module(one), self._card(one), device=resolve_device(device))
            for one in trained
        ]
        return measure(self.slices(split), split, start, tuned, self.conditions, count)

    def _has(self, split: Split) -> bool:
        return any(one.split == split for one in split_entries(self.data, self.split_file))

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
    """Return the network with the best validation PSNR; the patients left out do not decide."""

    def score(one: TrainedNetwork) -> float:
        return max(line.get("val/psnr", 0.0) for line in one.history())

    return max(trained, key=score)


def fine_tune(
    work: FineTuning,
    *,
    preset: str,
    budget: float | None,
    seed: int,
    seeds: int,
    device: str,
    count: int,
    unreadable: str,
    stop: Event,
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
    """
    trained = [
        work.train(
            folder,
            preset,
            number,
            budget=budget / seeds if budget else None,
            device=device,
            unreadable=unreadable,
            stop=stop,
        )
        for number, folder in seed_folders(work.run, seed, seeds).items()
    ]
    found = work.measure(trained, count, device)
    write_text(work.run / "left-out.md", f"{found.table()}\n")
    return work.install(best(trained), found), found
