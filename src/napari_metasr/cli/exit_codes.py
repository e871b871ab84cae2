"""Exit codes of the command line."""

DONE = 0
FAILED = 2
SOME_FAILED = 3
INTERRUPTED = 130
READER_GONE = 141
"""Nothing reads the output any more, as after ``| head``."""
