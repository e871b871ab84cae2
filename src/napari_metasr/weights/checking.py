"""Whether weights are those of the network that their card describes, before it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_metasr.weights.card import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

__all__ = ["check_finite", "check_shapes", "checked_network"]

SMALLEST_BOUND = 64
"""Whole numbers up to this are options of any network."""


def checked_network(
    file: str, name: str, options: Mapping[str, Any], state: Mapping[str, Tensor]
) -> nn.Module:
    """Build the network that holds these weights, once it is known that it does.

    It is built without memory first, so that a card that asks for a far larger network than its
    weights are of takes none.

    Parameters
    ----------
    file
        Where the weights are from, for messages.
    name, options
        Of the builder in ``napari_metasr.networks``.
    state
        The weights by their names.

    Raises
    ------
    WeightsError
        If the options are none of the network, the weights are of another shape, or some are
        not finite.
    """
    from napari_metasr.networks import build

    sizes = [size for value in state.values() for size in value.shape]
    bound = max(SMALLEST_BOUND, len(state), *sizes)
    for option, number in _numbers(options):
        if not abs(number) <= bound:
            raise WeightsError(
                f"{file} is not of the network {name}: its card has the option {option} "
                f"{number:g}, its weights have at most {bound} of anything"
            )
    try:
        with torch.device("meta"):
            empty = build(name, **options)
    except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{file}: its card does not describe a network: {reason}") from None
    check_shapes(file, name, empty.state_dict(), state)
    check_finite(file, state)
    network = build(name, **options)
    network.load_state_dict(dict(state))
    return network


def check_shapes(
    file: str, name: str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """Refuse weights of other names or shapes.

    Raises
    ------
    WeightsError
        The first one.
    """
    for key in sorted(expected.keys() | found.keys()):
        shapes = [
            tuple(state[key].shape) if key in state else "nothing" for state in (expected, found)
        ]
        if shapes[0] != shapes[1]:
            raise WeightsError(
                f"{file} is not of the network {name}: expected {key} {shapes[0]}, "
                f"found {shapes[1]}"
            )


def check_finite(file: str, state: Mapping[str, Tensor]) -> None:
    """Refuse weights that are no numbers: everything they touch would be none.

    Raises
    ------
    WeightsError
        Which ones.
    """
    for key, value in state.items():
        wrong = value.numel() - int(value.isfinite().sum())
        if wrong:
            raise WeightsError(
                f"{file}: expected finite weights, found {wrong} that are NaN or infinite in {key}"
            )


def _numbers(options: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers among options, including those in lists, with the option's name."""
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, int | float):
                yield name, one
