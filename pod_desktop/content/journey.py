"""What a record adds to the journey of a message: what joins it to others, what happened, what became of whom.

One module a content type gives it (journey_message, journey_maillog); a new type is one line in TYPES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pod_desktop.core.blocks import INFO
from pod_desktop.core.record import MAILLOG, MESSAGE


class Keys(NamedTuple):
    """What joins records of one message (Proofpoint, Log API: queue id within a cluster, else Message-ID)."""

    cluster: str = ""
    agent: str = ""
    """Host that wrote the record; queue ids are unique within a host."""
    qid: str = ""
    message_id: str = ""
    guid: str = ""
    parent: str = ""
    """guid of the message record that this one was split from."""


class Step(NamedTuple):
    """Something that happened."""

    title: str
    detail: str = ""
    tone: str = INFO
    offset: int = 0
    """Microseconds after the record's own time."""
    time: int | None = None
    """Microseconds UTC where the record tells another time for it."""
    whom: str = ""
    """The recipients that it is about, folded: tries for the same ones are counted."""
    deferral: bool = False
    """One of several tries, so far in vain."""


class Word(NamedTuple):
    """What a record says became of one recipient's copy."""

    recipient: str
    outcome: str
    """Of core.record.OUTCOMES."""
    detail: str = ""
    delay: int | None = None
    """Seconds since the message was taken."""
    weight: int = 0
    """FILTER, INSIDE or LINE: the heavier word counts, among equal ones the later."""
    tried: bool = False
    """A try to deliver."""


FILTER: Final = 0
"""The filter's decision: nothing about delivery."""
INSIDE: Final = 1
"""Handed on within the host, to the filter or from it."""
LINE: Final = 2
"""A line of the mail log about the next host."""


class Told(NamedTuple):
    """All of it."""

    keys: Keys = Keys()
    steps: tuple[Step, ...] = ()
    words: tuple[Word, ...] = ()
    dropped: bool = False
    """The whole message was written to nowhere."""


def told(kind: str, document_value: object) -> Told:
    """What a record (Document.value) adds to a journey; nothing for types that have none. Never raises."""
    tell = _types().get(kind)
    return tell(document_value) if tell is not None and isinstance(document_value, dict) else Told()


def _types() -> Mapping[str, Callable[[Any], Told]]:
    from pod_desktop.content import journey_maillog, journey_message

    return {MESSAGE: journey_message.told, MAILLOG: journey_maillog.told}
