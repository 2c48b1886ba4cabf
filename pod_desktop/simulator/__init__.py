"""A Proofpoint on Demand that behaves, and misbehaves on command: log stream, archive, token, lists."""

from __future__ import annotations

from pod_desktop.simulator.api import Api
from pod_desktop.simulator.command import add_arguments, main, run
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
from pod_desktop.simulator.http1 import Reply
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.manualclock import ManualClock
from pod_desktop.simulator.scenarios import SCENARIOS, Noise, Trouble, Waves
from pod_desktop.simulator.simulator import Options, Simulator
from pod_desktop.simulator.threaded import ThreadedSimulator, running

__all__ = [
    "ABORT",
    "RESET",
    "SCENARIOS",
    "SILENCE",
    "Answer",
    "Api",
    "Faults",
    "Generator",
    "Item",
    "ManualClock",
    "Noise",
    "Options",
    "Reply",
    "Simulator",
    "ThreadedSimulator",
    "Trouble",
    "Waves",
    "add_arguments",
    "answer",
    "main",
    "proxy_page",
    "redirect",
    "run",
    "running",
    "slow",
]
