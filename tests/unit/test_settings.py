"""Settings: each declared once, checked on the way in and out; tenants named, renamed, kept while in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core import settings as declared
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import ALL_TENANTS, TYPES, RespondConnector
from pod_desktop.core.settings import CHOICE, KEYS, SETTINGS, TENANTS
from pod_desktop.services.settings import Settings
from pod_desktop.store import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def settings(ledger: Ledger) -> Settings:
    return Settings(ledger)


def add(ledger: Ledger, name: str, tenant: str) -> None:
    made = CollectConnector(name=name, tenant=tenant, cluster_id="acme_hosted", content_types=("message",))
    ledger.add_connector(made, now=1)


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_is_explained_and_its_default_fits(key: str, settings: Settings) -> None:
    one = SETTINGS[key]
    assert one.title and one.help.endswith(".")
    assert one.check(one.default) == one.default == settings.get(key)
    assert bool(one.choices) == (one.type == CHOICE)
    assert one.words(one.default)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("theme", " Dark ", "dark"), ("notifications", "off", False), ("retention_days", "90", 90),
        ("own_domains", "@Acme.Example, *.bücher.example\n acme.example", ["acme.example", "xn--bcher-kva.example"]),
        ("protected_values", "CEO@acme.example,192.0.2.1", ["ceo@acme.example", "192.0.2.1"]),
        ("tenants", "Acme,acme, Beta", ["Acme", "Beta"]), ("tenants", "", []),
        ("shortcuts", '{"Block sender": "Ctrl+B"}', {"Block sender": "Ctrl+B"}),
        ("proxy", " http://Proxy.example:3128 ", "http://proxy.example:3128"), ("proxy", "none", ""),
    ],
)  # fmt: skip
def test_a_value_as_typed_is_cleaned_and_kept(settings: Settings, key: str, text: str, value: Any) -> None:
    assert settings.set(key, SETTINGS[key].parse(text)) == value
    assert settings.get(key) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("theme", "pink"), ("notifications", "perhaps"), ("retention_days", "-1"), ("retention_days", "1e3"),
        ("retention_gb", "99999999"), ("own_domains", "com"), ("own_domains", "a b.example"),
        ("protected_values", "two words"), ("tenants", "All Tenants"), ("tenants", "x" * 10_000),
        ("shortcuts", "{"), ("shortcuts", "[" * 100_000), ("shortcuts", '{"A": "Ctrl+B", "B": "ctrl+b"}'),
        ("proxy", "https://proxy.example:3128"), ("proxy", "http://me:word@proxy.example:1"), ("proxy", "proxy"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(settings: Settings, key: str, text: str) -> None:
    with pytest.raises(UserFault) as caught:
        settings.set(key, SETTINGS[key].parse(text))
    assert caught.value.where == key and len(str(caught.value)) < 1_000
    assert settings.get(key) == SETTINGS[key].default


def test_an_unknown_setting_is_answered_with_the_known_ones(settings: Settings) -> None:
    for call in (settings.get, settings.reset, lambda key: settings.set(key, 1)):
        with pytest.raises(UserFault, match="theme"):
            call("colour")


def test_what_another_version_kept_and_this_one_does_not_know_is_the_default(
    settings: Settings, ledger: Ledger
) -> None:
    ledger.set_setting("theme", "sepia")
    ledger.set_setting("retention_days", {"days": 3})
    assert settings.get("theme") == "system" and settings.get("retention_days") == 30
    settings.set("theme", "dark")
    assert settings.reset("theme") == "system" == settings.get("theme")


def test_a_default_is_nobodys_to_change(settings: Settings) -> None:
    settings.get("own_domains").append("evil.example")
    assert settings.get("own_domains") == []


@given(st.sampled_from(sorted(SETTINGS)), st.text(max_size=200))
def test_any_text_is_a_value_or_a_fault_of_the_user(key: str, text: str) -> None:
    one = SETTINGS[key]
    where, value = key, one.default
    try:
        value = one.parse(text)
    except UserFault as fault:
        where = fault.where
    assert where == key and one.check(value) == value and isinstance(one.words(value), str)
    assert one.type != KEYS or all(isinstance(keys, str) for keys in value.values())


def test_what_guards_judge_by_is_what_was_set(settings: Settings) -> None:
    settings.set("own_domains", ["acme.example"])
    settings.set("protected_values", ["ceo@partner.example"])
    around = settings.surroundings()
    assert around.own_domains == {"acme.example"} and around.protected == {"ceo@partner.example"}


# tenants


def test_tenants_are_those_named_and_those_in_use(settings: Settings, ledger: Ledger) -> None:
    settings.set(TENANTS, ["Gamma", "beta"])
    add(ledger, "one", "Alpha")
    add(ledger, "two", "Beta")
    everyone = RespondConnector(name="block", tenant=ALL_TENANTS, type=TYPES[0], cluster_id="acme_hosted")
    ledger.add_connector(everyone, now=1)
    assert ledger.tenants() == ["Alpha", "beta", "Gamma"]


def test_a_tenant_is_added_once_and_removed_while_nobody_uses_it(settings: Settings, ledger: Ledger) -> None:
    assert settings.add_tenant(" Acme ") == "Acme"
    with pytest.raises(UserFault, match="already"):
        settings.add_tenant("ACME")
    add(ledger, "one", "Acme")
    for attempt in (lambda: settings.remove_tenant("acme"), lambda: settings.set(TENANTS, [])):
        with pytest.raises(UserFault, match="tenant of one"):
            attempt()
    ledger.remove_connector("one")
    settings.remove_tenant("acme")
    assert ledger.tenants() == []
    with pytest.raises(UserFault, match="no tenant"):
        settings.remove_tenant("acme")


def test_renaming_a_tenant_changes_its_connectors_and_says_what_it_does_not_change(
    settings: Settings, ledger: Ledger
) -> None:
    settings.set(TENANTS, ["Acme", "Beta"])
    add(ledger, "one", "Acme")
    add(ledger, "two", "Beta")
    renamed = settings.rename_tenant("acme", "Acme Inc")
    assert renamed.connectors == ("one",) and "keep the old name" in renamed.note
    assert ledger.tenants() == ["Acme Inc", "Beta"]
    assert ledger.connector("one").connector.tenant == "Acme Inc"
    assert ledger.connector("two").connector.tenant == "Beta"
    with pytest.raises(UserFault, match="already"):
        settings.rename_tenant("Acme Inc", "beta")
    with pytest.raises(UserFault, match="no tenant"):
        settings.rename_tenant("Nobody", "Somebody")
    settings.rename_tenant("Acme Inc", "ACME INC")
    assert ledger.tenants() == ["ACME INC", "Beta"]


def test_domains_and_protected_values_are_told_in_words() -> None:
    for check in (declared.check_domain, declared.check_protected):
        with pytest.raises(UserFault) as caught:
            check("  ")
        assert caught.value.hint
