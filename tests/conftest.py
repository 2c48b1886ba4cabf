"""What every test has: the record builders on the path (`from builders import message`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from pod_desktop.simulator import generator

sys.path.insert(0, str(Path(__file__).parent))
# Services that tests start must not tell anything on the desktop of whoever runs the tests.
os.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
# A landing must not hang on luck: CI tries the same examples each time, people try new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("people", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")


@pytest.fixture(autouse=True)
def every_hour_alike(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters that run on the real clock are as busy at night and at weekends as at any other time."""
    if request.path.parent.name in ("app", "faults", "flow"):
        monkeypatch.setattr(generator, "day_curve", lambda _micros: 1.0)
