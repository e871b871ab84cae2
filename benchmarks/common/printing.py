"""What benchmarks print: the machine, and Markdown tables a row at a time."""

from __future__ import annotations

import psutil
import torch

from metasr_training.run_folder import hardware


def load_text() -> str:
    """Return the load of the machine over the last minute: ``load 0.3``."""
    return f"load {psutil.getloadavg()[0]:.1f}"


def machine_text(device: str = "cpu") -> str:
    """Describe what is measured on: processor, threads, accelerator, load, PyTorch's version."""
    return f"{hardware(device)}, {load_text()}, torch {torch.__version__}"


def print_head(*columns: str) -> None:
    """Print the head of a table."""
    print_row(*columns)
    print(f"|{'---|' * len(columns)}", flush=True)


def print_row(*cells: str) -> None:
    """Print a row of a table at once, however slow the next one is."""
    print(f"| {' | '.join(cells)} |", flush=True)
