"""Verdicts: every failure has a rule, words and a pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core.status import STOPPED_FAULT, WAITING
from pod_desktop.stream import HEALTHY_SECONDS, Attempts, delay, verdict
from pod_desktop.stream.verdict import CODES, SLOW, of, of_close, of_status


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 410, 418])
def test_what_a_person_must_mend_is_said_and_tried_slowly(status: int) -> None:
    found = of_status(status)
    assert (found.state, found.code) == (STOPPED_FAULT, str(status))
    assert found.what and found.hint
    assert 240 <= delay(found, 0, 0.0) <= delay(found, 50, 1.0) <= 300


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 599])
def test_what_passes_by_itself_is_waited_out(status: int) -> None:
    found = of_status(status)
    assert (found.state, found.code) == (WAITING, str(status))
    assert delay(found, 50, 1.0) <= 120


def test_401_names_all_three_things_that_it_may_mean() -> None:
    hint = of_status(401).hint
    assert "API key" in hint and "Cluster ID" in hint and "Remote Syslog" in hint


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "configuration"),
        (403, "permission"),
        (404, "Stream address"),
        (409, "own API key"),
        (429, "quotas"),
    ],
)
def test_each_status_says_what_to_check(status: int, word: str) -> None:
    assert word in of_status(status).hint


def test_409_quotes_the_service_and_waits_2_to_60_seconds() -> None:
    found = of_status(
        409, {"Content-Type": "text/plain"}, b"Exceeded maximum number of sessions per token\r\n"
    )
    assert "“Exceeded maximum number of sessions per token”" in found.what
    assert delay(found, 0, 0.0) == 2
    assert [delay(found, attempt, 1.0) for attempt in range(6)] == [4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_a_fault_and_not_a_way(status: int) -> None:
    found = of_status(status, {"Location": "wss://evil.example/"})
    assert (found.state, found.code) == (STOPPED_FAULT, str(status))
    assert "never followed" in found.what


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"Content-Type": "text/html; charset=utf-8"}, b"hi"), ({}, b" <!DOCTYPE html><p>"), ({}, b"<HTML>")],
)
def test_a_web_page_points_at_a_proxy_and_is_not_quoted(headers: dict[str, str], body: bytes) -> None:
    assert of_status(200, headers, body).code == "proxy_page"
    behind = of_status(403, headers, body)
    assert "proxy" in behind.hint and "It says" not in behind.what


def test_200_without_a_page_is_no_websocket() -> None:
    assert of_status(200).code == "not_websocket"


@pytest.mark.parametrize(("text", "seconds"), [("17", 17), ("999999", 3600), ("soon", 0), ("-5", 0), ("", 0)])
def test_retry_after_is_obeyed_within_bounds(text: str, seconds: float) -> None:
    found = of_status(429, {"retry-after": text})
    assert found.at_least == seconds
    assert delay(found, 0, 0.0) >= seconds


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 1014])
def test_every_close_code_is_followed_by_another_try(code: int) -> None:
    found = of_close(code)
    assert (found.state, found.code) == (WAITING, str(code))
    assert found.what and found.hint


def test_a_drop_without_a_close_frame_is_1006_and_retried_soon() -> None:
    assert of_close(None).code == "1006"
    assert delay(of_close(None), 0, 1.0) <= 1


def test_1008_needs_a_person() -> None:
    assert of_close(1008, "key revoked").state == STOPPED_FAULT
    assert "“key revoked”" in of_close(1008, "key revoked").what


def test_1009_has_a_pace_of_its_own() -> None:
    assert delay(of_close(1009), 0, 0.0) >= 5
    assert delay(of_close(1009), 9, 1.0) == 300


def test_an_unknown_close_code_is_named() -> None:
    found = of_close(4001, "bye")
    assert found.code == "4001" and "(4001)" in found.what and "“bye”" in found.what


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_words_and_a_state(code: str) -> None:
    rule = of(code)
    assert rule.state in (WAITING, STOPPED_FAULT)
    assert rule.what.endswith(".") and rule.hint.endswith(".")
    assert (rule.state == STOPPED_FAULT) == (rule.backoff == SLOW)


def test_a_servers_words_are_one_short_printable_line() -> None:
    text = verdict.outside("a\r\n\x1b[31m\u202eb" + "x" * 1000)
    assert text.startswith("a \ufffd[31m\ufffdb") and len(text) == verdict.OUTSIDE_CHARS
    assert text.isprintable()


@given(st.sampled_from(CODES), st.integers(0, 10_000), st.floats(0, 1))
def test_a_delay_stays_between_its_least_and_most(code: str, attempt: int, chance: float) -> None:
    rule = of(code)
    assert rule.backoff.least <= delay(rule, attempt, chance) <= rule.backoff.most


@given(st.integers(100, 999), st.binary(max_size=300), st.text(max_size=50))
def test_any_answer_becomes_a_verdict(status: int, body: bytes, content_type: str) -> None:
    found = of_status(status, {"content-type": content_type}, body)
    assert found.state in (WAITING, STOPPED_FAULT) and found.what and found.hint


def test_only_a_minute_of_health_begins_the_back_off_anew() -> None:
    attempts = Attempts()
    assert [attempts.failed(0), attempts.failed(HEALTHY_SECONDS - 1), attempts.failed(30)] == [0, 1, 2]
    assert attempts.failed(HEALTHY_SECONDS) == 0
    assert attempts.failed(0) == 1
    attempts.forget()
    assert attempts.failed(0) == 0
