"""How the C library treats the large arrays of which a replica makes and drops many each second."""

import ctypes

# From malloc.h of glibc.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 8 * 1024 * 1024
# For replicas whose networks take and free the same memory with each run.
KEPT_BY_NETWORKS_BYTES = 64 * 1024 * 1024
# A detector meets new shapes all the time: what stays of one seldom fits the next.
KEPT_BY_DETECTOR_BYTES = 16 * 1024 * 1024
_KEPT_BYTES = 1024 * 1024


def return_large_blocks(kept_bytes: int = _KEPT_BYTES) -> bool:
    """Make freed blocks of 8 MiB and more go back to the system at once; whether the C library can.

    By itself glibc raises this threshold to the size of the largest block that was freed, up to 32 MiB: then
    pages and the maps of networks leave holes in the heap, which later ones do not fit (see mallopt(3)).
    The heap's end shrinks when more than ``kept_bytes`` of it are free: the next run of a network would fetch
    page by page what the last one gave back.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(parameter, value) == 1
        for parameter, value in ((_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES), (_M_TRIM_THRESHOLD, kept_bytes))
    )


def give_back_freed_pages() -> bool:
    """Return whole pages that are free inside the heaps to the system, now; whether the C library can.

    `return_large_blocks` lets go of a heap's end alone. What threads free in the middle of one, in which
    something small still lives, stays with the process (see malloc_trim(3)). It takes milliseconds.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True
