"""Arguments of the commands: their types, how a word becomes a value, and tyro's messages."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from pydantic import BaseModel, ConfigDict, Field
from tyro.constructors import PrimitiveConstructorSpec

from napari_metasr.files import check_kept
from napari_metasr.geometry.grids import scale_pair
from napari_metasr.geometry.windows import Line, Window
from napari_metasr.io.names import READ_FORMATS
from napari_metasr.io.opening import files_of
from napari_metasr.trust.assumption import ACQUISITIONS
from napari_metasr.trust.told import CHOICES, Words
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FRAME = " │|"
_BOTTOM = "╰"
_RULE = "─-"
_HELP_INDENT = " " * 9

COLUMNS = "COLUMNS"
"""The environment variable that says how wide a terminal is."""
WIDE = 10_000

OUTPUT = "output"
"""Marks the fields of a command that name what it writes; every other path is an input."""
MODEL = "model"
"""Marks the fields of a command that name a model."""


class ArgumentError(ValueError):
    """The arguments are not a command."""


def optional(metavar: str) -> Any:
    """Show an option that may be left out: no default follows its description."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="")


def described(model: type[BaseModel], name: str) -> Any:
    """Declare an option with the default and the description of a model's field."""
    info = model.model_fields[name]
    return Field(default=info.default, description=info.description)


READABLE = (
    f"A brain MRI: {READ_FORMATS}, 3-D or 4-D, in any orientation; DICOM as a folder, a .zip or a "
    "file; or a gray picture."
)
Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
ModelArgument = Annotated[str, MODEL, tyro.conf.arg(metavar="MODEL")]


class Command(BaseModel):
    """Options that every verb has."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    debug: Flag = Field(default=False, description="Show where in the code an error came from.")

    def run(self) -> int | None:
        """Run the command and return its exit code, if that is not 0."""
        raise NotImplementedError

    def written(self) -> Iterator[Path]:
        """Give the files that the command is to write."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if OUTPUT in field.metadata and value is not None:
                yield value

    def read(self) -> Iterator[Path]:
        """Give the files that the command may read: every path or text that names existing ones."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if OUTPUT in field.metadata:
                continue
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Path | str):
                    yield from files_of(Path(one))

    def check(self) -> None:
        """Refuse what no verb can do, before it begins.

        Raises
        ------
        InputReplacedError
            If an output is an input.
        ValueError
            If two outputs are one file, or there is no model of a name, asked for or not.
        """
        self.check_kept()
        for name, field in type(self).model_fields.items():
            if MODEL in field.metadata:
                model_card(getattr(self, name))

    def check_kept(self) -> None:
        """Refuse to write over what is read, or twice to one file.

        Raises
        ------
        InputReplacedError
            If an output is an input.
        ValueError
            If two outputs are one file.
        """
        written = list(self.written())
        for path in written:
            check_kept(path, self.read())
        places = [path.expanduser().resolve() for path in written]
        for number, place in enumerate(places):
            if place in places[:number]:
                raise ValueError(
                    f"{written[number]}: two outputs would be this one file; name them apart"
                )


def options_of(command: type[BaseModel]) -> list[str]:
    """List the options of a command as they are typed."""
    return [f"--{name.replace('_', '-')}" for name in command.model_fields]


def _from_text(read: Callable[[str], Any], metavar: str, absent: str = "") -> Any:
    """Make tyro read a value from one word; ``absent`` is the text of its default."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: read(words[0]),
        is_instance=lambda _: True,
        str_from_instance=lambda value: [absent if value is None else str(value)],
    )


def only(word: str) -> Any:
    """Make tyro read an argument that may be left out and knows one word alone."""

    def read(text: str) -> str:
        if text != word:
            raise ValueError(f"expected {word}, found {text!r}")
        return text

    return _from_text(read, word)


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


def parse_index(text: str) -> int:
    """Read an index or a count.

    Raises
    ------
    ValueError
        If it is no whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, found {text!r}") from None


def parse_lesion(text: str) -> int | str:
    """Read the number of a lesion, or ``all``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    return text if text == "all" else parse_index(text)


def parse_number(text: str) -> float:
    """Read a number.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, found {text!r}") from None


def parse_plane(text: str) -> Plane:
    """Read the name of an anatomical plane.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return Plane(text)
    except ValueError:
        known = ", ".join(repr(str(plane)) for plane in Plane)
        raise ValueError(f"expected a plane among {known}, found {text!r}") from None


