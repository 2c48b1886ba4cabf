"""What the four templates share: the org lists of the Threat Protection API and how to judge their answers.

Source: Threat Protection API, emailProtection modules, spam lists; add and delete are the same POST.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pod_desktop.core.action import ADD, BLOCK, DELETE, SAFE, Answer, Entry

API_PATH: Final = "/api/v1/emailProtection/modules/spam/"
LIST_PATHS: Final = {BLOCK: API_PATH + "orgBlockList", SAFE: API_PATH + "orgSafeList"}
LIST_TITLES: Final = {BLOCK: "Org Block List", SAFE: "Org Safe List"}
DUPLICATE: Final = "error.api.emailprotection.lists.samelist.duplicate.entry"
_MESSAGE_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A template: one thing that can be done to a list."""

    action: str
    """add or delete."""
    list: str
    """block or safe."""

    @property
    def type(self) -> str:
        """The template's name as users know it."""
        verb = "Add to" if self.action == ADD else "Delete From"
        return f"Proofpoint on Demand {verb} {LIST_TITLES[self.list]}"

    @property
    def inverse(self) -> str:
        """Type of the template that takes it back."""
        return Responder(action=DELETE if self.action == ADD else ADD, list=self.list).type

    @property
    def path_and_query(self) -> str:
        """Template of Path and Query."""
        return LIST_PATHS[self.list] + "?clusterId={connector.cluster_id}"

    def body(
        self, attribute: str = "$from", operator: str = "equal", value: str = "{envelope.from | sm.from}"
    ) -> str:
        """Template of the JSON body; `value` is an expression or literal text with braces doubled."""
        fields = {"action": self.action, "attribute": attribute, "operator": operator, "value": value}
        if self.action == ADD:
            fields["comment"] = "POD Desktop {guid | id}"
        return json.dumps(fields, indent=2, ensure_ascii=False)


def read_entries(body: bytes) -> tuple[Entry, ...]:
    """The entries of a list as GET answers them.

    Raises:
        ValueError: the answer is no list of entries.
    """
    data = json.loads(body)
    entries = data.get("entries") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("the answer holds no entries")
    return tuple(_entry(item) for item in entries)


def _entry(item: object) -> Entry:
    if not isinstance(item, Mapping) or not isinstance(item.get("value"), str):
        raise ValueError("an entry has no value")
    return Entry(
        attribute=str(item.get("attribute", "")),
        operator=str(item.get("operator", "")),
        value=item["value"],
        comment=str(item.get("comment") or ""),
    )


def message_of(body: bytes) -> str:
    """The service's words: errorMessage, then errors[], then message, else the text. Bounded, one line."""
    text = body[: 4 * _MESSAGE_CHARS].decode("utf-8", "replace")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return _one_line(text)
    if isinstance(data, Mapping):
        for key in ("errorMessage", "errors", "error_description", "message", "error"):
            if value := data.get(key):
                return _one_line(_words(value))
    return "" if data in ({}, [], None, "") else _one_line(text)


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        inner = value.get("message") or value.get("errorMessage") or value.get("code")
        return _words(inner) if inner else json.dumps(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_words(item) for item in value[:10])
    return str(value)


def _one_line(text: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.split())[:_MESSAGE_CHARS]


def is_duplicate(answer: Answer) -> bool:
    """Whether the service says that the entry is there already; every other 400 is a real fault."""
    return answer.status == 400 and DUPLICATE.encode() in answer.body
