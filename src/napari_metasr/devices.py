"""Where a network runs."""

from __future__ import annotations

import torch

DEVICES = ("auto", "cuda", "mps", "cpu")


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, the fastest first; ``cpu`` is always there."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return (*(name for name, there in present.items() if there), "cpu")


def resolve_device(name: str = "auto") -> torch.device:
    """The torch device of ``auto``, ``cuda``, ``mps`` or ``cpu``.

    Raises
    ------
    ValueError
        If there is no such device, or this machine lacks it.
    """
    if name not in DEVICES:
        raise ValueError(f"expected a device among {', '.join(DEVICES)}, found {name!r}")
    present = available_devices()
    if name == "auto":
        return torch.device(present[0])
    if name not in present:
        raise ValueError(
            f"the device {name} was asked for, but this machine and this PyTorch "
            f"({torch.__version__}) have only {', '.join(present)}"
        )
    return torch.device(name)
