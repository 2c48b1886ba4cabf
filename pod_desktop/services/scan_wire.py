"""What a scanning worker is told and what it answers, one JSON object a line; found keys follow as plain bytes.

To the worker: `ask` (a question, by number), `piece` (records to look through for a question), `forget` (a
question). From it: `ready`, then for each piece the keys found, or why there are none.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any, Final, NamedTuple

from pod_desktop.query import tree as nodes
from pod_desktop.query.tree import Node
from pod_desktop.store import Place

_KINDS: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        nodes.Everything, nodes.And, nodes.Or, nodes.Not, nodes.Text, nodes.Words, nodes.Equals, nodes.Like,
        nodes.Mark, nodes.Range, nodes.Regex, nodes.Network, nodes.Exists, nodes.Term,
    )
}  # fmt: skip
_PLACE: Final = struct.Struct("<qq")


class Task(NamedTuple):
    """A question as a worker needs it: what is no part of it (time, marks) the pieces say."""

    tree: Node
    kinds: tuple[str, ...]
    connectors: tuple[str, ...]


def line(message: dict[str, Any]) -> bytes:
    """A message on the wire."""
    return json.dumps(message).encode() + b"\n"


def parsed(line: bytes) -> dict[str, Any]:
    """A message from the wire.

    Raises:
        ValueError: it is none.
    """
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def ask_line(number: int, task: Task) -> bytes:
    """The message that makes a question known."""
    return line({"ask": number, "tree": plain(task.tree), "kinds": task.kinds, "connectors": task.connectors})


def task_of(message: dict[str, Any]) -> Task:
    """The question of such a message."""
    return Task(node(message["tree"]), tuple(message["kinds"]), tuple(message["connectors"]))


def plain(value: Any) -> Any:
    """A query's tree as JSON values: a node is an object with its name and its members in order."""
    if dataclasses.is_dataclass(value):
        members = [plain(getattr(value, member.name)) for member in dataclasses.fields(value)]
        return {type(value).__name__: members}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def node(value: Any) -> Any:
    """The tree again."""
    if isinstance(value, dict):
        [(name, members)] = value.items()
        return _KINDS[name](*map(node, members))
    return tuple(map(node, value)) if isinstance(value, list) else value


def packed(places: list[Place]) -> bytes:
    """Keys as bytes."""
    return b"".join([_PLACE.pack(*place) for place in places])


def unpacked(data: bytes) -> list[Place]:
    """The keys again."""
    return [Place(*place) for place in _PLACE.iter_unpack(data)]


PLACE_BYTES: Final = _PLACE.size
