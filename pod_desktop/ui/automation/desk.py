"""What the Automation pages ask of the rooms below.

Everything but check() blocks and runs on a worker thread (bridge.Worker), never on the window's. Tests put a
desk in memory here, the program StoreAutomation (realdesk.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pod_desktop.core.playbook import Playbook
from pod_desktop.core.responder import RespondConnector
from pod_desktop.store import FiringRow, PlaybookEntry, Version

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Report
    from pod_desktop.services.playbooks import Template
    from pod_desktop.services.sigma import Converted
    from pod_desktop.ui.bridge import Job

Hours = Sequence[tuple[int, str, int]]
"""(hour in microseconds UTC, outcome, number), ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How all playbooks are at one moment."""

    entries: Sequence[PlaybookEntry] = ()
    hours: Mapping[int, Hours] = field(default_factory=dict)
    """By playbook's id: the last seven days."""
    held: Sequence[FiringRow] = ()
    """What waits for a person, oldest first."""
    notified: Sequence[FiringRow] = ()
    """What playbooks told lately, newest first."""
    stopped: str = ""
    """Why nothing acts, in words; '' while nothing stops all playbooks."""
    by_file: bool = False
    """The kill file is there: only its removal lets them act again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an editor offers to choose from."""

    tenants: Sequence[str] = ()
    responders: Sequence[RespondConnector] = ()
    """Enabled ones that a playbook may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What a backtest looks at. A moving span, all that is stored, or two moments."""

    span: int | None = None
    """The last so many microseconds."""
    since: int | None = None
    until: int | None = None
    """Microseconds UTC; `until` is not included."""


class AutomationDesk(Protocol):
    """All raise Fault where something is wrong that people can be told."""

    @property
    def stop_file(self) -> Path:
        """While it exists nothing acts."""
        ...

    def see(self, last: object) -> tuple[object, Seen] | None:
        """How all is, with a mark for the next call; None if nothing has changed since `last`."""
        ...

    def claim_told(self, newest: int) -> int:
        """Take it on the window to tell notifications up to this id on the desktop; those above the id given
        back are its own to tell.
        """
        ...

    def setup(self) -> Setup: ...

    def sample(self, query: str, kinds: Sequence[str]) -> Mapping[str, object]:
        """The clean view of the newest record that matches, or of the newest at all; empty without any. Brief."""
        ...

    def check(self, playbook: Playbook) -> None:
        """See that query, field and templates can be read, and that its responders are some for playbooks.

        Quick: called while one types.

        Raises:
            UserFault: they cannot; `where` names the key.
        """
        ...

    def warnings(self, playbook: Playbook) -> Sequence[str]:
        """What would keep it from acting as things are set up now."""
        ...

    def try_out(
        self, playbook: Playbook, wanted: Range, job: Job, told: Callable[[Report], None]
    ) -> Report | None:
        """A backtest; None once `job` is cancelled. `told` gets snapshots, on the thread that works."""
        ...

    def run_on_history(self, name: str, report: Report) -> int:
        """Let the service do what a backtest has shown as done; how many actions that is.

        Raises:
            UserFault: it is not armed, or was changed since.
        """
        ...

    # definitions

    def templates(self) -> Sequence[Template]: ...
    def read_sigma(self, path: Path) -> Converted:
        """A Sigma rule's query, with what does not map.

        Raises:
            UserFault: the file cannot be read, or is no Sigma rule.
        """
        ...

    def add(self, playbook: Playbook, *, state: str) -> PlaybookEntry: ...
    def update(self, name: str, playbook: Playbook) -> PlaybookEntry: ...
    def set_state(self, name: str, state: str) -> PlaybookEntry: ...
    def remove(self, name: str) -> PlaybookEntry: ...
    def history(self, name: str) -> Sequence[Version]:
        """Newest first."""
        ...

    def rows(self, name: str) -> Sequence[FiringRow]:
        """Its last firings, newest first."""
        ...

    def read_file(self, path: Path) -> Playbook:
        """Raises UserFault when the file is no playbook, or says anything that is not known."""
        ...

    def write_file(self, playbook: Playbook, path: Path) -> None: ...

    # decisions

    def approve(self, row_id: int, confirmed: str = "") -> FiringRow: ...
    def dismiss(self, row_id: int) -> FiringRow: ...
    def stop(self) -> None:
        """Stop all playbooks."""
        ...

    def go(self) -> None:
        """Let them act again; takes the kill file away too."""
        ...
