"""What can be simulated: one entry, one scenario. Numbers only; the rooms that read them do the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pod_desktop.core.faults import UserFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """Phishing waves: how often, how long, how strong."""

    every_minutes: int = 3 * 24 * 60
    minutes: int = 8
    factor: float = 6.0
    """Mails of the wave for each ordinary one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What goes wrong with frames: shares of all records."""

    duplicates: float = 0.0
    late: float = 0.0
    """Handed out up to 20 minutes after their time."""
    empty: float = 0.0
    binary: float = 0.0
    broken: float = 0.0
    """Invalid UTF-8, raw control characters, cut JSON, arrays, plain text, HTML."""
    huge: float = 0.0
    """Records of 1-8 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong with sessions: mean seconds between events; 0 = never."""

    drop_every: float = 0.0
    """Reset, end without close frame, or a close code, by turns."""
    silence_every: float = 0.0
    """Half-open: accepted, but nothing comes and nothing is answered any more."""
    linger: float = 0.0
    """Seconds that a session lives on after an abnormal end; meanwhile 409."""
    refuse: float = 0.0
    """Share of handshakes answered 502 or 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    about: str
    rate: float = 10.0
    """Records a second where the command line names no rate."""
    waves: Waves = Waves()
    noise: Noise = Noise()
    trouble: Trouble = Trouble()
    hostile: float = 0.0
    """Share of message and maillog records that carry attacks."""


SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="calm", about="an ordinary day, with a phishing wave every few days"),
        Scenario(name="busy", about="a large customer", rate=200.0),
        Scenario(
            name="burst",
            about="a phishing wave every ten minutes",
            rate=20.0,
            waves=Waves(every_minutes=10, minutes=3),
        ),
        Scenario(
            name="chaos",
            about="drops, half-open sockets, lingering sessions, duplicates, late, broken and huge frames",
            rate=20.0,
            noise=Noise(duplicates=0.03, late=0.05, empty=0.01, binary=0.02, broken=0.01, huge=0.0005),
            trouble=Trouble(drop_every=40.0, silence_every=400.0, linger=4.0, refuse=0.2),
        ),
        Scenario(name="hostile", about="attacks in every field of every other record", hostile=0.5),
    )
}


def scenario(name: str) -> Scenario:
    """The scenario of this name.

    Raises:
        UserFault: there is none.
    """
    if name not in SCENARIOS:
        raise UserFault(f"There is no scenario {name!r}.", "scenario", f"Use one of {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]
