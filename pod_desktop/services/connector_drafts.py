"""Connectors that are to be made: with their secrets, all four of a cluster at once, or as a copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.definition import Connector
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret

_SHORT: Final = dict(zip(TYPES, ("block", "safe", "unblock", "unsafe"), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A connector that is to be made, with its secrets by name."""

    connector: Connector
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    enabled: bool = True
    forget: tuple[str, ...] = ()
    """Of an edit: names of secrets to let go of."""


def all_four(base: RespondConnector, name: str = "") -> tuple[RespondConnector, ...]:
    """The four responders that one set of credentials can serve.

    Args:
        base: Everything but name and type counts.
        name: What their names begin with; by default the base's own: `acme` gives `acme-block`, `acme-safe`,
            `acme-unblock`, `acme-unsafe`, and so does the name of one of these.
    """
    stem = (name or base.name).strip()
    ending = next((short for short in _SHORT.values() if stem.endswith(f"-{short}")), "")
    stem = stem.removesuffix(f"-{ending}") or stem
    longest = max(map(len, _SHORT.values())) + 1
    stem = stem[: limits.NAME_CHARS - longest]
    return tuple(replace(base, name=f"{stem}-{short}", type=kind) for kind, short in _SHORT.items())


def free_name(name: str, taken: Iterable[str]) -> str:
    used = {other.casefold() for other in taken}
    stem = name[: limits.NAME_CHARS - 10]
    number, free = 1, f"{stem}-copy"
    while free.casefold() in used:
        number += 1
        free = f"{stem}-copy-{number}"
    return free
