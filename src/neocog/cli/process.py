"""How the process treats its threads and its memory; it has to be said before torch is loaded.

Measured by `benchmarks/process.py`: both are worth more than any change inside the training step.
"""

from __future__ import annotations

import ctypes
import os
import sys

# glibc's <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4

# How long OpenMP's threads look for work before they sleep: so many times (GNU's) or milliseconds (LLVM's, Intel's).
_WAITING = {"GOMP_SPINCOUNT": "20000", "KMP_BLOCKTIME": "1"}


def tune() -> None:
    """Lets waiting threads sleep soon and keeps freed memory; what the user has set in the environment stays.

    OpenMP's threads otherwise wait in a loop, on the very cores that decode pictures and run the next operator. Asleep
    at once they come too late to the many short operators of a network over words (`docs/benchmarks/process.md`).
    glibc otherwise gives every large tensor back to the system when it is freed, which then clears it page by page
    when the next one asks for it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in _WAITING.items():
            os.environ.setdefault(name, value)
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_TOP_PAD, 64 * 2**20)
