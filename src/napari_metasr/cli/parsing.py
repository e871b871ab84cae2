"""Arguments to commands: the command line is generated from the commands' pydantic models."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from pydantic import BaseModel, ConfigDict, Field
from tyro.constructors import PrimitiveConstructorSpec

from napari_metasr.files import check_kept
from napari_metasr.geometry.grids import scale_pair
from napari_metasr.geometry.windows import Window
from napari_metasr.io.opening import files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FRAME = " │|"
_BOTTOM = "╰"
_RULE = "─-"
_HELP_INDENT = " " * 9
_CHOICES = "Available subcommands:"
_SUGGESTION = "Perhaps you meant:"


OUTPUT = "output"
"""Marks the fields of a command that name what it writes; every other path is an input."""


class ArgumentError(ValueError):
    """The arguments are not a command."""


class Command(BaseModel):
    """What every verb has."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    debug: bool = Field(default=False, description="Show where in the code an error came from.")

    def run(self) -> int | None:
        """Do it; the exit code, if it is not 0."""
        raise NotImplementedError

    def written(self) -> Iterator[Path]:
        """Give what the command is to write."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if OUTPUT in field.metadata and value is not None:
                yield value

    def read(self) -> Iterator[Path]:
        """Give the files that the command may read: every path or text that names existing ones."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if OUTPUT not in field.metadata and isinstance(value, Path | str):
                yield from files_of(Path(value))

    def check_kept(self) -> None:
        """Refuse to write over what is read.

        Raises
        ------
        InputReplacedError
            If an output is an input.
        """
        for path in self.written():
            check_kept(path, self.read())


def _from_text(parse: Callable[[str], Any], metavar: str, absent: str) -> Any:
    """How tyro reads a value that is written as one word, or is None when it is absent."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: parse(words[0]),
        is_instance=lambda _: True,
        str_from_instance=lambda value: [absent if value is None else str(value)],
    )


def parse_scale(text: str) -> float | tuple[float, float]:
    """Read ``3.7`` or ``y,x``.

    Raises
    ------
    ValueError
        If it is no number or pair, or below 1.
    """
    try:
        numbers = [float(number) for number in text.split(",")]
        scale = (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0]
        if len(numbers) > 2:
            raise ValueError
    except ValueError:
        raise ValueError(f"the scale must be a number or a pair y,x, found {text!r}") from None
    scale_pair(scale)
    return scale


def parse_numbers(text: str) -> tuple[float] | tuple[float, float, float]:
    """Read one number, or three.

    Raises
    ------
    ValueError
        If it is neither, or one is not positive.
    """
    try:
        numbers = tuple(float(number) for number in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in {1, 3} or not all(0 < number < float("inf") for number in numbers):
        raise ValueError(f"expected a positive number, or three with commas, found {text!r}")
    return numbers if len(numbers) == 3 else (numbers[0],)


def parse_slice(text: str) -> int:
    """Read the number of a slice.

    Raises
    ------
    ValueError
        If it is no whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"a slice is a whole number, counted from 0, found {text!r}") from None


ScaleArgument = Annotated[
    float | tuple[float, float], _from_text(parse_scale, "NUMBER|Y,X", "required")
]
NumbersArgument = Annotated[
    tuple[float] | tuple[float, float, float] | None,
    _from_text(parse_numbers, "NUMBER|I,J,K", "none"),
]
RegionArgument = Annotated[
    Window | None, _from_text(Window.parse, "Y,X,HEIGHT,WIDTH", "whole-slice")
]
SliceArgument = Annotated[int | None, _from_text(parse_slice, "INDEX", "middle")]
AnySliceArgument = Annotated[int | None, _from_text(parse_slice, "INDEX", "all")]


def parse(argv: Sequence[str], program: str) -> Command:
    """Make the command that the arguments describe.

    Raises
    ------
    ArgumentError
        If they describe none, in one line.
    SystemExit
        After help was asked for and printed.
    """
    from napari_metasr.cli.cohort import Cohort
    from napari_metasr.cli.demo import Demo
    from napari_metasr.cli.detect import Detect
    from napari_metasr.cli.models import Models
    from napari_metasr.cli.rate import Rate
    from napari_metasr.cli.replay import Replay
    from napari_metasr.cli.series import ListSeries
    from napari_metasr.cli.upscale import Upscale
    from napari_metasr.cli.zoom import Zoom

    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            command: Command = tyro.extras.subcommand_cli_from_dict(
                {
                    "zoom": Zoom,
                    "upscale": Upscale,
                    "replay": Replay,
                    "cohort": Cohort,
                    "series": ListSeries,
                    "detect": Detect,
                    "models": Models,
                    "demo": Demo,
                    "rate": Rate,
                },
                prog=program,
                description="Magnify brain MRI with Meta-SRGAN, for research use.",
                args=list(argv),
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if stop.code in {0, None}:
            raise
        raise ArgumentError(_one_line(errors.getvalue())) from None
    sys.stderr.write(errors.getvalue())
    return command


def _one_line(boxed: str) -> str:
    """The message of tyro's box, which stands between title and first rule, and its first hint.

    Where the terminal has no line-drawing characters the title is underlined by a rule of its own.
    """
    lines = [
        line.strip(_FRAME)
        for line in boxed.splitlines()[1:]
        if not line.startswith(_BOTTOM) and not line[1:].startswith(_HELP_INDENT)
    ]
    rules = [number for number, line in enumerate(lines) if line and not line.strip(_RULE)]
    first = 1 if rules[:1] == [0] else 0
    message = " ".join(lines[first : next(iter(rules[first:]), len(lines))])
    message = message.removeprefix("Error parsing ")
    if _SUGGESTION in lines:
        message += f"; did you mean {lines[lines.index(_SUGGESTION) + 1].split()[0]}?"
    message += "".join(f"; {line}" for line in lines if line.startswith(_CHOICES))
    return " ".join(message.split())
