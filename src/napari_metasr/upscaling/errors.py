"""Refusals that can be remedied: the command line and the dock add how, each in its own way."""

from __future__ import annotations


class InUseError(ValueError):
    """Another process is working on the same output."""


class DamagedWorkError(ValueError):
    """Unfinished work cannot be read, or is not any more as it was left."""


class OtherWorkError(ValueError):
    """The unfinished work beside an output was begun from another input or with other options."""


class TooLargeError(ValueError):
    """The output would be very large."""


class OutputDiffersError(ValueError):
    """A volume that is made again differs from the one that exists, which is kept."""
