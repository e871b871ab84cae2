"""A network that a run has trained, ready to be evaluated."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from metasr_training.lineage import Past
from metasr_training.players import build_generator
from metasr_training.run_folder import FINAL, RunFolder
from metasr_training.train_config import TrainConfig
from napari_metasr.errors import nearest_hint
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.state_files import check_state
from napari_metasr.networks.told_meta_srgan import ToldMetaSRGAN
from napari_metasr.weights import ModelCard, shipped_names
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.engine import ZoomModel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from napari_metasr.geometry.grids import OutputGrid

NETWORKS = "networks"
WHOLE = 1 << 14
"""Rows and columns of a tile, more than a slice has."""

KEPT = frozenset({"network", "task", "update", "seconds"})
"""What a file of weights holds besides others."""


def network_folder(run: Path, name: str) -> Path:
    """Return where a run keeps a trained network."""
    return run / NETWORKS / name


def finished(run: Path, name: str) -> bool:
    """Return whether a network has been trained to its end."""
    return (network_folder(run, name) / FINAL).exists()


class UntrainedError(FileNotFoundError):
    """A run lacks a network, or its weights.

    Attributes
    ----------
    experiment
        The experiment that trains the network, where that is known.
    """

    def __init__(self, message: str, experiment: str | None = None) -> None:
        super().__init__(message)
        self.experiment = experiment


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network.

    Attributes
    ----------
    config
        How it was trained.
    about
        What else its folder's ``config.json`` says: versions, commit, hardware, data.
    weights
        ``network``, ``task``, ``update``, ``seconds``, ``kept`` and ``validation`` as the loop
        kept them.
    folder
        Its folder.
    """

    config: TrainConfig
    about: dict[str, Any]
    weights: dict[str, Any]
    folder: RunFolder
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Name of the trained network: ``srresnet-x4``."""
        return self.config.name

    @property
    def updates(self) -> int:
        """How many updates its weights have had in its own training."""
        return int(self.weights["update"])

    @property
    def is_average(self) -> bool:
        """Whether its weights are a running average of those that were trained."""
        return str(self.weights.get("kept", "average")) == "average" and self.config.average > 0

    @property
    def seconds(self) -> float:
        """How long they took."""
        return float(self.weights["seconds"])

    @cached_property
    def validation(self) -> dict[str, float]:
        """What its weights scored when they were validated: ``score``, ``val/psnr`` and so on.

        Files of older runs do not hold it: there it is read from the log, at the weights' update.
        Empty where the log does not have it either.
        """
        if "validation" in self.weights:
            return dict(self.weights["validation"])
        lines = [
            line
            for line in self.history()
            if line["update"] == self.updates and any(key.startswith("val/") for key in line)
        ]
        if not lines:
            return {}
        found = {key: value for key, value in lines[-1].items() if key.startswith("val/")}
        score = found.get(f"val/score_of_{lines[-1].get('kept')}", found.get("val/psnr"))
        return found if score is None else found | {"score": score}

    @cached_property
    def lineage(self) -> tuple[Past, ...]:
        """The trainings that its weights come from, the oldest first, its own last."""
        return (*self._before, Past(self.name, self.updates, self.seconds, self._begins))

    @property
    def _begins(self) -> str:
        if self.config.start or self.config.shipped:
            return ""
        return "interpolation" if self.config.interpolating_start else "random weights"

    @property
    def _before(self) -> tuple[Past, ...]:
        if self.config.start is not None:
            try:
                return load_trained(self.folder.path.parent.parent, self.config.start).lineage
            except FileNotFoundError:
                return (Past(self.config.start, None, None),)
        if self.config.shipped is not None:
            name = Path(self.config.shipped).stem
            shipped = "shipped " if self.config.shipped in shipped_names() else ""
            return (Past(f"{shipped}{name}", None, None),)
        return ()

    @property
    def perceptual(self) -> str:
        """The features that its perceptual loss looked through; empty without one."""
        return str(self.about.get("task", {}).get("perceptual", ""))

    @cached_property
    def network(self) -> nn.Module:
        """The network in eval mode, batch normalisation folded; told nothing if it can be told.

        Raises
        ------
        ValueError
            If the weights are of another network than the configuration's.
        """
        network = self._loaded()
        if isinstance(network, ToldMetaSRGAN):
            network = network.told()
        return fold_batch_norm(network)

    def _loaded(self) -> nn.Module:
        """Build the network and give it its weights."""
        network = build_generator(self.config, self.device)
        found, expected = self.weights["network"], network.state_dict()
        check_state(
            str(self.folder.path), f"{self.config.network} of its configuration", expected, found
        )
        network.load_state_dict(found)
        return network

    @cached_property
    def model(self) -> ZoomModel:
        """The network as the plugin runs it, told nothing and shown every slice as it is.

        A slice is one tile, so that what it takes is the network's own time.

        Raises
        ------
        ValueError
            If the weights are of another network than the configuration's.
        """
        return ZoomModel(
            self._loaded(),
            self._card,
            device=torch.device(self.device),
            tiling=Tiling(tile=WHOLE),
            continued=False,
        )

    @property
    def _card(self) -> ModelCard:
        """What the engine asks of a card; that of an export says more, see `cards`."""
        config, unknown = self.config, "not stated"
        scales = (1.0, 1.0) if config.pairs is None else config.pairs.scales
        return ModelCard(
            name=config.name,
            title=config.name,
            network=config.network,
            options=config.options,
            parameters=self.parameters,
            sha256="0" * 64,
            trained_scales=(min(scales), max(scales)),
            trained_contrasts=(),
            degradations=(),
            intensity=unknown,
            standardisation=self.weights["task"]["standardisation"],
            updates=self.updates,
            loss=unknown,
            schedule=unknown,
            data=(),
            licence=unknown,
            intended_use=unknown,
            limitations=unknown,
            citation=unknown,
        )

    @property
    def can_be_told(self) -> bool:
        """Whether it can be told how its input was acquired."""
        return self._card.can_be_told

    @property
    def parameters(self) -> int:
        """How many it has, as published: before any folding."""
        names = ("running_mean", "running_var", "num_batches_tracked")
        state = self.weights["network"].items()
        return sum(value.numel() for key, value in state if not key.endswith(names))

    def upscale(
        self,
        image: NDArray[Any],
        grid: OutputGrid,
        *,
        intensity_range: tuple[float, float] | None = None,
        value_range: tuple[float, float] | None = None,
        code: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Upscale a slice (h, w) of any intensity units to the grid's output, (H, W).

        The network is run once on the whole slice, as it was trained; see `model`. At a scale that
        it does not give, its image of the nearest scale is resampled.

        Parameters
        ----------
        image
            (h, w), finite.
        grid
            From it to the output.
        intensity_range
            What the network sees as 0 and 1, as in ``napari_metasr.zoom.ZoomModel.encode``: of a
            slice of a volume, the volume's. By default the image's own percentiles.
        value_range
            What the output is clipped to; by default the image's smallest and largest value.
        code
            What a network that can be told of acquisitions is told, see
            ``napari_metasr.acquisition.acquisition_code``; nothing by default.

        Raises
        ------
        WeightsError
            If there is a code and the network cannot be told.
        """
        model = self.model if code is None else self.model.told(code)
        encoded = model.encode(image, intensity_range, value_range)
        return model.render_pixels(encoded, grid, grid.pixel_range())

    def history(self) -> list[dict[str, Any]]:
        """Read the lines of the log."""
        return self.folder.history()


