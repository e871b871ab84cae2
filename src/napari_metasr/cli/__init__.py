"""``napari-metasr VERB``: the command line, with one module for each verb."""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import TYPE_CHECKING, TextIO

from napari_metasr.cli.exit_codes import FAILED, INTERRUPTED
from napari_metasr.cli.standard_output import ending_with_its_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

PROGRAM = "napari-metasr"
EXPECTED_FAILURES = (ValueError, OSError, MemoryError)


@ending_with_its_reader
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0; 2 after a failure, which is reported in one line on the standard error; 130 after an
        interrupt; or the command's own code.
    """
    from napari_metasr.cli.parsing import ArgumentError
    from napari_metasr.cli.verbs import parse
    from napari_metasr.files import keeping

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        try:
            command = parse(sys.argv[1:] if argv is None else argv, PROGRAM)
        except ArgumentError as error:
            return _fail(error)
        except SystemExit as stop:  # --help
            return int(stop.code or 0)
        try:
            command.check()
            with keeping(command.read):
                return command.run() or 0
        except EXPECTED_FAILURES as error:
            if command.debug:
                traceback.print_exc()
            return _fail(error)
        except KeyboardInterrupt:
            return _fail(InterruptedError("stopped"))


def _fail(error: BaseException) -> int:
    from napari_metasr.cli.advice import with_advice

    print(f"{PROGRAM}: error: {with_advice(error)}", file=sys.stderr)
    return INTERRUPTED if isinstance(error, InterruptedError) else FAILED


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"{PROGRAM}: warning: {' '.join(str(message).split())}", file=sys.stderr)
