"""The upscaler as a compiled loop over output pixels on all cores, forward and backward.

One output pixel costs an addition, a maximum and a multiply-add for each hidden unit, on
vectors that stay in the first-level cache: ``G`` of its cell and the row and column terms.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numba import get_num_threads, njit, prange, set_num_threads
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Sums may be re-ordered so that they vectorise; NaN and infinity keep their meaning.
_OPTIONS: dict[str, Any] = {
    "parallel": True,
    "nogil": True,
    "fastmath": {"reassoc", "nsz", "contract"},
}


def _compiled(**options: Any) -> Callable[[Any], Any]:
    """Compile as ``njit`` does, for good where there is a place that can be written to."""

    def compiled(function: Any) -> Any:
        try:
            dispatcher = njit(cache=True, **options)(function)
        except RuntimeError:  # neither beside this file nor in the user's cache
            return njit(**options)(function)
        _save_if_possible(dispatcher)
        return dispatcher

    return compiled


def _save_if_possible(dispatcher: Any) -> None:
    """Let compiled code be used that cannot be kept, such as on a full disk."""
    cache = getattr(dispatcher, "_cache", None)
    if cache is None:  # nothing is compiled where numba is switched off
        return
    save = cache.save_overload

    def save_overload(signature: Any, data: Any) -> None:
        with suppress(OSError):
            save(signature, data)

    cache.save_overload = save_overload


def _start_threads() -> None:
    """Start numba's threads. That sets OpenMP's count for torch as well, so put its own back."""
    threads = torch.get_num_threads()
    set_num_threads(get_num_threads())
    torch.set_num_threads(threads)


_start_threads()

# Numba's fallback thread pool serves one caller at a time.
_ONE_CALLER = threading.Lock()


@_compiled()
def _row_pairs(row_cells: NDArray) -> tuple[NDArray, NDArray]:  # pragma: no cover
    """Pair neighbouring output rows of one row of cells; one left over is paired with itself."""
    first = np.empty(len(row_cells), np.int64)
    second = np.empty(len(row_cells), np.int64)
    count = i = 0
    while i < len(row_cells):
        partner = i + 1 if i + 1 < len(row_cells) and row_cells[i + 1] == row_cells[i] else i
        first[count], second[count] = i, partner
        count += 1
        i = partner + 1
    return first[:count], second[:count]


@_compiled(**_OPTIONS)
def _forward(  # pragma: no cover
    g: NDArray,
    row_terms: NDArray,
    column_terms: NDArray,
    row_cells: NDArray,
    column_cells: NDArray,
    out: NDArray,
) -> None:
    """Work on two rows at a time: they share what is read of G and of the column terms."""
    hidden = row_terms.shape[1]
    batch, _, width = out.shape
    first, second = _row_pairs(row_cells)
    pairs = len(first)
    for task in prange(batch * pairs):
        b, i0, i1 = task // pairs, first[task % pairs], second[task % pairs]
        a_y0, a_y1 = row_terms[i0], row_terms[i1]
        for j in range(width):
            a_x = column_terms[j]
            cell = g[b, row_cells[i0], column_cells[j]]
            total0 = total1 = np.float32(0)
            for m in range(hidden):
                total0 += max(a_y0[m] + a_x[m], np.float32(0)) * cell[m]
                total1 += max(a_y1[m] + a_x[m], np.float32(0)) * cell[m]
            out[b, i0, j] = total0 + cell[hidden]
            out[b, i1, j] = total1 + cell[hidden]


@_compiled(**_OPTIONS)
def _backward(  # pragma: no cover
    dy: NDArray,
    g: NDArray,
    row_terms: NDArray,
    column_terms: NDArray,
    row_cells: NDArray,
    column_cells: NDArray,
    dg: NDArray,
    d_rows: NDArray,
    d_columns: NDArray,
) -> None:
    """Give each task whole rows of cells, so that no two write the same place."""
    hidden = row_terms.shape[1]
    batch, height, width = dy.shape
    tasks = d_columns.shape[0]
    first_cell = row_cells[0]
    cells = row_cells[height - 1] - first_cell + 1
    for task in prange(tasks):
        from_cell = first_cell + task * cells // tasks
        to_cell = first_cell + (task + 1) * cells // tasks
        start = np.searchsorted(row_cells, from_cell)
        stop = np.searchsorted(row_cells, to_cell)
        d_a_x_all = d_columns[task]
        for b in range(batch):
            for i in range(start, stop):
                a_y, d_a_y = row_terms[i], d_rows[i]
                for j in range(width):
                    a_x, d_a_x = column_terms[j], d_a_x_all[j]
                    cell = g[b, row_cells[i], column_cells[j]]
                    d_cell = dg[b, row_cells[i], column_cells[j]]
                    slope = dy[b, i, j]
                    for m in range(hidden):
                        sum_ = a_y[m] + a_x[m]
                        d_cell[m] += slope * max(sum_, np.float32(0))
                        d_hidden = slope * cell[m] if sum_ > 0 else np.float32(0)
                        d_a_y[m] += d_hidden
                        d_a_x[m] += d_hidden
                    d_cell[hidden] += slope


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().contiguous().numpy()
    return array


class _Upscale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs)
        g, row_terms, column_terms, row_cells, column_cells = map(_array, inputs)
        out = torch.empty((len(g), len(row_cells), len(column_cells)))
        with _ONE_CALLER:
            _forward(g, row_terms, column_terms, row_cells, column_cells, out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        g, row_terms, column_terms, _, _ = inputs = ctx.saved_tensors
        dg, d_rows = torch.zeros(g.shape), torch.zeros(row_terms.shape)
        d_columns = torch.zeros((get_num_threads(), *column_terms.shape))
        with _ONE_CALLER:
            _backward(*map(_array, (gradients[0], *inputs, dg, d_rows, d_columns)))
        return dg, d_rows, d_columns.sum(0), None, None


def upscale_compiled(
    g: Tensor, row_terms: Tensor, column_terms: Tensor, row_cells: Tensor, column_cells: Tensor
) -> Tensor:
    """Evaluate y(p) on the CPU in float32 (see ``UpscaleKernel`` for shapes), with gradients.

    Raises
    ------
    ValueError
        If the tensors are not float32 on the CPU.
    """
    if g.device.type != "cpu" or g.dtype != torch.float32:
        raise ValueError(
            f"the compiled kernel takes float32 on the CPU, found {g.dtype} on {g.device}"
        )
    result: Tensor = _Upscale.apply(g, row_terms, column_terms, row_cells, column_cells)
    return result
