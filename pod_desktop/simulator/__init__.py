"""A Proofpoint on Demand that behaves, and misbehaves on command: log stream, archive, token, lists."""

from __future__ import annotations

from pod_desktop.simulator.faults import (
    ABORT,
    RESET,
    SILENCE,
    Answer,
    Faults,
    answer,
    proxy_page,
    redirect,
    slow,
)
from pod_desktop.simulator.generator import Generator
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.scenarios import SCENARIOS
from pod_desktop.simulator.simulator import Options, Simulator

__all__ = [
    "ABORT",
    "RESET",
    "SCENARIOS",
    "SILENCE",
    "Answer",
    "Faults",
    "Generator",
    "Item",
    "Options",
    "Simulator",
    "answer",
    "proxy_page",
    "redirect",
    "slow",
]
