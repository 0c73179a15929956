"""Unit tests run without Ray and without Paddle's own packages: here their import is refused."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

UNIT_TESTS = Path(__file__).parent
REFUSED = frozenset({"ray", "paddlex", "paddleocr", "rapidocr"})


class ImportRefusal(MetaPathFinder):
    """Stands before all finders of modules and finds that the refused ones must not be imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise for a refused module; leave the others to the next finder."""
        if fullname.partition(".")[0] in REFUSED:
            raise ImportError(
                f"{fullname} must not be imported by a unit test or by what it tests", name=fullname
            )
        return None


@contextmanager
def refuse_imports() -> Iterator[None]:
    refusal = ImportRefusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)


# Hooks, not an import-time change: tests of other folders, in the same run, do import Ray.
@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    with refuse_imports():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    # pytest calls this hook for the items of every folder.
    if UNIT_TESTS not in item.path.parents:
        return (yield)
    with refuse_imports():
        return (yield)
