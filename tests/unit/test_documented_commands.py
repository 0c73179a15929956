"""Commands of ours that the guides tell people to type exist, with the options that they name."""

import re

import pytest

from serve_app.cli import main

from paths import ROOT

# As they stand on lines of their own, in blocks.
_COMMAND = re.compile(r"^(?: {4,}|\t)(?:\.venv/bin/)?ocr-serve (.+?)(?:\s{2,}#.*)?$", re.MULTILINE)
COMMANDS = sorted(
    {
        command
        for path in (ROOT / "docs").glob("*.md")
        for command in _COMMAND.findall(path.read_text(encoding="utf-8"))
    }
)


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_there_are_commands_in_the_guides() -> None:
    assert {command.split()[0] for command in COMMANDS} >= {"diff", "deploy", "report", "keys", "models"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_command_exists_with_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = command.split()
    # Only `keys` and `models` have commands of their own.
    name = words[:2] if words[0] in ("keys", "models") else words[:1]
    told = help_of(name, capsys)
    for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", f" {command}"):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", told), f"{option} is no option of {' '.join(name)}"
