"""What happens to blocks that are freed."""

import subprocess
import sys

# In a process of its own: the setting cannot be undone.
PROGRAM = """
import numpy as np
from deployments.allocator import return_large_blocks
from deployments.recycling import read_own_private_bytes
assert return_large_blocks()
before = read_own_private_bytes()
blocks = [np.ones(8 << 20, np.uint8) for _ in range(40)]
held = read_own_private_bytes()
del blocks[::2]
left = read_own_private_bytes()
assert held - before > 300 << 20, (before, held)
assert held - left > 150 << 20, (held, left)
"""


def test_freed_blocks_go_back_although_others_between_them_live() -> None:
    """Every second one of forty is dropped, and half of the memory is the system's again."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


HOLES = """
import numpy as np
from deployments.allocator import give_back_freed_pages, return_large_blocks
from deployments.recycling import read_own_private_bytes
assert return_large_blocks()
before = read_own_private_bytes()
blocks = [np.ones(100 << 10, np.uint8) for _ in range(2000)]
del blocks[::2]
holes = read_own_private_bytes()
assert give_back_freed_pages()
left = read_own_private_bytes()
assert holes - before > 180 << 20, (before, holes)
assert holes - left > 80 << 20, (holes, left)
assert all(block[0] == block[-1] == 1 for block in blocks)
"""


def test_holes_between_small_blocks_are_given_back_when_asked() -> None:
    """They are below the size of those that go by themselves; what lives between them stays as it was."""
    subprocess.run([sys.executable, "-c", HOLES], check=True, timeout=60)
