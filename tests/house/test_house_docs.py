"""Documents that cannot drift: what they name exists, and what exists they name."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import pod_desktop
from pod_desktop.cli import arguments
from pod_desktop.core import definition, status
from pod_desktop.core.interflow import FIELDS as INTERFLOW

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SEARCH_HELP = (ROOT / "resources" / "help" / "search.md").read_text(encoding="utf-8")


def shell_lines() -> list[str]:
    """Every line of a shell block that calls the program."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("pod-desktop ")]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def options() -> set[str]:
    return {
        name
        for parser in parsers(arguments.parser())
        for action in parser._actions
        if action.help != argparse.SUPPRESS
        for name in action.option_strings
        if name.startswith("--")
    }


@pytest.mark.parametrize("line", shell_lines())
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    words = shlex.split(re.split(r" [<>] ", line)[0])[1:]
    if words == ["--version"]:
        return
    arguments.parse(words)


def test_the_readme_shows_every_command_and_option() -> None:
    shown = set(re.findall(r"--[a-z][a-z-]+", README))
    assert options() <= shown
    commands = {parser.prog.removeprefix("pod-desktop ") for parser in parsers(arguments.parser())}
    missing = [
        name for name in commands - {"pod-desktop", "connector"} if f"pod-desktop {name}" not in README
    ]
    assert not missing


def test_the_readme_names_no_option_that_does_not_exist() -> None:
    # mypy's --strict and uv's are not ours.
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--strict"} <= options()


def test_the_connector_files_of_the_readme_are_accepted() -> None:
    files = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]
    collect, respond = (file for file in files if "category" in file)
    made = [definition.connector_from_file(file) for file in (collect, respond)]
    assert [one.name for one in made] == ["acme-proofpoint", "acme-block"]
    assert set(definition.connector_to_file(made[0])) == set(collect) | {
        "stream_url", "ca_file", "proxy", "backfill_order", "reconcile",
    }  # fmt: skip
    assert set(definition.connector_to_file(made[1])) == set(respond) | {"ca_file"}


def test_every_room_is_on_the_map() -> None:
    rooms = {path.name for path in (ROOT / "pod_desktop").iterdir() if (path / "__init__.py").exists()}
    drawn = set(re.findall(r"`pod_desktop/(\w+)/`", README))
    assert rooms <= drawn
    assert all((ROOT / place).exists() for place in ("tests", "packaging", "resources", "LICENSE"))


def test_every_field_is_explained_on_the_search_page() -> None:
    from pod_desktop.query import FIELDS

    missing = [
        field.name for field in FIELDS.values() if f"| `{field.name}` | {field.help} |" not in SEARCH_HELP
    ]
    assert not missing, "run python3 tests/house/search_page.py"


def test_the_search_page_names_no_field_that_does_not_exist() -> None:
    from pod_desktop.query import FIELDS

    assert set(
        re.findall(r"^\| `([a-z_.0-9]+)` \|", SEARCH_HELP.partition("## Fields")[2], re.MULTILINE)
    ) <= set(FIELDS)


@pytest.mark.parametrize("page", ["README.md", "resources/help/search.md"])
def test_every_query_that_is_shown_is_understood(page: str) -> None:
    from pod_desktop.query import parse

    text = (ROOT / page).read_text(encoding="utf-8")
    table = re.search(r"\| you type \|.*?\n\n", text, re.DOTALL)
    assert table
    shown = [
        query
        for line in table[0].splitlines()[2:]
        for query in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    ]
    assert len(shown) > 10
    for query in shown:
        parse(query, 1_000_000_000_000_000)


def test_what_status_tells_is_documented() -> None:
    (row,) = re.findall(r"^\| `status` \|.*", README, re.MULTILINE)
    counted = set(status.COUNTER_NAMES) - {"empty"}
    assert {"state", "lag_s", "gaps", "bytes_disk"} | counted <= set(re.findall(r"`(\w+)`", row))


def test_the_interflow_fields_are_documented() -> None:
    assert all(name.partition(".")[0] in README for name in INTERFLOW)


def test_the_changelog_has_the_current_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(pod_desktop.__version__)}\]", text, re.MULTILINE)


def test_every_link_and_picture_exists() -> None:
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "resources" / "help").glob("*.md")):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
