"""Attacks in records, as a mail sender or a broken server can send them."""

from __future__ import annotations

from pod_desktop.simulator.item import Item

CORPUS: dict[str, object] = {}


def poisoned(items: list[Item], seed: int, share: float) -> list[Item]:
    return items
