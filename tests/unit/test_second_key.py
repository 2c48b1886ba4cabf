"""The second API key of a collector: optional, checked like the first, and never the same."""

from __future__ import annotations

import pytest

from pod_desktop.core.connector import PROXY_WARNING, CollectConnector
from pod_desktop.core.definition import check_secret, optional_secrets, secret_names, warnings
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.services import connector_secrets
from pod_desktop.vault import MemoryVault

CONNECTOR = CollectConnector(name="acme", tenant="acme", cluster_id="acme_hosted", content_types=("message",))


def test_it_is_taken_beside_the_first_and_nobody_has_to_give_it() -> None:
    assert secret_names(CONNECTOR) == ("api_key",) and optional_secrets(CONNECTOR) == ("api_key_2",)
    given = {"api_key": Secret("first-key"), "api_key_2": Secret(" Bearer second-key ")}
    checked = connector_secrets.checked(CONNECTOR, given)
    assert checked["api_key_2"].reveal() == "second-key"
    vault = MemoryVault()
    vault.put("acme", "api_key", CONNECTOR.secret_origin(), checked["api_key"])
    assert connector_secrets.missing(vault, CONNECTOR) == ()


def test_the_same_key_twice_is_refused_without_showing_it() -> None:
    with pytest.raises(UserFault) as caught:
        connector_secrets.checked(CONNECTOR, {"api_key": Secret("one-key"), "api_key_2": Secret("one-key")})
    assert caught.value.where == "api_key_2" and "one-key" not in str(caught.value)


def test_what_is_wrong_with_it_is_said_of_it() -> None:
    with pytest.raises(UserFault) as caught:
        check_secret("api_key_2", "two keys")
    assert caught.value.where == "api_key_2"


def test_a_proxy_is_warned_of_as_long_as_it_is_there() -> None:
    from dataclasses import replace

    assert warnings(CONNECTOR) == ()
    assert warnings(replace(CONNECTOR, proxy="http://proxy:3128")) == (PROXY_WARNING,)
