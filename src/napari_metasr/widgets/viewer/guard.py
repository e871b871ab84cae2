"""A flag that is up while something is done, and down again whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Guard:
    """Tells a callback that its own side caused the event; used as a context, also nested.

    Examples
    --------
    >>> guard = Guard()
    >>> with guard:
    ...     bool(guard)
    True
    >>> bool(guard)
    False
    """

    def __init__(self) -> None:
        self._depth = 0

    def __bool__(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