PlaneArgument = Annotated[
    Plane | None,
    _from_text(parse_plane, "{axial,coronal,sagittal}"),
    tyro.conf.arg(help_behavior_hint=""),
]
ScaleArgument = Annotated[
    float | tuple[float, float], _from_text(parse_scale, "NUMBER|Y,X", "required")
]
NumbersArgument = Annotated[
    tuple[float] | tuple[float, float, float] | None,
    _from_text(parse_numbers, "NUMBER|I,J,K"),
    tyro.conf.arg(help_behavior_hint=""),
]
NumberArgument = Annotated[
    float | None, _from_text(parse_number, "NUMBER"), tyro.conf.arg(help_behavior_hint="")
]
RatioArgument = Annotated[float, _from_text(parse_number, "NUMBER")]
RegionArgument = Annotated[
    Window | None, _from_text(Window.parse, "Y,X,HEIGHT,WIDTH", "whole-slice")
]
FoundRegionArgument = Annotated[
    Window | None,
    _from_text(Window.parse, "Y,X,HEIGHT,WIDTH"),
    tyro.conf.arg(help_behavior_hint=""),
]
LesionArgument = Annotated[
    int | str | None,
    _from_text(parse_lesion, "NUMBER|all"),
    tyro.conf.arg(help_behavior_hint=""),
]
LineArgument = Annotated[
    Line | None, _from_text(Line.parse, "R0,C0,R1,C1"), tyro.conf.arg(help_behavior_hint="")
]
SliceArgument = Annotated[int | None, _from_text(parse_index, "INDEX", "middle")]
FoundSliceArgument = Annotated[
    int | None, _from_text(parse_index, "INDEX"), tyro.conf.arg(help_behavior_hint="")
]
AnySliceArgument = Annotated[int | None, _from_text(parse_index, "INDEX", "all")]
IndexArgument = Annotated[int, _from_text(parse_index, "INDEX")]
CountArgument = Annotated[
    int | None, _from_text(parse_index, "COUNT"), tyro.conf.arg(help_behavior_hint="")
]
OneLesionArgument = Annotated[
    int | None, _from_text(parse_index, "NUMBER"), tyro.conf.arg(help_behavior_hint="")
]
DotsArgument = Annotated[int, _from_text(parse_index, "DOTS")]


def parse_acquisition(text: str) -> str:
    """Read the name of an acquisition to assume.

    Raises
    ------
    ValueError
        If it is none.
    """
    if text not in ACQUISITIONS:
        raise ValueError(f"expected an acquisition among {', '.join(ACQUISITIONS)}, found {text!r}")
    return text


AcquisitionArgument = Annotated[
    str | None,
    _from_text(parse_acquisition, "{" + ",".join(ACQUISITIONS) + "}"),
    tyro.conf.arg(help_behavior_hint=""),
]
TellingArgument = Annotated[
    str | None,
    _from_text(lambda text: str(Words.parse(text)), "{" + ",".join(CHOICES) + "}[,NOISE%]"),
    tyro.conf.arg(help_behavior_hint=""),
]
ASSUMED = "auto estimates it from the scan."


@contextmanager
def on_wide_terminal() -> Iterator[None]:
    """Let tyro write as on a terminal on which it breaks no line."""
    before = os.environ.get(COLUMNS)
    os.environ[COLUMNS] = str(WIDE)
    try:
        yield
    finally:
        if before is None:
            del os.environ[COLUMNS]
        else:
            os.environ[COLUMNS] = before


def message_in(boxed: str) -> str:
    """Extract the message from the box in which tyro reports a missing or wrong value.

    It stands between the title and the first rule. On terminals without line-drawing characters
    the title has a rule of its own below it.
    """
    lines = [
        line.strip(_FRAME)
        for line in boxed.splitlines()[1:]
        if not line.startswith(_BOTTOM) and not line[1:].startswith(_HELP_INDENT)
    ]
    rules = [number for number, line in enumerate(lines) if line and not line.strip(_RULE)]
    first = 1 if rules[:1] == [0] else 0
    message = " ".join(lines[first : next(iter(rules[first:]), len(lines))])
    return " ".join(message.removeprefix("Error parsing ").split())
