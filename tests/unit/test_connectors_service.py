"""Connectors made, switched and removed together with their secrets; files that define them."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pod_desktop.core import limits
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import (
    Connectors,
    check_ca_file,
    profile_id,
    read_connector_file,
    read_json_file,
    read_secrets,
)
from pod_desktop.store import Ledger
from pod_desktop.vault import FolderVault, MemoryVault, SessionVault

CANARY = "canary-91ab"
KEY = {"api_key": Secret(CANARY)}


def connector(name: str = "acme", **changes: object) -> CollectConnector:
    values = {"name": name, "tenant": "Acme", "cluster_id": "acme_hosted", "content_types": ("message",)}
    return CollectConnector(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path) -> Connectors:
    return Connectors(ledger, SessionVault(FolderVault(tmp_path / "secrets", writable=True)))


def kept(desk: Connectors, one: CollectConnector) -> Secret | None:
    return desk.vault.get(one.name, "api_key", one.secret_origin())


class Locked(MemoryVault):
    """A keychain that waits for a person."""

    lasting = True
    title = "GNOME Keyring"

    def put(self, *_: object) -> None:
        raise Outage("GNOME Keyring is locked.", "keychain")

    def delete(self, *_: object) -> None:
        raise Outage("GNOME Keyring is locked.", "keychain")


class Base:
    """Not a MemoryVault, so that the session is a layer of its own."""

    title, lasting, why = "GNOME Keyring", True, ""

    def get(self, *_: object) -> None:
        return None

    put = Locked.put
    delete = Locked.delete


def test_a_new_connector_is_active_and_its_key_is_kept(desk: Connectors) -> None:
    made = desk.create(connector(" acme "), {"api_key": Secret(f" Bearer {CANARY}\n")})
    (entry,) = desk.entries()
    assert entry.connector == made and entry.enabled and made.name == "acme"
    assert kept(desk, made) == Secret(CANARY)


def test_a_key_is_in_no_file_but_its_own(desk: Connectors, tmp_path: Path) -> None:
    desk.create(connector(), KEY)
    holding = [p.name for p in tmp_path.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert holding == ["acme.api_key"]


def test_a_value_that_does_not_fit_makes_nothing(desk: Connectors) -> None:
    for wrong, where in (
        (connector("é"), "name"),
        (connector(cluster_id="a b"), "cluster_id"),
        (connector(content_types=()), "content_types"),
        (connector(ca_file="/no/such.pem"), "ca_file"),
    ):
        with pytest.raises(UserFault) as caught:
            desk.create(wrong, KEY)
        assert caught.value.where == where
    with pytest.raises(UserFault):
        desk.create(connector(), {"api_key": Secret("two words")})
    with pytest.raises(UserFault):
        desk.create(connector(), {"password": Secret("k")})
    assert desk.entries() == [] and kept(desk, connector()) is None


def test_a_ledger_that_fails_leaves_no_secret_behind(desk: Connectors, ledger: Ledger, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise Outage("The disk is full.")

    monkeypatch.setattr(ledger, "add_connectors", full)
    with pytest.raises(Outage, match="disk is full"):
        desk.create(connector(), KEY)
    assert kept(desk, connector()) is None


def test_a_locked_keychain_makes_nothing_and_the_session_is_a_way_out(ledger: Ledger) -> None:
    desk = Connectors(ledger, SessionVault(Base()))  # type: ignore[arg-type]
    with pytest.raises(Outage, match="locked"):
        desk.create(connector(), KEY)
    assert desk.entries() == []
    made = desk.create(connector(), KEY, session_only=True)
    assert kept(desk, made) == Secret(CANARY)
    assert [json.loads(line)["connector"] for line in desk.vault.lines()] == ["acme"]


def test_a_command_refuses_a_key_that_would_be_lost_with_it(ledger: Ledger) -> None:
    desk = Connectors(ledger, SessionVault(MemoryVault("There is no keychain on this computer.")))
    with pytest.raises(Outage) as caught:
        desk.create(connector(), KEY, must_last=True)
    assert "there is no keychain" in caught.value.what and "POD_DESKTOP_SECRETS_DIR" in caught.value.hint
    assert desk.entries() == []


def test_a_connector_may_be_made_before_its_key_is_there(desk: Connectors) -> None:
    desk.create(connector(), {}, enabled=False)
    (entry,) = desk.entries()
    assert not entry.enabled


def test_removing_deletes_the_key_and_frees_it_for_another(desk: Connectors) -> None:
    made = desk.create(connector(), KEY)
    desk.remove("ACME")
    assert desk.entries() == [] and kept(desk, made) is None
    assert desk.key_notice(connector("beta"), Secret(CANARY)) is None


def test_removing_waits_for_the_keychain_unless_told_otherwise(ledger: Ledger) -> None:
    desk = Connectors(ledger, SessionVault(Base()))  # type: ignore[arg-type]
    desk.create(connector(), KEY, session_only=True)
    with pytest.raises(Outage):
        desk.remove("acme")
    assert desk.names() == ("acme",)
    desk.remove("acme", keep_secrets=True)
    assert desk.names() == ()


def test_a_read_only_credentials_directory_does_not_hold_up_removal(ledger: Ledger, tmp_path: Path) -> None:
    desk = Connectors(ledger, SessionVault(FolderVault(tmp_path, writable=False)))
    desk.create(connector(), {})
    desk.remove("acme")
    assert desk.names() == ()


def test_removing_or_switching_what_is_not_there_is_said(desk: Connectors) -> None:
    for call in (desk.remove, desk.enable, desk.disable):
        with pytest.raises(UserFault, match="no connector named"):
            call("nobody")


def test_disabling_and_enabling(desk: Connectors) -> None:
    desk.create(connector(), KEY)
    desk.disable("acme")
    assert not desk.entries()[0].enabled
    desk.enable("acme")
    assert desk.entries()[0].enabled


# the rules of API keys


def test_one_key_serves_message_and_mail_log_in_one_connector_or_in_two(desk: Connectors) -> None:
    desk.create(connector("acme-maillog", content_types=("maillog",)), KEY)
    notice = desk.key_notice(connector("acme-message"), Secret(CANARY))
    assert notice and not notice.fault
    assert notice.text.startswith("acme-maillog already uses this API key for Mail Log.")
    desk.create(connector("acme-message"), KEY)
    assert len(desk.entries()) == 2


def test_the_same_type_twice_needs_another_key(desk: Connectors) -> None:
    desk.create(connector("acme", content_types=("message", "maillog")), KEY)
    second = connector("second", content_types=("maillog", "audit"))
    notice = desk.key_notice(second, Secret(CANARY))
    assert notice and notice.fault and "Mail Log" in notice.text and "Message" not in notice.text
    assert CANARY not in notice.text
    with pytest.raises(UserFault) as caught:
        desk.create(second, KEY)
    assert caught.value.where == "api_key"
    desk.create(second, {"api_key": Secret("another")})


def test_a_disabled_connector_does_not_hold_its_key(desk: Connectors) -> None:
    desk.create(connector("old"), KEY)
    desk.disable("old")
    notice = desk.key_notice(connector("new"), Secret(CANARY))
    assert notice and not notice.fault and "disabled" in notice.text


def test_before_a_key_is_typed_the_need_for_one_is_told(desk: Connectors) -> None:
    desk.create(connector("acme"), KEY)
    notice = desk.key_notice(connector("second"), None)
    assert notice and not notice.fault and "API key of its own" in notice.text
    assert desk.key_notice(connector("second", content_types=("audit",)), None) is None


def test_a_key_of_another_cluster_is_questioned_not_refused(desk: Connectors) -> None:
    desk.create(connector("acme"), KEY)
    notice = desk.key_notice(connector("beta", cluster_id="beta_hosted"), Secret(CANARY))
    assert notice and not notice.fault and "acme_hosted" in notice.text


def test_a_fault_is_told_before_a_remark(desk: Connectors) -> None:
    desk.create(connector("one", content_types=("maillog",)), KEY)
    desk.create(connector("two", content_types=("message",)), KEY)
    notice = desk.key_notice(connector("three"), Secret(CANARY))
    assert notice and notice.fault and notice.text.startswith("two ")


def test_fingerprints_of_two_data_directories_say_nothing_of_each_other(tmp_path: Path) -> None:
    prints = []
    for place in ("a.db", "b.db"):
        ledger = Ledger(tmp_path / place)
        desk = Connectors(ledger, SessionVault(MemoryVault()))
        desk.create(connector(), KEY)
        prints.append((ledger.setting("key_print/acme"), profile_id(ledger), profile_id(ledger)))
        ledger.close()
    (one, profile, again), (two, other, _) = prints
    assert one != two and profile == again != other


# files


def write(path: Path, value: object) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


GOOD = {
    "name": "acme",
    "tenant": "Acme",
    "cluster_id": "acme_hosted",
    "content_types": ["message", "maillog"],
}


def test_a_file_defines_a_connector(tmp_path: Path) -> None:
    read = read_connector_file(write(tmp_path / "c.json", "\ufeff" + json.dumps(GOOD)))
    assert (read.name, read.collect_from, read.content_types) == ("acme", "7d", ("message", "maillog"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        "nul",
        '{"name": "a", "name": "b"}',
        '{"a": NaN}',
        '{"a": Infinity}',
        "{'a': 1}",
        '{"a": 1} {"b": 2}',
        '{"a":' * 65 + "1" + "}" * 65,
        "[" * 900_000,
        '{"a": ' + "9" * 10_000 + "}",
        '{"api_key": "x"}',
    ],
)
def test_a_file_that_is_no_strict_object_is_refused_in_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserFault) as caught:
        read_connector_file(write(tmp_path / "c.json", text))
    assert len(str(caught.value)) < 700


def test_a_file_as_deep_as_the_limit_is_read(tmp_path: Path) -> None:
    deep = '{"a":' * limits.JSON_DEPTH + '"[{\\"["' + "}" * limits.JSON_DEPTH
    assert read_json_file(write(tmp_path / "c.json", deep))


def test_a_files_size_is_bounded(tmp_path: Path) -> None:
    room = limits.CONNECTOR_FILE_BYTES - len('{"a":""}')
    assert read_json_file(write(tmp_path / "c.json", {"a": "x" * (room - 1)}))
    with pytest.raises(UserFault, match="larger"):
        read_json_file(write(tmp_path / "c.json", {"a": "x" * (room + 1)}))


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("a\0b"), Path("/dev/zero")):
        with pytest.raises(UserFault):
            read_json_file(path)
    (tmp_path / "latin").write_bytes(b'{"name": "\xe9"}')
    with pytest.raises(UserFault, match="UTF-8"):
        read_json_file(tmp_path / "latin")


def test_secrets_come_as_one_object() -> None:
    assert read_secrets(b' {"api_key": "Bearer k"} \n') == {"api_key": Secret("k")}


@pytest.mark.parametrize(
    "text",
    ["", "{}", CANARY, f'{{"{CANARY}": "x"}}', f'{{"api_key": ["{CANARY}"]}}', f'{{"api_key": "{CANARY} x"}}',
     f'{{"api_key": "a", "api_key": "{CANARY}"}}', f'{{"api_key": {CANARY}}}', '{"api_key": ' + "9" * 5_000 + "}"],
)  # fmt: skip
def test_what_is_no_secrets_object_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(UserFault) as caught:
        read_secrets(text.encode())
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca))
    assert check_ca_file(f"  {ca} ") == str(ca)
    assert check_ca_file("  ") == ""
    write(tmp_path / "not.pem", "hello")
    for wrong in (tmp_path, tmp_path / "not.pem", tmp_path / "none.pem", "a\0b", "x" * 10_000):
        with pytest.raises(UserFault) as caught:
            check_ca_file(str(wrong))
        assert caught.value.where == "ca_file"
