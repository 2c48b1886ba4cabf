"""What each vault does of its own: time limits, file modes, halves of secrets, and never a word of one."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import struct
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.vault import (
    FolderVault,
    KeychainVault,
    MemoryVault,
    SessionVault,
    entry,
    folder,
    keychain,
    open_vault,
)

CANARY = "canary-5c1e-never-seen"
HOME = "log_stream wss://a.example:443"


class Backend:
    """A keychain in a dict; `before` runs before each call."""

    def __init__(self, before=lambda: None) -> None:
        self.before = before
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, username):
        self.before()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.before()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self.before()
        del self.kept[service, username]


# the keychain


def test_a_keychain_that_waits_for_a_person_is_an_outage_in_words() -> None:
    asked = threading.Event()
    vault = KeychainVault(Backend(lambda: asked.wait(10) and None), "GNOME Keyring", seconds=0.05)
    try:
        with pytest.raises(Outage) as caught:
            vault.get("acme", "api_key", HOME)
        assert "GNOME Keyring did not answer" in caught.value.what
        assert "session only" in caught.value.hint
        with pytest.raises(Outage):  # a second question is not opened while the first one waits
            vault.put("acme", "api_key", HOME, Secret("k"))
    finally:
        asked.set()
    vault._seconds = 5.0
    assert vault.get("acme", "api_key", HOME) is None


def test_a_keychain_error_never_carries_the_librarys_text() -> None:
    def fail() -> None:
        raise RuntimeError(f"org.freedesktop.Error: {CANARY}")

    vault = KeychainVault(Backend(fail), "GNOME Keyring")
    try:
        vault.put("acme", "api_key", HOME, Secret(CANARY))
    except Outage:
        text = traceback.format_exc()
    assert CANARY not in text
    assert "GNOME Keyring failed (RuntimeError)" in text


def test_a_locked_keychain_says_so() -> None:
    errors = pytest.importorskip("keyring.errors")

    def locked() -> None:
        raise errors.KeyringLocked("Failed to unlock the collection!")

    with pytest.raises(Outage, match="KWallet is locked"):
        KeychainVault(Backend(locked), "KWallet").get("acme", "api_key", HOME)


def test_a_keychain_that_forgets_fails_the_probe() -> None:
    class Forgetful(Backend):
        def set_password(self, service, username, password):
            pass

    with pytest.raises(Outage, match="did not give back"):
        KeychainVault(Forgetful(), "X").probe()


def test_the_probe_leaves_nothing_behind() -> None:
    backend = Backend()
    KeychainVault(backend, "X").probe()
    assert backend.kept == {}


def test_data_directories_do_not_share_entries() -> None:
    backend = Backend()
    one, two = (KeychainVault(backend, "X", profile=profile) for profile in ("1a2b", "3c4d"))
    one.put("acme", "api_key", HOME, Secret("one"))
    assert two.get("acme", "api_key", HOME) is None
    two.delete("acme", "api_key")
    assert one.get("acme", "api_key", HOME) == Secret("one")


def test_a_shorter_secret_leaves_no_part_of_a_longer_one() -> None:
    backend = Backend()
    vault = KeychainVault(backend, "X", part_chars=200)
    vault.put("acme", "api_key", HOME, Secret("k" * 2_000))
    assert len(backend.kept) > 10 and max(map(len, backend.kept.values())) <= 200
    vault.put("acme", "api_key", HOME, Secret("k"))
    assert len(backend.kept) == 1


def test_halves_of_two_secrets_are_never_put_together() -> None:
    backend = Backend()
    vault = KeychainVault(backend, "X", part_chars=200)
    vault.put("acme", "api_key", HOME, Secret("a" * 300))
    (second,) = [place for place in backend.kept if place[0].endswith("part 2")]
    older = backend.kept[second]
    vault.put("acme", "api_key", HOME, Secret("b" * 300))
    backend.kept[second] = older
    with pytest.raises(UserFault, match="damaged"):
        vault.get("acme", "api_key", HOME)


@pytest.mark.parametrize("text", ["", "plain", "1/1:", "2/2:abc:{}", "1/99999:x:{}", "1/1:000000000000:{}"])
def test_an_entry_that_another_program_changed_is_damaged_not_used(text: str) -> None:
    backend = Backend()
    vault = KeychainVault(backend, "X")
    vault.put("acme", "api_key", HOME, Secret("k"))
    (place,) = backend.kept
    backend.kept[place] = text
    with pytest.raises(UserFault, match="damaged"):
        vault.get("acme", "api_key", HOME)


@given(st.text(min_size=1, max_size=300), st.text(max_size=40), st.integers(100, 400))
def test_packing_and_unpacking_give_back_the_same(value: str, origin: str, room: int) -> None:
    parts = entry.pack(origin, Secret(value), room)
    assert all(len(part) <= room for part in parts)
    assert entry.count(parts[0]) == len(parts)
    assert entry.unpack(parts) == (origin, Secret(value))


def test_no_backend_is_chosen_but_the_allowed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    with pytest.raises(Outage, match="no keychain"):
        keychain.open_keychain(platform="an unknown system")
    allowed = {module for group in keychain._BACKENDS.values() for module, _, _ in group}
    assert all(module.startswith("keyring.backends.") for module in allowed)
    assert not any("fail" in module or "null" in module or "chainer" in module for module in allowed)


# the folder


@pytest.fixture
def secrets(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path, writable=True)


def plant(path: Path, text: str | bytes, mode: int = 0o600) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)


def test_a_secret_is_one_file_that_only_its_owner_reads(secrets: FolderVault, tmp_path: Path) -> None:
    secrets.put("acme", "api_key", HOME, Secret(CANARY))
    file = tmp_path / "acme.api_key"
    assert file.read_text() == CANARY
    assert {stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()} == {0o600}
    secrets.delete("acme", "api_key")
    assert list(tmp_path.iterdir()) == []


def test_an_administrators_bare_file_serves_any_origin(secrets: FolderVault, tmp_path: Path) -> None:
    plant(tmp_path / "acme.api_key", "  bare key \r\n", 0o400)
    assert secrets.get("acme", "api_key", HOME) == Secret("  bare key ")
    assert secrets.get("acme", "api_key", "elsewhere") == Secret("  bare key ")


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o601])
def test_a_file_that_others_can_use_is_refused(secrets: FolderVault, tmp_path: Path, mode: int) -> None:
    plant(tmp_path / "acme.api_key", CANARY, mode)
    with pytest.raises(UserFault) as caught:
        secrets.get("acme", "api_key", HOME)
    assert "chmod 600" in caught.value.hint
    assert CANARY not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_or_a_folder_in_place_of_a_secret_does_not_hang(secrets: FolderVault, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "acme.api_key", 0o600)
    (tmp_path / "beta.api_key").mkdir()
    for connector in ("acme", "beta"):
        with pytest.raises(Fault):
            secrets.get(connector, "api_key", HOME)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe\x00", b"k" * 16_385, b"k" * 1_000_000])
def test_a_file_that_is_no_secret_is_refused_in_words(
    secrets: FolderVault, tmp_path: Path, data: bytes
) -> None:
    plant(tmp_path / "acme.api_key", data)
    with pytest.raises(UserFault) as caught:
        secrets.get("acme", "api_key", HOME)
    assert caught.value.where.endswith("acme.api_key")
    assert "kkk" not in str(caught.value)


def test_the_credentials_directory_is_never_written(tmp_path: Path) -> None:
    plant(tmp_path / "acme.api_key", "k", 0o400)
    vault = FolderVault(tmp_path, writable=False)
    with pytest.raises(UserFault, match="read-only"):
        vault.put("acme", "api_key", HOME, Secret("other"))
    with pytest.raises(UserFault, match="read-only"):
        vault.delete("acme", "api_key")
    assert vault.get("acme", "api_key", HOME) == Secret("k")


def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Outage):
        FolderVault(tmp_path / "file" / "deeper", writable=True).put("acme", "api_key", HOME, Secret("k"))


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)


NOBODY = 0xFFFFFFFF


@pytest.mark.skipif(not hasattr(os, "getxattr"), reason="access lists are read through Linux's xattr")
@pytest.mark.parametrize(
    ("group", "extra", "allowed"),
    [
        (0, ("me", 4), True),  # as systemd writes it for a service with User=
        (0, ("another", 4), False),
        (4, ("me", 4), False),
        (0, ("another", 0), True),
    ],
)
def test_an_access_list_counts_and_not_its_mask(monkeypatch, tmp_path, group, extra, allowed) -> None:
    who, rights = extra
    user = os.getuid() if who == "me" else os.getuid() + 1
    listed = acl((1, 4, NOBODY), (2, rights, user), (4, group, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))
    monkeypatch.setattr(os, "getxattr", lambda handle, name: listed)
    plant(tmp_path / "acme.api_key", "k", 0o440)
    vault = FolderVault(tmp_path, writable=False)
    if allowed:
        assert vault.get("acme", "api_key", HOME) == Secret("k")
    else:
        with pytest.raises(UserFault, match="Others can read"):
            vault.get("acme", "api_key", HOME)


def test_an_access_list_never_excuses_the_world(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(folder, "_only_this_user", lambda handle: True)
    plant(tmp_path / "acme.api_key", "k", 0o444)
    with pytest.raises(UserFault, match="Others can read"):
        FolderVault(tmp_path, writable=False).get("acme", "api_key", HOME)


# memory, session, and the way between processes


def test_secrets_go_from_the_window_to_the_service_line_by_line() -> None:
    window, service = MemoryVault(), SessionVault(MemoryVault())
    window.put("acme", "api_key", HOME, Secret('quote " and 鍵\n'))
    window.put("beta", "api_key", HOME, Secret("b"))
    assert service.feed(io.StringIO("".join(line + "\n" for line in window.lines()) + "\n")) == 2
    assert service.get("acme", "api_key", HOME) == Secret('quote " and 鍵\n')
    assert service.get("beta", "api_key", HOME) == Secret("b")


@pytest.mark.parametrize(
    "line",
    [
        CANARY,
        "[]",
        json.dumps({"connector": "a", "name": "api_key", "value": CANARY}),
        json.dumps({"connector": "a", "name": "api_key", "origin": "o", "value": CANARY, "more": 1}),
        json.dumps({"connector": "a", "name": "api_key", "origin": "o", "value": [CANARY]}),
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_secret_is_refused_without_a_word_of_it(line: str) -> None:
    with pytest.raises(UserFault) as caught:
        MemoryVault().accept(line)
    text = "".join(traceback.format_exception(caught.value))
    assert CANARY not in text and CANARY not in str(caught.value)


def test_this_sessions_secret_comes_before_the_lasting_one(tmp_path: Path) -> None:
    vault = SessionVault(FolderVault(tmp_path, writable=True))
    vault.put("acme", "api_key", HOME, Secret("lasting"))
    vault.session.put("acme", "api_key", HOME, Secret("session"))
    assert vault.get("acme", "api_key", HOME) == Secret("session")
    vault.put("acme", "api_key", HOME, Secret("newer"))
    assert vault.get("acme", "api_key", HOME) == Secret("newer")
    assert list(vault.lines()) == []


# the choice


def no_keychain(profile, *, platform):
    raise Outage("There is no keychain on this computer.")


def test_a_named_folder_is_the_vault(tmp_path: Path) -> None:
    own = open_vault({"POD_DESKTOP_SECRETS_DIR": str(tmp_path)}, keychain=no_keychain)
    own.put("acme", "api_key", HOME, Secret("k"))
    systemd = open_vault({"CREDENTIALS_DIRECTORY": str(tmp_path)}, keychain=no_keychain)
    assert systemd.get("acme", "api_key", HOME) == Secret("k")
    with pytest.raises(UserFault):
        systemd.delete("acme", "api_key")


def test_without_a_keychain_secrets_last_for_the_session_and_it_says_why() -> None:
    vault = open_vault({}, keychain=no_keychain)
    assert not vault.lasting
    assert vault.why == "There is no keychain on this computer."


def test_a_working_keychain_is_the_vault() -> None:
    vault = open_vault({}, "1a2b", keychain=lambda profile, *, platform: KeychainVault(Backend(), profile))
    assert vault.lasting and vault.title == "1a2b"


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux's")
def test_without_a_bus_there_is_an_answer_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "import os; from pod_desktop.vault import open_vault; v = open_vault({}); print(v.lasting, v.why)"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "False There is no keychain on this computer."
    assert done.stderr == ""


# never a word of a secret


def test_a_secret_is_never_in_what_vaults_show(tmp_path: Path) -> None:
    for vault in (
        MemoryVault(),
        SessionVault(MemoryVault()),
        FolderVault(tmp_path, writable=True),
        KeychainVault(Backend(), "X"),
    ):
        vault.put("acme", "api_key", HOME, Secret(CANARY))
        held = vault.get("acme", "api_key", HOME)
        for shown in (repr(held), str(held), f"{held}", f"{held:>40}", repr(vault), str(vault)):
            assert CANARY not in shown
        with pytest.raises(TypeError):
            pickle.dumps(held)
    memory = MemoryVault()
    memory.put("acme", "api_key", HOME, Secret(CANARY))
    with pytest.raises(TypeError):
        pickle.dumps(memory)
