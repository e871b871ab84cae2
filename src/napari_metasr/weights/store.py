"""Find, check and load weights: safetensors, never pickle."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_metasr.errors import nearest_hint, problems
from napari_metasr.files import naming, replacing_all
from napari_metasr.weights import user_models
from napari_metasr.weights.card import ModelCard, WeightsError
from napari_metasr.weights.published import published_card
from napari_metasr.weights.user_models import UserModelWarning

if TYPE_CHECKING:
    import torch
    from torch import nn

FOLDER = Path(__file__).parent
PUBLISHED = (".pth", ".pt")


def shipped_names() -> tuple[str, ...]:
    """List the models that come with the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def model_names() -> tuple[str, ...]:
    """List the models that come with the package, then the user's own.

    Raises
    ------
    WeightsError
        If the user's folder was made by a newer version, or is none.
    """
    return tuple(dict.fromkeys([*shipped_names(), *user_models.names()]))


def model_cards() -> dict[str, ModelCard]:
    """Read the cards of all usable models, by name: the package's, then the user's own.

    A user's model that cannot be used is left out with a `UserModelWarning`.
    """
    cards = {name: model_card(name) for name in shipped_names()}
    try:
        own = user_models.names()
    except WeightsError as error:
        warnings.warn(UserModelWarning(str(error)), stacklevel=2)
        own = ()
    for name in own:
        try:
            if name in shipped_names():
                raise WeightsError(
                    f"{user_models.folder() / name}.json has the name of a model of the package; "
                    "rename its two files and the name in it"
                )
            card = model_card(name)
            if not user_models.weights_path(name).is_file():
                raise WeightsError(f"expected weights at {user_models.weights_path(name)}")
        except WeightsError as error:
            warnings.warn(UserModelWarning(f"{error}; the model is left out"), stacklevel=2)
        else:
            cards[name] = card
    return cards


def is_own(name: str) -> bool:
    """Return whether a name is that of a user's model rather than the package's."""
    return name not in shipped_names() and user_models.card_path(name).is_file()


def _card_path(model: str | Path) -> Path:
    path = Path(model)
    if path.suffix in {".json", ".safetensors"}:
        return path.with_suffix(".json")
    name = str(model)
    if name in shipped_names():
        return FOLDER / f"{name}.json"
    names = model_names()
    if name not in names:
        raise WeightsError(
            f"expected a model among {', '.join(names)}, or the path of a .safetensors file with "
            f"its card beside it, found {name!r}{nearest_hint(name, names)}"
        )
    return user_models.card_path(name)


def model_card(model: str | Path) -> ModelCard:
    """Read the card of a model, by its name or by the path of its weights or card.

    A .pth file is of Meta-SRGAN in the authors' layout; its card says what the paper says.

    Raises
    ------
    WeightsError
        If there is no such model, or its card is not a model card.
    """
    if Path(model).suffix in PUBLISHED:
        return published_card(Path(model), _read_weights(Path(model)))
    path = _card_path(model)
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise WeightsError(f"expected a model card at {path}, found none") from None
    except OSError as error:
        raise WeightsError(f"{path}: the model card cannot be read ({error.strerror})") from None
    except ValidationError as error:
        wrong = problems(error, "the file")
        raise WeightsError(f"{path} is not a model card: {wrong}") from None


def load_network(model: str | Path, **options: Any) -> tuple[nn.Module, ModelCard]:
    """Build a model's network and load its weights.

    Parameters
    ----------
    model
        A name among ``model_names()``, the path of a safetensors file with its card beside, or
        of a .pth file of Meta-SRGAN in the authors' layout.
    options
        Passed to the network's builder, over those of the card.

    Raises
    ------
    WeightsError
        If the weights are missing, their hash is not the card's, they are of another network
        than the card describes, or some are not finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from napari_metasr.weights.checking import checked_network

    card = model_card(model)
    if Path(model).suffix in PUBLISHED:
        return _load_published(Path(model), options), card
    path = _card_path(model).with_suffix(".safetensors")
    content = _read_weights(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.sha256:
        raise WeightsError(
            f"{path.name} is not the file its card describes: expected sha256 {card.sha256}, "
            f"found {digest}"
        )
    try:
        state = load(content)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is not a safetensors file: {error}") from None
    return checked_network(path.name, card.network, card.options | options, state), card


def _read_weights(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"expected weights at {path}, found none") from None


def _load_published(path: Path, options: dict[str, Any]) -> nn.Module:
    from napari_metasr.networks.published_layout import load_published_meta_srgan
    from napari_metasr.networks.state_files import StateFileError
    from napari_metasr.weights.checking import check_finite

    try:
        network = load_published_meta_srgan(path, **options)
    except StateFileError as error:
        raise WeightsError(str(error)) from None
    check_finite(path.name, network.state_dict())
    return network


def save_weights(
    module: nn.Module, folder: Path, /, *, dtype: torch.dtype | None = None, **about: Any
) -> ModelCard:
    """Write a network's weights NAME.safetensors and card NAME.json into a folder.

    Parameters
    ----------
    dtype
        What floating-point numbers are stored as, such as ``torch.float16`` for half the size;
        loading gives float32 again. As they are by default.
    about
        The fields of ``ModelCard``; ``parameters``, ``fixed_scales`` and ``sha256`` are the
        network's own.

    Raises
    ------
    WeightsError
        If a weight is too large for ``dtype``.
    """
    from safetensors.torch import save

    state = {key: _stored(key, value, dtype) for key, value in module.state_dict().items()}
    content = save(state)
    own = {
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "fixed_scales": getattr(module, "scales", ()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    card = ModelCard(**(about | own))
    paths = [folder / f"{card.name}{suffix}" for suffix in (".safetensors", ".json")]
    with naming(paths[0]), replacing_all(paths, overwrite=True) as (weights, about_them):
        weights.write_bytes(content)
        about_them.write_text(f"{card.model_dump_json(indent=2)}\n", encoding="utf-8")
    return card


def check_new_model(name: str, *, overwrite: bool = False) -> None:
    """Refuse a name that a new model of the user cannot have.

    Parameters
    ----------
    overwrite
        Whether it may be that of a model of the user, which would be replaced.

    Raises
    ------
    WeightsError
        If it is no file name, is taken, or the user's folder cannot be used.
    OSError
        If no model can be written in that folder.
    """
    user_models.check_new_name(name, shipped_names(), overwrite=overwrite)


def install_model(
    module: nn.Module, /, *, dtype: torch.dtype | None = None, **about: Any
) -> ModelCard:
    """Put a network into the user's folder: `model_names` lists it from then on.

    Parameters
    ----------
    dtype, about
        As in `save_weights`.

    Raises
    ------
    WeightsError
        As `check_new_model` and `save_weights`.
    """
    check_new_model(about["name"])
    return save_weights(module, user_models.prepare(), dtype=dtype, **about)


def remove_model(name: str) -> tuple[Path, ...]:
    """Delete a user's model, damaged or not, and its error head; the files that were deleted.

    Raises
    ------
    WeightsError
        If there is none of this name, or it is one of the package.
    """
    return user_models.remove(name, shipped_names())


def _stored(key: str, value: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    if dtype is None or not value.is_floating_point():
        return value.contiguous()
    stored = value.to(dtype)
    if (stored.isfinite() != value.isfinite()).any():
        raise WeightsError(
            f"expected weights that {dtype} can hold, found {value.abs().max():g} in {key}"
        )
    return stored.contiguous()
