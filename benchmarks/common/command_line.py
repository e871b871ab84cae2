"""The options of a benchmark."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from napari_metasr.devices import resolve_device

if TYPE_CHECKING:
    import torch


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser of options that describes a script by the first line of its docstring."""
    return argparse.ArgumentParser(description=(doc or "").partition("\n")[0])


def device_of(name: str, parser: argparse.ArgumentParser) -> torch.device:
    """Return the torch device of an option; end with an error where this machine lacks it."""
    try:
        return resolve_device(name)
    except ValueError as error:
        parser.error(str(error))
