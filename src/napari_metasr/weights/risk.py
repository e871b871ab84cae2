"""Error heads: where a network's results may be wrong, and what was calibrated about that."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError

from napari_metasr.errors import problems
from napari_metasr.files import making_folders, naming, replacing, replacing_all
from napari_metasr.weights import user_models
from napari_metasr.weights.card import WeightsError
from napari_metasr.weights.store import PUBLISHED, is_own

if TYPE_CHECKING:
    from napari_metasr.networks.risk_head import RiskHead

FOLDER = Path(__file__).parent / "risk"
"""Folder of the heads that come with the package: NAME.safetensors and NAME.json for each."""

OWN_FOLDER = user_models.HEADS
"""Within the user's folder of models: heads of these, and cards of calibrations of one's own."""


class RiskCell(BaseModel, extra="forbid", frozen=True):
    """What was calibrated for one acquisition and one band of scales.

    Attributes
    ----------
    acquisition
        The degradation of the calibration data.
    scales
        Smallest and largest scale of the band.
    threshold
        Estimated error, as a share of the intensity range, from which a pixel is marked.
    patients
        How many it was calibrated on.
    missed, marked
        Missed share of the large errors and marked share of the pixels, on these patients.
    """

    acquisition: str
    scales: tuple[float, float]
    threshold: float = Field(ge=0)
    patients: PositiveInt
    missed: float = Field(ge=0, le=1)
    marked: float = Field(ge=0, le=1)

    def holds(self, scale: float) -> bool:
        """Return whether a scale lies in the band."""
        return self.scales[0] <= scale <= self.scales[1]


class Calibration(BaseModel, extra="forbid", frozen=True):
    """Thresholds with a guarantee.

    Attributes
    ----------
    alpha
        The share of large errors that may stay unmarked, on average over patients.
    tau
        From which share of the intensity range on an error is large.
    contrasts
        Contrasts of the calibration data.
    data
        What they were, in words.
    cells
        For each acquisition and band of scales.
    """

    alpha: float = Field(gt=0, lt=1)
    tau: PositiveFloat
    contrasts: tuple[str, ...]
    data: tuple[str, ...]
    cells: tuple[RiskCell, ...]

    def cell(self, acquisition: str, scale: float) -> RiskCell | None:
        """Return the cell of an acquisition and a scale; None if they were not calibrated."""
        found = (one for one in self.cells if one.acquisition == acquisition and one.holds(scale))
        return next(found, None)

    def strictest(self, scale: float) -> RiskCell | None:
        """Return the cell of a scale that marks most, for any of the calibrated acquisitions."""
        found = [one for one in self.cells if one.holds(scale)]
        return min(found, key=lambda one: one.threshold, default=None)


class RiskCard(BaseModel, extra="forbid", frozen=True):
    """Everything a user should know of an error head.

    Attributes
    ----------
    model, model_sha256
        The model whose errors it estimates, and the hash of its weights.
    sha256
        Of the head's safetensors file.
    parameters
        Number of trained parameters.
    quantile
        Of the absolute error that it estimates.
    updates, loss, schedule, data, licence
        How and on what it was trained; of the weights.
    patients
        Who trained it; see `napari_metasr.weights.ModelCard`.
    calibration
        None while it is not calibrated: then nothing is guaranteed.
    """

    model: str
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    parameters: PositiveInt
    quantile: float = Field(gt=0, lt=1)
    updates: int
    loss: str
    schedule: str
    data: tuple[str, ...]
    licence: str
    patients: tuple[str, ...] = ()
    calibration: Calibration | None = None


def has_risk(model: str | Path) -> bool:
    """Return whether a model has an error head."""
    return head_path(model).is_file()


def risk_card(model: str | Path) -> RiskCard:
    """Read the card of a model's error head: that of the user's own calibration, if there is one.

    Raises
    ------
    WeightsError
        If there is none, or it is damaged.
    """
    shipped = _read_card(head_path(model).with_suffix(".json"))
    own = own_card_path(model)
    if not own.is_file():
        return shipped
    card = _read_card(own)
    return card if card.sha256 == shipped.sha256 else shipped


def load_risk(model: str | Path, model_sha256: str) -> tuple[RiskHead, RiskCard]:
    """Load a model's error head.

    Raises
    ------
    WeightsError
        If there is none, it is damaged, or it belongs to other weights than ``model_sha256``.
    """
    head, shipped = read_risk(head_path(model), model_sha256)
    card = risk_card(model)
    return head, card if card.sha256 == shipped.sha256 else shipped


def read_risk(path: Path, model_sha256: str) -> tuple[RiskHead, RiskCard]:
    """Read an error head and the card beside it.

    Raises
    ------
    WeightsError
        See `load_risk`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from napari_metasr.networks.risk_head import RiskHead

    card = _read_card(path.with_suffix(".json"))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise WeightsError(f"{path.name} is not the error head that its card describes")
    if card.model_sha256 != model_sha256:
        raise WeightsError(f"the error head of {card.model} belongs to other weights")
    try:
        state = {name: tensor.float() for name, tensor in load(content).items()}
        features, hidden = len(state["second.bias"]) // 9, state["second.weight"].shape[1]
        head = RiskHead(features=features, hidden=hidden)
        head.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is not an error head: {error}") from None
    return head.requires_grad_(False), card


