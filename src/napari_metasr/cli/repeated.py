"""Options with several values, given once with all of them or once for each."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import tyro
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_OPTION = re.compile(r"--?[A-Za-z]")


def gathered(arguments: Sequence[str], takes: Callable[..., Any]) -> list[str]:
    """Put the values of options that are given several times together.

    ``--scales 2 --scales 3`` becomes ``--scales 2 3``; parsers keep the last one otherwise,
    without a word.

    Parameters
    ----------
    arguments
        Those of a command, without its name.
    takes
        The command: a model or a function with one field or parameter for each option. Options
        with any number of values, ``tuple[X, ...]``, are gathered; of others the last one counts.
    """
    several = set(several_valued(takes))
    current: list[str] = []
    runs = [current]
    lists: dict[str, list[str]] = {}
    for number, word in enumerate(arguments):
        if word == "--":
            runs.append(list(arguments[number:]))
            break
        option, equals, value = word.partition("=")
        name = option.replace("_", "-")
        if not _OPTION.match(word):
            current.append(word)
        elif name not in several:
            current = [word]
            runs.append(current)
        else:
            if name not in lists:
                lists[name] = [name]
                runs.append(lists[name])
            current = lists[name]
            if equals:  # a word that follows is no value of it
                current.append(value)
                current = runs[0]
    return [word for run in runs for word in run]


def check_values(arguments: Sequence[str], takes: Callable[..., Any]) -> None:
    """Refuse an option that takes any number of values and is given none.

    Raises
    ------
    ValueError
        If there is one; it is named.
    """
    several = set(several_valued(takes))
    for word, following in itertools.pairwise((*arguments, "--")):
        if word == "--":
            return
        named = word.replace("_", "-") in several
        if named and (following == "--" or _OPTION.match(following)):
            raise ValueError(f"expected at least one value of {word}, found none")


def several_valued(takes: Callable[..., Any]) -> Iterable[str]:
    """Give the options of a command that take any number of values."""
    hints = get_type_hints(takes, include_extras=True)
    if isinstance(takes, type) and issubclass(takes, BaseModel):
        names: Iterable[str] = takes.model_fields
    else:
        names = inspect.signature(takes).parameters
    for name in names:
        kind = hints.get(name)
        if get_origin(kind) is Annotated:
            kind, *marks = get_args(kind)
            if tyro.conf.UseAppendAction in marks:  # takes one value each time
                continue
        if get_origin(kind) is tuple and get_args(kind)[-1:] == (...,):
            yield f"--{name.replace('_', '-')}"
