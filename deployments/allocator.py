"""How the C library treats the large arrays of which a replica makes and drops many each second."""

import ctypes

# From malloc.h of glibc.
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 4 * 1024 * 1024


def return_large_blocks() -> bool:
    """Make freed blocks of 4 MiB and more go back to the system at once; whether the C library can.

    By itself glibc raises this threshold to the size of the largest block that was freed, up to 32 MiB: then
    pages and the maps of networks leave holes in the heap, which later ones do not fit (see mallopt(3)).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES) == 1
