"""What went wrong, for people."""

from __future__ import annotations


def in_words(error: BaseException) -> str:
    """What was wrong, in one line."""
    message = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"not enough memory: {message or 'try a smaller region or scale'}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, ValueError | OSError):
        return message or type(error).__name__
    return f"{type(error).__name__}: {message}"
