"""What became of many files: counts, errors with stable codes, and the exit status that follows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# `read` now, `kept` from an earlier run, or `failed`.
Outcome = Literal["read", "kept", "failed"]

EXIT_ALL_READ = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_NOTHING_READ = 3
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class FileReport:
    """One file; ``failed_pages`` maps the number of a page to the code of its error."""

    source: str
    outcome: Outcome
    pages: int = 0
    outputs: tuple[str, ...] = ()
    failed_pages: Mapping[int, str] = field(default_factory=dict)
    code: str | None = None
    message: str | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FileReport":
        """Read what JSON has made of a report."""
        failed = {int(number): code for number, code in values["failed_pages"].items()}
        return cls(**{**values, "outputs": tuple(values["outputs"]), "failed_pages": failed})

    @property
    def is_whole(self) -> bool:
        """Whether all of its pages are there."""
        return self.outcome != "failed" and not self.failed_pages


@dataclass
class Totals:
    """Counts of files and pages; nothing of a single file, so that millions of them can be counted."""

    read: int = 0
    kept: int = 0
    failed: int = 0
    partly: int = 0
    pages: int = 0
    pages_failed: int = 0
    codes: dict[str, int] = field(default_factory=dict)

    def add(self, one: FileReport) -> None:
        """Count a file."""
        setattr(self, one.outcome, getattr(self, one.outcome) + 1)
        self.partly += one.outcome != "failed" and not one.is_whole
        self.pages += one.pages
        self.pages_failed += len(one.failed_pages)
        for code in [*filter(None, [one.code]), *one.failed_pages.values()]:
            self.codes[code] = self.codes.get(code, 0) + 1

    def exit_status(self) -> int:
        """0 when all was read, 1 when some was not, 3 when nothing was."""
        if not self.failed and not self.partly:
            return EXIT_ALL_READ
        return EXIT_SOME_FAILED if self.read or self.kept else EXIT_NOTHING_READ

    def describe(self, elapsed_s: float) -> str:
        """The counts as lines of text."""
        rate = self.pages / elapsed_s if elapsed_s > 0 else 0.0
        files = f"{self.read} read, {self.kept} read before, {self.failed} failed"
        partly = f", {self.partly} with failed pages" if self.partly else ""
        lines = [
            f"Files: {files}{partly}.",
            f"Pages: {self.pages} read, {self.pages_failed} failed, {rate:.1f} pages/s, {elapsed_s:.0f} s.",
        ]
        lines += [f"  {count} x {code}" for code, count in sorted(self.codes.items())]
        return "\n".join(lines)


def write_report(files: Sequence[FileReport], totals: Totals, elapsed_s: float, stopped: str | None) -> bytes:
    """The whole report as JSON; ``stopped`` says why the run ended before its end."""
    report: dict[str, Any] = {
        "totals": asdict(totals),
        "elapsed_s": round(elapsed_s, 1),
        "stopped": stopped,
        "files": [
            {name: value for name, value in asdict(one).items() if value not in (None, {}, ())}
            for one in files
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=1).encode() + b"\n"