def load_trained(run: Path, name: str, *, device: str = "cpu") -> TrainedNetwork:
    """Load a trained network: its best weights, or after a game its last.

    The best are those of the highest PSNR, which a game lowers on purpose. A network that has not
    been trained to its end is none: its schedule was cut short, its learning rate is still high.

    Parameters
    ----------
    run
        The run folder.
    name
        Of the network, such as ``srresnet-x4``.

    Raises
    ------
    UntrainedError
        If the run has no such network, or it has not been trained, or not to its end.
    ValueError
        If its weights are damaged, or are something else; the file is named.
    """
    path = network_folder(run, name)
    if not path.is_dir():
        there = [one.name for one in (run / NETWORKS).glob("*")]
        hint = nearest_hint(name, there)
        of_seeds = sorted(path.parent for path in run.glob("seed-*/run.json"))
        if of_seeds:
            hint = f": each of its seeds has a run folder of its own, such as {of_seeds[0]}"
        raise UntrainedError(f"expected the network {name} in {run}, found none{hint}")
    folder = RunFolder(path)
    about = folder.read_config()
    if about is None:
        raise FileNotFoundError(f"expected {folder.config}, found none")
    config = TrainConfig.model_validate(about.pop("config"))
    played = any(stage.game for stage in config.stages)
    if not folder.final.exists():
        begun = folder.checkpoint.exists() or folder.best.exists()
        state = (
            "was stopped before the end of its training: resume it first, with the settings that "
            "it was begun with"
        )
        raise UntrainedError(f"{name} in {run} {state if begun else 'has no weights yet'}")
    kept = folder.final if played or not folder.best.exists() else folder.best
    return TrainedNetwork(config, about, read_weights(kept), folder, device)


def read_weights(path: Path) -> dict[str, Any]:
    """Read what the loop keeps of a network: ``network``, ``task``, ``update`` and ``seconds``.

    Raises
    ------
    ValueError
        If the file cannot be read without running pickled code, or holds something else.
    """
    try:
        weights = torch.load(path, weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(f"{path} holds no weights that can be read: {reason}") from None
    there = weights.keys() if isinstance(weights, dict) else {type(weights).__name__}
    if KEPT - there or not isinstance(weights["network"], dict):
        raise ValueError(
            f"expected {', '.join(sorted(KEPT))} of a trained network in {path}, found "
            f"{', '.join(map(str, there)) or 'nothing'}"
        )
    return weights


def run_record(run: Path) -> dict[str, Any]:
    """Read the ``run.json`` of a run.

    Raises
    ------
    FileNotFoundError
        If the folder is not a run.
    """
    path = run / "run.json"
    if not path.exists():
        raise FileNotFoundError(f"expected a run folder with {path.name} in it, found {run}")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record
