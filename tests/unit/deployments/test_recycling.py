"""When a replica retires."""

import logging

import pytest

from configs.settings import MemoryLimits
from deployments.recycling import MemoryExceeded, Recycler, read_own_private_bytes

MIB = 1024 * 1024


class Memory:
    """A reader whose figure the test chooses."""

    def __init__(self, mib: float) -> None:
        self.mib = mib

    def __call__(self) -> int:
        return int(self.mib * MIB)


def make_recycler(private: Memory, gpu: Memory | None = None, rank: int = 0, **limits: int) -> Recycler:
    return Recycler("test", MemoryLimits(**limits), rank, gpu, private)


def test_a_replica_over_its_watermark_fails_every_check_until_it_is_below_again() -> None:
    """Serve wants several failures in a row, so that a peak alone replaces nothing."""
    memory = Memory(50)
    recycler = make_recycler(memory, max_private_mib=100)
    recycler.check()
    memory.mib = 101
    for _ in range(3):
        with pytest.raises(MemoryExceeded, match=r"101 MiB of private memory, more than 100"):
            recycler.check()
    memory.mib = 99
    recycler.check()


def test_memory_of_the_gpu_has_a_watermark_of_its_own() -> None:
    """The engine says what it has reserved."""
    private, gpu = Memory(50), Memory(50)
    recycler = make_recycler(private, gpu, max_private_mib=100, max_gpu_mib=200)
    gpu.mib = 199
    recycler.check()
    gpu.mib = 201
    with pytest.raises(MemoryExceeded, match="GPU"):
        recycler.check()


def test_without_a_limit_or_a_gpu_nothing_is_watched() -> None:
    """A profile that says nothing replaces nothing."""
    memory = Memory(50)
    unlimited, without_gpu = make_recycler(memory), make_recycler(memory, max_gpu_mib=10)
    memory.mib = 1e6
    unlimited.check()
    without_gpu.check()


def test_replicas_of_one_deployment_do_not_retire_at_the_same_size() -> None:
    """Those of the next ranks may grow further, up to a bound."""
    memory = Memory(50)
    recyclers = [make_recycler(memory, rank=rank, max_private_mib=100) for rank in range(20)]
    memory.mib = 103
    with pytest.raises(MemoryExceeded):
        recyclers[0].check()
    recyclers[1].check()
    memory.mib = 116
    for recycler in recyclers:
        with pytest.raises(MemoryExceeded):
            recycler.check()


def test_a_watermark_that_is_passed_from_the_start_is_reported_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A successor would pass it as well, and the replica would restart for ever."""
    memory = Memory(150)
    with caplog.at_level(logging.ERROR):
        recycler = make_recycler(memory, max_private_mib=100)
    assert "150 MiB" in caplog.text
    memory.mib = 500
    recycler.check()


def test_the_figures_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Checks come every few seconds."""
    memory = Memory(50)
    recycler = make_recycler(memory, max_private_mib=100)
    memory.mib = 120
    for _ in range(3):
        with pytest.raises(MemoryExceeded):
            recycler.check()
    assert caplog.text.count("test holds 120 MiB of private memory, more than 100") == 1


def test_private_memory_of_this_process_grows_with_what_it_holds() -> None:
    """The real reader, on real memory."""
    before = read_own_private_bytes()
    held = b"\xff" * (64 * MIB)
    assert read_own_private_bytes() - before > len(held) / 2