def save_risk(head: RiskHead, folder: Path, **about: object) -> RiskCard:
    """Write NAME.safetensors, in half precision, and NAME.json of an error head into a folder.

    Parameters
    ----------
    about
        The fields of `RiskCard`; ``parameters`` and ``sha256`` are the head's own.

    Raises
    ------
    WeightsError
        If some weights are not finite, or too large for half precision.
    """
    import torch
    from safetensors.torch import save

    from napari_metasr.weights.checking import check_finite

    state = {
        name: value.to(torch.float16).contiguous() for name, value in head.state_dict().items()
    }
    check_finite("the error head", state)
    content = save(state)
    card = RiskCard.model_validate(
        about
        | {
            "parameters": sum(parameter.numel() for parameter in head.parameters()),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    )
    paths = [folder / f"{card.model}{suffix}" for suffix in (".safetensors", ".json")]
    with (
        making_folders([folder]),
        naming(paths[0]),
        replacing_all(paths, overwrite=True) as (weights, about_them),
    ):
        weights.write_bytes(content)
        about_them.write_text(_text_of(card), encoding="utf-8")
    return card


def save_risk_card(card: RiskCard, path: Path) -> None:
    """Write a card, replacing the one that is there."""
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(_text_of(card), encoding="utf-8")


def _text_of(card: RiskCard) -> str:
    return f"{card.model_dump_json(indent=2)}\n"


def own_card_path(model: str | Path) -> Path:
    """Return where the card of the user's own calibration lies; it need not exist.

    It is beside the head, or of a head of the package in the user's folder of models.
    """
    path = head_path(model).with_suffix(".json")
    shipped = path.parent.resolve() == FOLDER.resolve()
    return user_models.folder() / OWN_FOLDER / path.name if shipped else path


def head_path(model: str | Path) -> Path:
    """Return where a head lies: in the folder ``risk`` beside the weights; it need not exist.

    A name is that of a model as `napari_metasr.weights.load_network` finds it: of the package, or
    of the user's folder.
    """
    path = Path(model)
    if path.suffix in {".safetensors", ".json", *PUBLISHED}:
        return path.parent / OWN_FOLDER / f"{path.stem}.safetensors"
    folder = user_models.folder() / OWN_FOLDER if is_own(str(model)) else FOLDER
    return folder / f"{model}.safetensors"


def _read_card(path: Path) -> RiskCard:
    try:
        return RiskCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise WeightsError(f"expected the card of an error head at {path}, found none") from None
    except ValidationError as error:
        wrong = problems(error, "the file")
        raise WeightsError(f"{path} is not the card of an error head: {wrong}") from None
