"""Sigma rules from files: YAML read safely and within bounds, and the playbook to begin with. The one door of yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pod_desktop.core.faults import UserFault
from pod_desktop.core.limits import KIB, NAME_CHARS
from pod_desktop.core.playbook import NOTIFY, Playbook, check_playbook_name, playbook_from_file
from pod_desktop.core.text import hides
from pod_desktop.services.sigma import Converted, convert

FILE_BYTES: Final = 256 * KIB
DEPTH: Final = 32
NODES: Final = 20_000
"""Keys, values, lists and maps of one file."""


def read_sigma_file(path: Path) -> Converted:
    """The rule of a file as a query, with what does not map.

    Raises:
        UserFault: it cannot be read, is too large, no YAML, uses aliases, or holds no Sigma rule.
    """
    rules = _documents(_text(path), path)
    found = [rule for rule in rules if "detection" in rule]
    if not found:
        raise UserFault("This is no Sigma rule: it has no detection with a condition.", str(path))
    converted = convert(found[0])
    notes = [_left_out(rule) for rule in rules if rule is not found[0]]
    return replace(converted, unmapped=(*converted.unmapped, *notes))


def sigma_playbook(rule: Converted, tenant: str, taken: Sequence[str] = ()) -> Playbook:
    """The playbook to begin with: it tells of each record that the rule finds, and does nothing else.

    Raises:
        UserFault: nothing of the rule could be translated; the hint says what.
    """
    if not rule.query:
        why = "; ".join(rule.unmapped) or "it is empty"
        raise UserFault(
            "This rule cannot be a query here.", rule.title, f"{why[:1].upper()}{why[1:].rstrip('.')}."
        )
    name = "".join(char for char in rule.title if char.isprintable() and not hides(char)).strip()
    name = name[: NAME_CHARS - 8].strip() or "Sigma rule"
    folded, number, free = {one.casefold() for one in taken}, 2, name
    while free.casefold() in folded:
        free, number = f"{name} ({number})", number + 1
    return playbook_from_file(
        {
            "name": check_playbook_name(free),
            "tenant": tenant,
            "query": rule.query,
            "group_by": "sender",
            "actions": [{"type": NOTIFY}],
        }
    )


def _left_out(rule: Mapping[str, Any]) -> str:
    title = str(rule.get("title") or "without a title")[:80]
    if "correlation" in rule:
        return f"the correlation {title!r}: set group by, at least and within of the playbook instead"
    return f"the rule {title!r}: one file gives one playbook"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise UserFault(f"The file cannot be read ({error.strerror}).", str(path)) from None
    if len(data) > FILE_BYTES:
        raise UserFault(f"The file has more than {FILE_BYTES // KIB} KiB; no Sigma rule has.", str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserFault("The file is no text in UTF-8.", str(path)) from None


def _documents(text: str, path: Path) -> list[Mapping[str, Any]]:
    """The file's maps. Judged as events before anything is built from them."""
    import yaml

    try:
        depth = nodes = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise UserFault("The file uses YAML aliases, which no Sigma rule needs.", str(path))
            nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH or nodes > NODES:
                raise UserFault("The file is nested too deeply or too large for a Sigma rule.", str(path))
        found = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        raise UserFault("The file is no YAML.", _place(error, path)) from None
    except (ValueError, RecursionError):  # a date that is none
        raise UserFault("The file holds a value that YAML does not know.", str(path)) from None
    return [one for one in found if isinstance(one, Mapping)]


def _place(error: Exception, path: Path) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}, line {mark.line + 1}" if mark is not None else str(path)
