"""The verbs of the command line, and the command that the arguments describe."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import TYPE_CHECKING

import tyro

from napari_metasr.cli.cohort import Cohort
from napari_metasr.cli.columns import in_columns
from napari_metasr.cli.demo import Demo
from napari_metasr.cli.detect import Detect
from napari_metasr.cli.exit_codes import READER_GONE
from napari_metasr.cli.info import Info
from napari_metasr.cli.models import Models
from napari_metasr.cli.parsing import (
    ArgumentError,
    Command,
    message_in,
    on_wide_terminal,
    options_of,
)
from napari_metasr.cli.rate import Rate
from napari_metasr.cli.repeated import check_values, gathered
from napari_metasr.cli.replay import Replay
from napari_metasr.cli.series import ListSeries
from napari_metasr.cli.trust import Trust
from napari_metasr.cli.upscale import Upscale
from napari_metasr.cli.zoom import Zoom
from napari_metasr.errors import nearest_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS: dict[str, type[Command]] = {
    "zoom": Zoom,
    "upscale": Upscale,
    "replay": Replay,
    "cohort": Cohort,
    "series": ListSeries,
    "info": Info,
    "detect": Detect,
    "trust": Trust,
    "models": Models,
    "demo": Demo,
    "rate": Rate,
}
HELP = ("-h", "--help")


def parse(argv: Sequence[str], program: str) -> Command:
    """Make the command that the arguments describe.

    Raises
    ------
    ArgumentError
        If they describe none, in one line.
    SystemExit
        After help was asked for and printed.
    """
    verb, *rest = argv or ("",)
    if verb in HELP:
        print(overview(program))
        raise SystemExit(0)
    if verb not in VERBS:
        found = f"{verb!r}{nearest_hint(verb, VERBS)}" if verb else "none"
        raise ArgumentError(f"expected a verb among {', '.join(VERBS)}, found {found}")
    errors = io.StringIO()
    arguments = gathered(rest, VERBS[verb])
    try:
        check_values(arguments, VERBS[verb])
    except ValueError as refusal:
        raise ArgumentError(str(refusal)) from None
    try:
        with contextlib.redirect_stderr(errors):
            command, unknown = _read(verb, program, arguments)
    except SystemExit as stop:
        if stop.code in {0, None, READER_GONE}:
            raise
        raise ArgumentError(_unwrapped(verb, program, arguments)) from None
    if unknown:
        option = unknown[0].split("=")[0]
        hint = nearest_hint(option, options_of(VERBS[verb]))
        raise ArgumentError(f"{verb} does not take {option}{hint}")
    sys.stderr.write(errors.getvalue())
    return command


def _read(verb: str, program: str, arguments: Sequence[str]) -> tuple[Command, list[str]]:
    return tyro.cli(
        VERBS[verb],
        prog=f"{program} {verb}",
        args=arguments,
        return_unknown_args=True,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def _unwrapped(verb: str, program: str, arguments: Sequence[str]) -> str:
    """Return what is wrong with the arguments, as on a terminal too wide to break a value."""
    errors = io.StringIO()
    with on_wide_terminal(), contextlib.redirect_stderr(errors), contextlib.suppress(SystemExit):
        _read(verb, program, arguments)
    return message_in(errors.getvalue())


def overview(program: str) -> str:
    """Describe the program and its verbs, one line each."""
    verbs = [(f"  {name}", _summary(command)) for name, command in VERBS.items()]
    return (
        f"usage: {program} [-h] {{{','.join(VERBS)}}} ...\n\n"
        "Super-resolve brain MRI with Meta-SRGAN, for research use.\n\n"
        f"{in_columns(verbs)}\n\n"
        f"`{program} VERB --help` explains a verb and its options."
    )


def _summary(command: type[Command]) -> str:
    return (command.__doc__ or "").splitlines()[0]
