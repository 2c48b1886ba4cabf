"""A second key that its user has removed: the service lets go of the one that it was handed for the session."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pod_desktop import app
from pod_desktop.core.connector import SECOND_KEY
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import FORGET
from pod_desktop.store import Command
from pod_desktop.vault import FolderVault, SessionVault

STARTED = 1_000


@pytest.fixture
def vault(tmp_path: Path) -> SessionVault:
    made = SessionVault(FolderVault(tmp_path / "secrets", writable=True))
    for name in ("api_key", SECOND_KEY):
        made.session.put("acme", name, "here", Secret("for this session"))
    return made


def told(vault: SessionVault, name: str, at: int) -> bool:
    home = SimpleNamespace(vault=vault, clock=SimpleNamespace(now=lambda: STARTED))
    obey = app._forgetting(home)  # type: ignore[arg-type]
    return obey(Command(name=name, args={"connector": "acme", "secret": SECOND_KEY}, at=at))


def test_the_secret_is_let_go_of_and_no_other(vault: SessionVault) -> None:
    assert told(vault, FORGET, STARTED + 1)
    assert vault.get("acme", SECOND_KEY, "here") is None
    assert vault.get("acme", "api_key", "here") is not None


def test_a_command_from_before_the_start_speaks_of_an_older_one(vault: SessionVault) -> None:
    assert told(vault, FORGET, STARTED - 1)
    assert vault.get("acme", SECOND_KEY, "here") is not None


def test_other_commands_are_not_its_own(vault: SessionVault) -> None:
    assert not told(vault, "try_now", STARTED + 1)
    assert vault.get("acme", SECOND_KEY, "here") is not None
