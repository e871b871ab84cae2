"""Every network of the papers, in torch alone, built by name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from napari_metasr.networks.meta_srgan import build_meta_srgan

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "meta-srgan": build_meta_srgan,
}


def build(name: str, **options: Any) -> nn.Module:
    """Build a network with random weights.

    Raises
    ------
    ValueError
        If there is no network of this name.
    """
    if name not in BUILDERS:
        nearest = get_close_matches(name, BUILDERS, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"expected a network among {', '.join(BUILDERS)}, found {name!r}{hint}")
    return BUILDERS[name](**options)


__all__ = ["BUILDERS", "build"]
