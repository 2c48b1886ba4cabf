"""What every vault does, tried on each of them: the real keychain too, where there is one."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.vault import FolderVault, KeychainVault, MemoryVault, SessionVault, Vault
from pod_desktop.vault.keychain import open_keychain

HOME = "log_stream wss://logstream.proofpoint.com:443"
ELSEWHERE = "log_stream wss://logstream.example.net:443"


class DictBackend:
    """A keychain that refuses long entries, as Windows does."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.most:
            raise RuntimeError("too long")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def until_there(address: str) -> None:
    """Return when the keyring's daemon has taken its name on the bus."""
    jeepney: Any = importlib.import_module("jeepney")
    blocking: Any = importlib.import_module("jeepney.io.blocking")
    bus = jeepney.DBusAddress(
        "/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus"
    )
    ask = jeepney.new_method_call(bus, "NameHasOwner", "s", ("org.freedesktop.secrets",))
    end = time.monotonic() + 60
    with blocking.open_dbus_connection(address) as connection:
        while not connection.send_and_get_reply(ask, timeout=60).body[0]:
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture(scope="session")
def keyring_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a session bus of its own with an unlocked GNOME keyring."""
    if sys.platform != "linux":
        pytest.skip("the Secret Service is Linux's")
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    home = tmp_path_factory.mktemp("keyring")
    (home / "run").mkdir(mode=0o700)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_DATA_HOME": str(home / "data"),
    }
    script = (
        "printf pw | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 & "
        "daemon=$!; echo $DBUS_SESSION_BUS_ADDRESS; cat; kill $daemon; wait $daemon"
    )
    session = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert session.stdin and session.stdout
    try:
        address = session.stdout.readline().strip()
        assert address
        until_there(address)
        yield address
    finally:
        session.stdin.close()
        session.wait(10)
        session.stdout.close()


@pytest.fixture(params=["memory", "session", "folder", "keychain", "narrow keychain", "GNOME Keyring"])
def vault(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    if request.param == "memory":
        return MemoryVault()
    if request.param == "session":
        return SessionVault(FolderVault(tmp_path / "below", writable=True))
    if request.param == "folder":
        return FolderVault(tmp_path / "secrets", writable=True)
    if request.param == "keychain":
        return KeychainVault(DictBackend(10_000_000), "Test keychain", part_chars=1_000_000)
    if request.param == "narrow keychain":
        return KeychainVault(DictBackend(1_280), "Test keychain", part_chars=1_000)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", request.getfixturevalue("keyring_bus"))
    found = open_keychain(tmp_path.name)
    assert found.title == "GNOME Keyring"
    return found


def test_a_secret_comes_back_as_it_was_put(vault: Vault) -> None:
    for value in ("k", "k" * 999, "ключ – 鍵 🔑", "k" * limits.SECRET_CHARS, "line\nbreak inside"):
        vault.put("acme", "api_key", HOME, Secret(value))
        assert vault.get("acme", "api_key", HOME) == Secret(value)


def test_a_secret_that_was_never_put_is_none(vault: Vault) -> None:
    assert vault.get("acme", "api_key", HOME) is None


def test_a_newer_secret_replaces_the_older_one(vault: Vault) -> None:
    vault.put("acme", "api_key", HOME, Secret("long" * 2_000))
    vault.put("acme", "api_key", ELSEWHERE, Secret("new"))
    assert vault.get("acme", "api_key", ELSEWHERE) == Secret("new")


def test_secrets_of_connectors_and_names_are_kept_apart(vault: Vault) -> None:
    vault.put("acme", "api_key", HOME, Secret("one"))
    vault.put("beta", "api_key", HOME, Secret("two"))
    vault.put("acme", "client_secret", HOME, Secret("three"))
    vault.delete("acme", "api_key")
    assert vault.get("acme", "api_key", HOME) is None
    assert vault.get("beta", "api_key", HOME) == Secret("two")
    assert vault.get("acme", "client_secret", HOME) == Secret("three")


def test_a_secret_is_not_given_for_another_origin(vault: Vault) -> None:
    vault.put("acme", "api_key", HOME, Secret("canary-7f3"))
    with pytest.raises(UserFault) as caught:
        vault.get("acme", "api_key", ELSEWHERE)
    assert HOME in caught.value.what and ELSEWHERE in caught.value.what
    assert "canary-7f3" not in str(caught.value)
    assert vault.get("acme", "api_key", HOME) == Secret("canary-7f3")


def test_deleting_what_is_not_there_is_no_fault(vault: Vault) -> None:
    vault.delete("acme", "api_key")
    vault.put("acme", "api_key", HOME, Secret("long" * 2_000))
    vault.delete("acme", "api_key")
    vault.delete("acme", "api_key")
    assert vault.get("acme", "api_key", HOME) is None


@pytest.mark.parametrize("connector", ["", "../acme", "a/b", "a\\b", "a\0b", "a\nb", "é", "n" * 129])
def test_a_name_that_could_mean_something_else_is_refused(vault: Vault, connector: str) -> None:
    for call in (
        lambda: vault.put(connector, "api_key", HOME, Secret("k")),
        lambda: vault.get(connector, "api_key", HOME),
        lambda: vault.delete(connector, "api_key"),
    ):
        with pytest.raises(UserFault):
            call()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "API", "origin", "api key", "é"])
def test_a_secret_name_that_is_none_is_refused(vault: Vault, name: str) -> None:
    with pytest.raises(UserFault):
        vault.put("acme", name, HOME, Secret("k"))


@pytest.mark.parametrize("connector", [".", "..", ".hidden", "a b", "a.b", "-rf", "~", "acme:'$(x)"])
def test_odd_names_are_names_like_others(vault: Vault, connector: str) -> None:
    vault.put(connector, "api_key", HOME, Secret("odd"))
    assert vault.get(connector, "api_key", HOME) == Secret("odd")
    vault.delete(connector, "api_key")
    assert vault.get(connector, "api_key", HOME) is None


def test_an_empty_or_endless_secret_is_refused(vault: Vault) -> None:
    for value in ("", "k" * (limits.SECRET_CHARS + 1)):
        with pytest.raises(UserFault) as caught:
            vault.put("acme", "api_key", HOME, Secret(value))
        assert "kkk" not in str(caught.value)
    assert vault.get("acme", "api_key", HOME) is None


def test_a_vault_says_what_it_is(vault: Vault) -> None:
    assert vault.title
    assert isinstance(vault.lasting, bool)
    assert isinstance(vault.why, str)
