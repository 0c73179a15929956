"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_S = 10.0


class ProgressShower(Protocol):
    """Shows a state whenever it changes, and lines besides."""

    def show(self, state: "RunState") -> None:
        """Show how far the run is."""
        ...

    def say(self, line: str) -> None:
        """Show a line that stays."""
        ...

    def close(self) -> None:
        """Show no more."""
        ...


class RunState:
    """Counts of a run. Pages of files that were not opened yet are guessed from those that were."""

    def __init__(self, files: int) -> None:
        self.files = files
        self.files_done = 0
        self.errors = 0
        self.pages_done = 0
        self._pages_known = 0
        self._files_known = 0
        self._start_s = time.monotonic()

    def open_file(self, pages: int) -> None:
        """A file has so many pages to be read."""
        self._files_known += 1
        self._pages_known += pages

    def finish_page(self, is_read: bool) -> None:
        """A page is done."""
        self.pages_done += 1
        self.errors += not is_read

    def finish_file(self, is_known: bool) -> None:
        """A file is done; one that nobody opened has no pages."""
        self.files_done += 1
        if not is_known:
            self._files_known += 1

    @property
    def pages(self) -> int:
        """All pages, as far as one can tell."""
        average = self._pages_known / self._files_known if self._pages_known else 1.0
        return self._pages_known + round(average * (self.files - self._files_known))

    @property
    def pages_per_s(self) -> float:
        """Pages a second since the run began."""
        return self.pages_done / max(1e-9, time.monotonic() - self._start_s)

    def describe(self) -> str:
        """Pages, rate, time left and errors in one line."""
        rate = self.pages_per_s
        left_s = round((self.pages - self.pages_done) / rate) if self.pages_done else None
        eta = "-:--" if left_s is None else f"{left_s // 60}:{left_s % 60:02}"
        return (
            f"{self.pages_done}/{self.pages} pages, {self.files_done}/{self.files} files, "
            f"{rate:.1f} pages/s, ETA {eta}, {self.errors} errors"
        )


class _Bar:
    def __init__(self, console: Console) -> None:
        columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("", total=None)
        self._progress.start()

    def show(self, state: RunState) -> None:
        self._progress.update(
            self._task, description=state.describe(), total=max(1, state.pages), completed=state.pages_done
        )

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_s = time.monotonic()

    def show(self, state: RunState) -> None:
        is_last = state.files_done == state.files
        if is_last or time.monotonic() - self._shown_s >= _LINE_EVERY_S:
            self._shown_s = time.monotonic()
            self.say(state.describe())

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing is on its way."""


def make_progress(is_quiet: bool) -> ProgressShower:
    """A bar where standard error is a terminal, else lines; none of both where nobody wants them."""
    console = Console(stderr=True, quiet=is_quiet)
    return _Bar(console) if console.is_terminal else _Lines(console)
