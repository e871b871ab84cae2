"""State dicts from files that others wrote, without running code that is pickled in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

WRAPPERS = ("state_dict", "model", "model_state_dict")


class StateFileError(ValueError):
    """A file of weights is missing, unreadable, or of another network."""


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from .safetensors, or from a file that ``torch.save`` wrote.

    A state dict inside ``{"state_dict": ...}`` or ``{"model": ...}`` is taken out, and the prefix
    ``module.`` of data-parallel training is left off.

    Raises
    ------
    StateFileError
        If there is no such file, it cannot be read without running pickled code, or it holds
        something other than named tensors.
    """
    path = Path(path)
    state = _read(path)
    while isinstance(state, dict) and (inner := [k for k in WRAPPERS if _is_dict(state.get(k))]):
        state = state[inner[0]]
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise StateFileError(f"expected named tensors in {path}, found {_description(state)}")
    return {key.removeprefix("module."): value for key, value in state.items()}


def check_state(
    source: str, network: str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """Check that a state dict has every key of a network, of its shape, and no other.

    Raises
    ------
    StateFileError
        With all missing and unknown keys, or the first of another shape.
    """
    missing = sorted(expected.keys() - found.keys())
    unknown = sorted(found.keys() - expected.keys())
    if missing or unknown:
        parts = [
            f"{word} {', '.join(keys)}"
            for word, keys in (("missing", missing), ("unknown", unknown))
            if keys
        ]
        raise StateFileError(f"{source} is not of {network}: {'; '.join(parts)}")
    for key, value in expected.items():
        if value.shape != found[key].shape:
            raise StateFileError(
                f"{source} is not of {network}: expected {key} {tuple(value.shape)}, "
                f"found {tuple(found[key].shape)}"
            )


def _read(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise StateFileError(f"expected weights at {path}, found none") from None
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise StateFileError(f"{path} holds no weights that can be read: {reason}") from None


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _description(state: Any) -> str:
    if not isinstance(state, dict):
        return type(state).__name__
    return ", ".join(
        f"{key}: {type(value).__name__}"
        for key, value in state.items()
        if not torch.is_tensor(value)
    )
