"""How the C library treats the large arrays of which a replica makes and drops many each second."""

import ctypes

# From malloc.h of glibc.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 8 * 1024 * 1024
_KEPT_BYTES = 64 * 1024 * 1024


def return_large_blocks() -> bool:
    """Make freed blocks of 8 MiB and more go back to the system at once; whether the C library can.

    By itself glibc raises this threshold to the size of the largest block that was freed, up to 32 MiB: then
    pages and the maps of networks leave holes in the heap, which later ones do not fit (see mallopt(3)).
    Setting it leaves the heap's end to shrink whenever 128 KiB of it are free, and the next run of a network
    to fetch page by page what the last one gave back: 64 MiB may stay.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(parameter, value) == 1
        for parameter, value in ((_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES))
    )
