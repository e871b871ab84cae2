"""What went wrong, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator


def in_words(error: BaseException) -> str:
    """What was wrong, in one line."""
    message = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"not enough memory: {message or 'try a smaller region or scale'}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, ValidationError):
        return "; ".join(_of_options(error))
    if isinstance(error, ValueError | OSError):
        return message or type(error).__name__
    return f"{type(error).__name__}: {message}"


def _of_options(error: ValidationError) -> Iterator[str]:
    """What was wrong with each option."""
    for one in error.errors(include_url=False):
        own = one.get("ctx", {}).get("error")
        if own is not None:
            yield str(own)
            continue
        option = ".".join(str(part) for part in one["loc"] if isinstance(part, str))
        wanted = one["msg"].replace("Input should be", "expected")
        yield f"{option}: {wanted}, found {one['input']!r}"
