"""Collectors and responders made together, edited, copied, exported and imported; secrets never follow by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pace import quick
from pod_desktop.core.connector import SECOND_KEY, CollectConnector
from pod_desktop.core.definition import connector_to_file
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.responder import ALL_TENANTS, TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import FORGET, Connectors, Draft, all_four
from pod_desktop.store import Ledger
from pod_desktop.vault import FolderVault, SessionVault

KEY = {"api_key": Secret("canary-key-1")}
CLIENT = {"client_id": Secret("canary-id"), "client_secret": Secret("canary-secret")}


def collector(name: str = "acme", **changes: Any) -> CollectConnector:
    made = CollectConnector(name=name, tenant="Acme", cluster_id="acme_hosted", content_types=("message",))
    return replace(made, **changes)


def responder(name: str = "acme-block", **changes: Any) -> RespondConnector:
    made = RespondConnector(name=name, tenant=ALL_TENANTS, type=TYPES[0], cluster_id="acme_hosted")
    return replace(made, **changes)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path) -> Connectors:
    return Connectors(ledger, SessionVault(FolderVault(tmp_path / "secrets", writable=True)))


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "secrets").glob("[!.]*")}


class Failing(FolderVault):
    """A folder that takes so many secrets and then is full."""

    left = 100

    def put(self, *given: Any) -> None:
        if self.left == 0:
            raise Outage("The disk is full.", "secrets")
        self.left -= 1
        super().put(*given)


# making


def test_the_ledger_tells_the_kinds_apart(desk: Connectors, ledger: Ledger) -> None:
    desk.create(responder(), CLIENT)
    desk.create(collector(), KEY)
    assert [entry.connector.name for entry in ledger.connectors()] == ["acme-block", "acme"]
    assert [entry.connector for entry in ledger.collectors()] == [collector()]
    assert [entry.connector for entry in ledger.responders()] == [responder()]


def test_all_four_are_made_from_the_same_credentials(desk: Connectors, tmp_path: Path) -> None:
    made = desk.create_all_four(responder("acme"), CLIENT)
    assert [(one.name, one.type) for one in made] == list(
        zip(("acme-block", "acme-safe", "acme-unblock", "acme-unsafe"), TYPES, strict=True)
    )
    for one in made:
        assert desk.secrets(one) == CLIENT
        credentials = desk.credentials(one)
        assert credentials.client_secret == CLIENT["client_secret"]


@pytest.mark.parametrize("given", ["acme", "acme-block", "acme-unsafe", " acme-safe "])
def test_all_four_from_the_file_of_one_are_not_called_twice_what_they_do(given: str) -> None:
    names = [one.name for one in all_four(responder(given))]
    assert names == ["acme-block", "acme-safe", "acme-unblock", "acme-unsafe"]
    assert next(one.name for one in all_four(responder("-block"))) == "-block-block"


def test_names_of_all_four_fit_whatever_they_begin_with() -> None:
    names = {one.name for one in all_four(responder("x" * 128))}
    assert len(names) == 4 and max(map(len, names)) <= 128


def test_collecting_and_responding_are_made_together_or_not_at_all(desk: Connectors, tmp_path: Path) -> None:
    drafts = [Draft(connector=collector(), secrets=KEY)]
    drafts += [Draft(connector=one, secrets=CLIENT) for one in all_four(responder("acme"))]
    assert len(desk.create_all(drafts)) == 5 and len(desk.entries()) == 5
    with pytest.raises(UserFault, match="exists already"):
        desk.create_all([Draft(connector=responder("new"), secrets=CLIENT), *drafts])
    assert len(desk.entries()) == 5 and "new.client_id" not in files(tmp_path)


@pytest.mark.parametrize("fails_after", range(9))
def test_a_vault_that_fills_up_half_way_leaves_nothing(
    ledger: Ledger, tmp_path: Path, fails_after: int
) -> None:
    vault = Failing(tmp_path / "secrets", writable=True)
    vault.left = fails_after
    desk = Connectors(ledger, SessionVault(vault))
    drafts = [Draft(connector=collector(), secrets=KEY)]
    drafts += [Draft(connector=one, secrets=CLIENT) for one in all_four(responder("acme"))]
    with pytest.raises(Outage, match="full"):
        desk.create_all(drafts)
    assert desk.entries() == [] and files(tmp_path) == set()


def test_two_of_one_name_in_one_pass_are_refused(desk: Connectors) -> None:
    with pytest.raises(UserFault) as caught:
        desk.create_all([Draft(connector=collector("one")), Draft(connector=responder("ONE"))])
    assert caught.value.where == "name" and desk.entries() == []


@pytest.mark.parametrize(
    ("secrets", "where"),
    [
        ({"api_key": Secret("k")}, "api_key"),
        ({"client_id": Secret("a\x07b"), "client_secret": Secret("s")}, "client_id"),
        ({"client_id": Secret("i"), "client_secret": Secret("s" * 20_000)}, "client_secret"),
        ({"client_id": Secret(" "), "client_secret": Secret("s")}, "client_id"),
    ],
)
def test_credentials_that_cannot_be_are_refused(
    desk: Connectors, secrets: dict[str, Secret], where: str
) -> None:
    with pytest.raises(UserFault) as caught:
        desk.create(responder(), secrets)
    assert caught.value.where == where and desk.entries() == []


# editing


def test_an_edit_keeps_the_secrets_where_they_go_to_the_same_place(desk: Connectors) -> None:
    made = desk.create(responder(), CLIENT)
    assert not desk.unbinds(replace(made, cluster_id="other_hosted"))
    edited = desk.edit(replace(made, cluster_id=" other_hosted "))
    assert edited.cluster_id == "other_hosted" and desk.secrets(edited) == CLIENT


ELSEWHERE = [
    {"hostname": "api.example"}, {"hostname": "threatprotection-api.proofpoint.com:8443"},
    {"token_url": "https://auth.example/v1/token"}, {"protocol": "HTTP"}, {"verify_tls": False},
]  # fmt: skip


@pytest.mark.parametrize("change", ELSEWHERE)
def test_an_edit_that_goes_elsewhere_asks_for_the_secrets_again(
    desk: Connectors, change: dict[str, Any]
) -> None:
    made = desk.create(responder(), CLIENT)
    moved = replace(made, **change)
    assert desk.unbinds(moved)
    with pytest.raises(UserFault) as caught:
        desk.edit(moved)
    assert caught.value.where == "client_id" and "canary" not in str(caught.value)
    with pytest.raises(UserFault) as caught:
        desk.edit(moved, {"client_id": Secret("new")})
    assert caught.value.where == "client_secret"
    assert desk.entries()[0].connector == made and desk.secrets(made) == CLIENT
    new = {"client_id": Secret("new-id"), "client_secret": Secret("new-secret")}
    assert desk.secrets(desk.edit(moved, new)) == new
    with pytest.raises(UserFault):
        desk.secrets(made)


def test_a_collector_that_goes_elsewhere_asks_for_its_key_again(desk: Connectors) -> None:
    made = desk.create(collector(), KEY)
    moved = replace(made, stream_url="wss://log.example:443")
    with pytest.raises(UserFault) as caught:
        desk.edit(moved)
    assert caught.value.where == "api_key"
    desk.edit(moved, KEY)


BOTH = {**KEY, SECOND_KEY: Secret("canary-key-2")}


def kept(desk: Connectors, made: CollectConnector) -> Secret | None:
    return desk.vault.get(made.name, SECOND_KEY, made.secret_origin())


def test_a_collector_that_goes_elsewhere_asks_for_its_second_key_too(desk: Connectors) -> None:
    made = desk.create(collector(), BOTH)
    moved = replace(made, stream_url="wss://log.example:443")
    for given in (None, {SECOND_KEY: Secret("new")}):
        with pytest.raises(UserFault) as caught:
            desk.edit(moved, given)
        assert caught.value.where == "api_key"
    with pytest.raises(UserFault, match="Second API Key was saved for the old") as caught:
        desk.edit(moved, {"api_key": Secret("new")})
    assert caught.value.where == SECOND_KEY and "or remove it" in caught.value.hint
    assert desk.entries()[0].connector == made and desk.secrets(made) == KEY and kept(desk, made)
    new = {"api_key": Secret("new"), SECOND_KEY: Secret("new-too")}
    assert kept(desk, desk.edit(moved, new)) == new[SECOND_KEY]


def test_without_its_second_key_a_collector_may_go_elsewhere(desk: Connectors, tmp_path: Path) -> None:
    made = desk.create(collector(), BOTH)
    moved = replace(made, stream_url="wss://log.example:443")
    desk.edit(moved, {"api_key": Secret("new")}, forget=[SECOND_KEY])
    assert files(tmp_path) == {"acme.api_key"} and desk.optional_secrets_kept("acme") == ()


def test_a_second_key_is_removed_and_the_service_is_told(desk: Connectors, ledger: Ledger) -> None:
    made = desk.create(collector(), BOTH)
    assert desk.optional_secrets_kept("ACME") == (SECOND_KEY,)
    assert desk.edit(made, forget=[SECOND_KEY]) == made
    assert kept(desk, made) is None and desk.secrets(made) == KEY
    (command,) = ledger.take_commands()
    assert (command.name, command.args) == (FORGET, {"connector": "acme", "secret": SECOND_KEY})
    with pytest.raises(UserFault, match="cannot be without its API Key"):
        desk.edit(made, forget=["api_key"])
    assert desk.secrets(made) == KEY


def test_a_second_key_stays_where_its_removal_fails(
    desk: Connectors, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.create(collector(), BOTH)

    def full(*_: object, **__: object) -> None:
        raise Outage("The disk is full.")

    monkeypatch.setattr(ledger, "update_connector", full)
    with pytest.raises(Outage):
        desk.edit(made, forget=[SECOND_KEY])
    assert kept(desk, made) == BOTH[SECOND_KEY]


@pytest.mark.parametrize(("change", "where"), [({"tenant": "Other"}, "tenant"), ({"type": TYPES[1]}, "type")])
def test_what_general_holds_cannot_be_changed(desk: Connectors, change: dict[str, Any], where: str) -> None:
    made = desk.create(responder(), CLIENT)
    with pytest.raises(UserFault, match="cannot be changed") as caught:
        desk.edit(replace(made, **change))
    assert caught.value.where == where and desk.entries()[0].connector == made


def test_an_edit_of_another_name_or_kind_finds_nothing_to_edit(desk: Connectors) -> None:
    desk.create(responder("one"), CLIENT)
    with pytest.raises(UserFault, match="no connector named"):
        desk.edit(responder("two"))
    with pytest.raises(UserFault, match="Category cannot be changed"):
        desk.edit(collector("one"))


def test_an_edit_that_fails_leaves_the_old_secrets(
    desk: Connectors, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.create(responder(), CLIENT)

    def full(*_: object, **__: object) -> None:
        raise Outage("The disk is full.")

    monkeypatch.setattr(ledger, "update_connector", full)
    new = {"client_id": Secret("new-id"), "client_secret": Secret("new-secret")}
    with pytest.raises(Outage):
        desk.edit(replace(made, hostname="api.example"), new)
    assert desk.secrets(made) == CLIENT and desk.entries()[0].connector == made


def test_the_key_rules_hold_for_edits_and_for_enabling_too(desk: Connectors) -> None:
    desk.create(collector("one"), KEY)
    two = desk.create(collector("two", content_types=("maillog",)), KEY)
    with pytest.raises(UserFault) as caught:
        desk.edit(replace(two, content_types=("message", "maillog")))
    assert caught.value.where == "content_types" and "one already collects Message" in caught.value.what
    with pytest.raises(UserFault) as caught:
        desk.edit(two, KEY | {"client_id": Secret("x")})
    desk.disable("one")
    desk.edit(replace(two, content_types=("message",)))
    with pytest.raises(UserFault, match="two already collects"):
        desk.enable("one")
    desk.disable("two")
    desk.enable("one")


# copies and files


def test_a_duplicate_is_disabled_and_without_secrets(desk: Connectors) -> None:
    desk.create(responder(), CLIENT)
    copy = desk.duplicate("ACME-block")
    assert copy == responder("acme-block-copy") and desk.missing_secrets(copy.name) == (
        "client_id",
        "client_secret",
    )
    assert not desk.entry(copy.name).enabled
    assert desk.duplicate("acme-block").name == "acme-block-copy-2"
    assert desk.duplicate("acme-block", "beta", tenant="Beta").tenant == "Beta"
    with pytest.raises(UserFault, match="exists already"):
        desk.duplicate("acme-block", "beta")


@pytest.mark.parametrize("made", [collector(), responder(protocol="HTTP", hostname="127.0.0.1:8080")])
def test_an_export_holds_no_secret_and_comes_back_disabled(
    desk: Connectors, tmp_path: Path, made: CollectConnector | RespondConnector
) -> None:
    desk.create(made, KEY if isinstance(made, CollectConnector) else CLIENT)
    exported = desk.export(made.name)
    assert b"canary" not in exported and json.loads(exported) == connector_to_file(made)
    desk.remove(made.name)
    path = tmp_path / "exported.json"
    path.write_bytes(exported)
    assert desk.import_file(path) == made
    (entry,) = desk.entries()
    assert not entry.enabled and len(desk.missing_secrets(made.name)) == (1 if made.content_types else 2)
    desk.set_secrets(made.name, KEY if isinstance(made, CollectConnector) else CLIENT)
    assert desk.missing_secrets(made.name) == ()


def test_an_import_under_a_taken_name_is_refused(desk: Connectors, tmp_path: Path) -> None:
    desk.create(responder(), CLIENT)
    path = tmp_path / "exported.json"
    path.write_bytes(desk.export("acme-block"))
    with pytest.raises(UserFault, match="exists already"):
        desk.import_file(path)


def test_an_import_that_changes_the_host_does_not_inherit_a_secret(desk: Connectors, tmp_path: Path) -> None:
    desk.create(responder(), CLIENT)
    exported = json.loads(desk.export("acme-block"))
    desk.remove("acme-block", keep_secrets=True)
    path = tmp_path / "evil.json"
    path.write_text(json.dumps(exported | {"hostname": "evil.example"}))
    desk.import_file(path)
    assert desk.missing_secrets("acme-block") == ("client_id", "client_secret")
    with pytest.raises(UserFault, match="was saved for"):
        desk.secrets(desk.entry("acme-block").connector)


GOOD = json.dumps(connector_to_file(responder()))
BAD_FILES = {
    "unknown key": GOOD.replace("{", '{"colour": "red", ', 1),
    "secret in it": GOOD.replace("{", '{"client_secret": "canary", ', 1),
    "key twice": GOOD.replace("{", '{"name": "other", ', 1),
    "deep": GOOD.replace("{", '{"ca_file": ' + "[" * 100_000 + "]" * 100_000 + ", ", 1),
    "no object": "[]",
    "no json": GOOD[:-3],
    "nan": GOOD.replace('"verify_tls": true', '"verify_tls": NaN'),
    "wrong type": GOOD.replace('"verify_tls": true', '"verify_tls": "true"'),
    "scheme in hostname": GOOD.replace("threatprotection-api", "https://threatprotection-api"),
    "category": GOOD.replace('"webhook"', '"telephone"'),
    "category no text": GOOD.replace('"webhook"', "[1]"),
    "type": GOOD.replace("Add to", "Forget"),
    "surrogate": GOOD.replace("acme_hosted", "\\ud800"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_file_that_does_not_fit_makes_nothing(desk: Connectors, tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(BAD_FILES[what])
    with pytest.raises(UserFault) as caught:
        desk.import_file(path)
    assert caught.value.what and "canary" not in str(caught.value) and len(str(caught.value)) < 1_000
    assert desk.entries() == []


def test_a_file_of_100_mb_is_refused_at_once(desk: Connectors, tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with quick(0.1), pytest.raises(UserFault, match="larger than"):
        desk.import_file(path)


def test_removing_a_responder_takes_both_secrets_and_its_status(desk: Connectors, tmp_path: Path) -> None:
    desk.create(responder(), CLIENT)
    assert files(tmp_path) == {"acme-block.client_id", "acme-block.client_secret"}
    desk.remove("acme-block")
    assert files(tmp_path) == set() and desk.entries() == []
