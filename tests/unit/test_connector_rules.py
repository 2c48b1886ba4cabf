"""The rules of connector values: what is cleaned, what is refused, and in which words."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core import limits
from pod_desktop.core.connector import (
    CollectConnector,
    api_key_notes,
    check_api_key,
    check_cluster_id,
    check_collect_from,
    check_name,
    check_stream_url,
    check_tenant,
    from_file,
    full_address,
    suggest_name,
    to_file,
)
from pod_desktop.core.faults import UserFault

NOW = 1_764_000_000_000_000


def connector(**changes: object) -> CollectConnector:
    values = {"name": "acme", "tenant": "Acme", "cluster_id": "acme_hosted", "content_types": ("message",)}
    return CollectConnector(**(values | changes))  # type: ignore[arg-type]


def token(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


@pytest.mark.parametrize(
    "name",
    ["", "   ", "müller", "名前", "a\u200bb", "a\nb", "a\tb", "🔑", "a/b", "a\\b", "n" * 129, "n" * 10_000],
)
def test_a_name_that_does_not_fit_is_refused_in_few_words(name: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_name(name)
    assert caught.value.where == "name"
    assert len(str(caught.value)) < 300


def test_a_multibyte_name_is_told_which_character_and_that_ascii_is_wanted() -> None:
    with pytest.raises(UserFault, match=r"“ü” \(U\+00FC\).*no multibyte"):
        check_name("müller")


def test_a_taken_name_is_refused_whatever_its_case() -> None:
    with pytest.raises(UserFault, match="exists already"):
        check_name("ACME", ["acme"])


def test_a_name_of_the_greatest_length_is_taken() -> None:
    assert check_name(" " + "n" * limits.NAME_CHARS + " ") == "n" * limits.NAME_CHARS


@pytest.mark.parametrize(
    ("tenant", "name"),
    [
        ("acme", "acme-proofpoint-on-demand"),
        ("Acme Corp.", "acme-corp.-proofpoint-on-demand"),
        ("Müller & Söhne", "muller-sohne-proofpoint-on-demand"),
        ("株式会社", "proofpoint-on-demand"),
        ("", "proofpoint-on-demand"),
    ],
)
def test_a_name_is_suggested_from_tenant_and_type(tenant: str, name: str) -> None:
    assert suggest_name(tenant) == name


@given(st.text(max_size=300), st.integers(0, 3))
def test_a_suggested_name_always_fits(tenant: str, used: int) -> None:
    taken: list[str] = []
    for _ in range(used):
        taken.append(suggest_name(tenant, taken))
    name = suggest_name(tenant, taken)
    assert check_name(name, taken) == name


@pytest.mark.parametrize("tenant", ["", " ", "a\nb", "a\u202eb", "t" * 129])
def test_a_tenant_that_does_not_fit_is_refused(tenant: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_tenant(tenant)
    assert caught.value.where == "tenant"


def test_a_tenant_may_be_of_any_language() -> None:
    assert check_tenant(" 株式会社 Müller ") == "株式会社 Müller"


@pytest.mark.parametrize("cluster", ["", " ", "a b", "é", "a\u200bb", "c" * 129, "c" * 10_000, "a\nb"])
def test_a_cluster_id_that_does_not_fit_is_refused(cluster: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_cluster_id(cluster)
    assert caught.value.where == "cluster_id"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "pasted",
    ["KEY", " KEY ", "\nKEY\r\n", '"KEY"', "'KEY'", "`KEY`", "Bearer KEY", 'bearer   KEY', '"Bearer KEY"',
     "Authorization: Bearer KEY", "Authorization:Bearer\tKEY", "\u00a0KEY\u3000"],
)  # fmt: skip
def test_what_copying_brings_along_is_taken_off_a_key(pasted: str) -> None:
    assert check_api_key(pasted) == "KEY"


@pytest.mark.parametrize(
    "pasted",
    ["", "  ", '""', "Bearer ", "can ary", "can\nary", "can\r\nX-Evil: ary", "canaryé", "canary\u200b1", "canary\0x",
     "“canary”", "canary🔑", "c" * (limits.SECRET_CHARS + 1)],
)  # fmt: skip
def test_a_key_that_cannot_be_one_is_refused_without_a_word_of_it(pasted: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_api_key(pasted)
    assert caught.value.where == "api_key"
    assert "can" not in str(caught.value).replace("cannot", "")
    assert len(str(caught.value)) < 200


def test_a_key_of_the_greatest_length_is_taken() -> None:
    assert check_api_key("k" * limits.SECRET_CHARS) == "k" * limits.SECRET_CHARS


def test_what_is_taken_off_a_key_is_told() -> None:
    assert api_key_notes("KEY", NOW) == ()
    assert any("Blanks" in note for note in api_key_notes("KEY\n", NOW))
    assert any("Bearer" in note for note in api_key_notes("Bearer KEY", NOW))


def test_an_expired_token_is_named_with_its_day() -> None:
    (note,) = api_key_notes(token(exp=1_700_000_000), NOW)
    assert "expired on 2023-11-14" in note
    assert api_key_notes(token(exp=1_900_000_000), NOW) == ()


@pytest.mark.parametrize(
    "claims",
    [{"exp": True}, {"exp": "1"}, {"exp": -1}, {"exp": 1e300}, {"exp": None}, {}, {"exp": float("nan")}],
)
def test_an_odd_token_is_a_key_like_others(claims: dict[str, object]) -> None:
    assert api_key_notes(token(**claims), NOW) == ()


@given(st.text(max_size=200))
def test_no_pasted_text_breaks_the_notes(text: str) -> None:
    api_key_notes(text, NOW)
    api_key_notes(f"a.{text}.c", NOW)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("", "wss://logstream.proofpoint.com:443"),
        (" WSS://LogStream.Example.COM ", "wss://logstream.example.com"),
        ("wss://a.example:8443/v1/stream", "wss://a.example:8443"),
        ("wss://a.example/", "wss://a.example"),
        ("ws://127.0.0.1:9000", "ws://127.0.0.1:9000"),
        ("ws://127.8.8.8:9000", "ws://127.8.8.8:9000"),
        ("ws://[::1]:9000", "ws://[::1]:9000"),
        ("ws://localhost", "ws://localhost"),
        ("wss://bücher.example", "wss://xn--bcher-kva.example"),
    ],
)
def test_a_stream_address_is_cleaned(url: str, kept: str) -> None:
    assert check_stream_url(url) == kept
    assert check_stream_url(kept) == kept


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "a.example", "wss://", "wss:///v1/stream", "wss://a.example:0", "wss://a.example:65536",
     "wss://a.example:x", "wss://user@a.example", "wss://user:pw@a.example", "wss://a.example?x=1", "wss://a.example#f",
     "wss://a.example/other", "ws://a.example", "ws://127.0.0.1.evil.example", "ws://localhost.evil.example",
     "wss://exa mple.com", "wss://exa\nmple.com", "wss://a.example\\@b.example", "wss://[::1", "wss://a..example",
     "wss://" + "a" * 10_000, "wss://-", "wss://a<b>.example", "wss://%61.example"],
)  # fmt: skip
def test_a_stream_address_that_is_none_is_refused_in_few_words(url: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_stream_url(url)
    assert caught.value.where == "stream_url"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["31d", "x", "7", "-7d", "7 days ago", "x" * 10_000, "99999999999d"])
def test_a_start_that_is_no_time_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(UserFault) as caught:
        check_collect_from(text)
    assert caught.value.where == "collect_from"
    assert len(str(caught.value)) < 300


def test_the_longest_start_is_what_the_archive_holds() -> None:
    assert check_collect_from(f"{limits.ARCHIVE_DAYS}d") == "30d"


def test_a_secret_is_bound_to_where_it_is_sent_and_whom_is_trusted() -> None:
    base = connector().secret_origin()
    assert base == connector(stream_url="wss://logstream.proofpoint.com").secret_origin()
    assert base == connector(name="other", cluster_id="other").secret_origin()
    for changed in (
        connector(stream_url="wss://logstream.proofpoint.com:8443"),
        connector(stream_url="wss://logstream.example.com"),
        connector(ca_file="/tmp/ca.pem"),
    ):
        assert changed.secret_origin() != base


def test_a_full_address_names_the_port_that_the_scheme_implies() -> None:
    assert full_address("wss://A.example") == "wss://a.example:443"
    assert full_address("ws://[::1]") == "ws://[::1]:80"


def test_a_file_gives_back_the_connector() -> None:
    one = connector(collect_from="3d", ca_file="/x.pem", stream_url="wss://a.example:1")
    assert from_file(to_file(one)) == one


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"api_key": "k"}, "api_key"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"content_types": "message"}, "content_types"),
        ({"content_types": []}, "content_types"),
        ({"content_types": ["mail"]}, "content_types"),
        ({"content_types": [["message"]]}, "content_types"),
        ({"category": "webhook"}, "category"),
        ({"type": "other"}, "type"),
        ({"run_on": "mars"}, "run_on"),
        ({"log_filters": [" "]}, "log_filters"),
        ({"proxy": "socks5://p:1"}, "proxy"),
        ({"proxy": "http://u:p@proxy:3128"}, "proxy"),
        ({"proxy": "http://proxy"}, "proxy"),
        ({"backfill_order": "random"}, "backfill_order"),
        ({"reconcile": "yes"}, "reconcile"),
        ({"x" * 5_000: 1}, "x" * 80),
    ],
)
def test_a_file_value_that_does_not_fit_is_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(UserFault) as caught:
        from_file(to_file(connector()) | change)
    assert caught.value.where == where
    assert len(str(caught.value)) < 500
