"""Devices that networks run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cuda", "mps", "cpu"]
DEVICES: tuple[Device, ...] = get_args(Device)


def available_devices() -> tuple[str, ...]:
    """List the devices of this machine, fastest first; ``cpu`` is always among them."""
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return (*(name for name, there in present.items() if there), "cpu")


def resolve_device(name: str = "auto") -> torch.device:
    """Return the torch device of ``auto``, ``cuda``, ``mps`` or ``cpu``.

    Raises
    ------
    ValueError
        If there is no such device, or this machine lacks it.
    """
    import torch

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
