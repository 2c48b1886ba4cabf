"""Tests of connectors against the simulator: every answer is a report in words, nothing is stolen or shown."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from trying import CANARY, certificate, client, collector, key, responder, run, states_of, until

from pod_desktop.core.http_words import CODES, http_words
from pod_desktop.core.secret import Secret
from pod_desktop.services import testing
from pod_desktop.simulator import Simulator, faults
from pod_desktop.simulator.api import HANG_AFTER_READ, RESET_AFTER_READ
from pod_desktop.simulator.http1 import Reply

# collectors


def test_a_collector_that_can_collect_passes_every_step() -> None:
    async def story(sim: Simulator) -> None:
        seen: list[Any] = []
        report = await testing.try_connector(collector(sim), key(sim), on_step=seen.append)
        assert states_of(report) == [
            ("Resolve host", True), ("Connect", True), ("Authorise Message", True), ("Authorise Mail Log", True),
        ]  # fmt: skip
        assert report.ok and report.code == "" and report.recommendation == ""
        assert tuple(seen) == report.steps
        assert "101" in report.exchange and sim.api_keys[0] not in report.exchange
        await until(lambda: not sim.open_sessions)

    run(story)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 409, 429, 500, 502, 503, 418, 511])
def test_each_status_of_the_stream_is_a_failed_step_with_a_recommendation(status: int) -> None:
    async def story(sim: Simulator) -> None:
        sim.faults.next_handshakes(faults.answer(status), kind="message")
        report = await testing.try_connector(collector(sim), key(sim))
        assert not report.ok and report.code == str(status)
        assert str(status) in report.summary and report.recommendation
        assert states_of(report)[-2:] == [("Authorise Message", False), ("Authorise Mail Log", True)]
        assert f"HTTP/1.1 {status}" in report.exchange

    run(story)


def test_a_wrong_key_names_key_cluster_and_licence() -> None:
    async def story(sim: Simulator) -> None:
        report = await testing.try_connector(collector(sim), {"api_key": Secret(CANARY)})
        assert report.code == "401"
        for word in ("API key", "Cluster ID", "Remote Syslog"):
            assert word in report.recommendation

    run(story)


def test_a_session_of_somebody_else_is_explained() -> None:
    async def story(sim: Simulator) -> None:
        from websockets.asyncio.client import connect

        url = f"{sim.stream_url}/v1/stream?cid={sim.cluster_id}&type=message"
        async with connect(
            url, additional_headers={"Authorization": f"Bearer {sim.api_keys[0]}"}, proxy=None
        ):
            await until(lambda: sim.open_sessions)
            report = await testing.try_connector(collector(sim), key(sim))
            assert report.code == "409" and "another collector uses the same key" in report.recommendation
            assert (0, "message", False) in sim.open_sessions

    run(story)


def test_a_page_of_a_proxy_is_called_one_and_its_html_is_not_a_sentence() -> None:
    async def story(sim: Simulator) -> None:
        sim.faults.always = faults.proxy_page(200)
        report = await testing.try_connector(collector(sim), key(sim))
        assert report.code == "proxy_page" and "proxy" in report.recommendation
        assert "<script>" not in report.summary

    run(story)


def test_a_redirect_is_never_followed() -> None:
    async def story(sim: Simulator) -> None:
        async with Simulator(seed=8) as elsewhere:
            sim.faults.always = faults.redirect(elsewhere.stream_url + "/v1/stream")
            report = await testing.try_connector(collector(sim), key(sim))
            assert report.code == "301" and not elsewhere.handshakes

    run(story)


@pytest.mark.parametrize("how", [faults.ABORT, faults.RESET, faults.SILENCE])
def test_a_server_that_does_not_answer_is_told_within_the_deadline(how: str) -> None:
    async def story(sim: Simulator) -> None:
        sim.faults.always = faults.Answer(how=how)
        seconds = 1.0 if how == faults.SILENCE else 20.0
        report = await testing.try_connector(collector(sim), key(sim), seconds=seconds)
        assert report.code in ("timeout", "reset") and not report.ok and report.recommendation

    run(story)


def test_a_slow_server_is_waited_for() -> None:
    async def story(sim: Simulator) -> None:
        sim.faults.next_handshakes(faults.slow(0.3), kind="message")
        report = await testing.try_connector(collector(sim), key(sim))
        assert report.ok
        assert next(step.ms for step in report.steps if step.name == "Authorise Message") >= 300

    run(story)


def test_nothing_that_listens_and_no_such_host_are_told_apart() -> None:
    async def story(sim: Simulator) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        refused = await testing.try_connector(collector(sim, stream_url=f"ws://127.0.0.1:{port}"), key(sim))
        assert refused.code == "refused"
        assert states_of(refused)[:3] == [
            ("Resolve host", True),
            ("Connect", False),
            ("Authorise Message", None),
        ]
        behind = collector(sim, proxy=f"http://127.0.0.1:{port}")
        unproxied = await testing.try_connector(behind, key(sim))
        assert unproxied.code == "refused" and "proxy's address" in unproxied.recommendation
        assert "Stream address" not in unproxied.recommendation
        nowhere = await testing.try_connector(
            collector(sim, stream_url="wss://no-such-host.invalid:443"), key(sim), seconds=20
        )
        assert nowhere.code == "dns" and states_of(nowhere)[0] == ("Resolve host", False)

    run(story)


def test_without_a_key_nothing_is_tried() -> None:
    async def story(sim: Simulator) -> None:
        report = await testing.try_connector(collector(sim), {})
        assert report.code == "no_key" and {step.ok for step in report.steps} == {None}
        assert not sim.handshakes

    run(story)


# TLS


TLS_CASES = [
    ({"expired": True}, True, "tls_expired"),
    ({"host": "elsewhere.example"}, True, "tls_wrong_host"),
    ({}, False, "tls_unknown_ca"),
]


@pytest.mark.parametrize(("made", "trusted", "code"), TLS_CASES)
@pytest.mark.parametrize("kind", ["collect", "respond"])
def test_each_fault_of_a_certificate_is_named(
    tmp_path: Path, kind: str, made: dict[str, Any], trusted: bool, code: str
) -> None:
    with certificate(tmp_path, **made) as (tls, ca_file):

        async def story(sim: Simulator) -> None:
            trust = {"ca_file": ca_file} if trusted else {}
            if kind == "collect":
                report = await testing.try_connector(collector(sim, **trust), key(sim))
            else:
                report = await testing.try_connector(responder(sim, **trust), client(sim))
            assert report.code == code and ("TLS", False) in states_of(report)
            assert report.recommendation
            assert not sim.handshakes and not sim.api.exchanges

        run(story, tls=tls)


@pytest.mark.parametrize("kind", ["collect", "respond"])
def test_a_good_certificate_is_told_with_version_and_end(tmp_path: Path, kind: str) -> None:
    with certificate(tmp_path) as (tls, ca_file):

        async def story(sim: Simulator) -> None:
            one = collector(sim, ca_file=ca_file) if kind == "collect" else responder(sim, ca_file=ca_file)
            report = await testing.try_connector(one, key(sim) if kind == "collect" else client(sim))
            detail = next(step.detail for step in report.steps if step.name == "TLS")
            assert report.ok and "TLSv1.3" in detail and "valid until 3000-01-01" in detail

        run(story, tls=tls)


def test_a_responder_that_verifies_nothing_says_so(tmp_path: Path) -> None:
    with certificate(tmp_path, expired=True) as (tls, _):

        async def story(sim: Simulator) -> None:
            report = await testing.try_connector(responder(sim, verify_tls=False), client(sim))
            detail = next(step.detail for step in report.steps if step.name == "TLS")
            assert report.ok and "not verified" in detail

        run(story, tls=tls)


def test_a_server_without_tls_is_not_called_a_bad_certificate() -> None:
    async def story(sim: Simulator) -> None:
        report = await testing.try_connector(
            collector(sim, stream_url=sim.stream_url.replace("ws:", "wss:")), key(sim), seconds=20
        )
        assert report.code == "not_tls"

    run(story)


@pytest.mark.parametrize("kind", ["collect", "respond"])
def test_a_server_that_falls_silent_before_tls_is_not_waited_for(kind: str) -> None:
    async def scene() -> None:
        silent = asyncio.Event()

        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await silent.wait()
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Simulator(seed=7) as sim:
            if kind == "collect":
                report = await testing.try_connector(
                    collector(sim, stream_url=f"wss://{place}"), key(sim), seconds=1.0
                )
            else:
                moved = responder(
                    sim, hostname=place, protocol="HTTPS", token_url=f"https://{place}/v1/token"
                )
                report = await testing.try_connector(moved, client(sim), seconds=1.0)
        assert report.code == "timeout" and ("TLS", False) in states_of(report)
        silent.set()
        server.close()
        await server.wait_closed()

    asyncio.run(scene())


# responders


def test_a_responder_passes_by_token_and_list_and_changes_nothing() -> None:
    async def story(sim: Simulator) -> None:
        sim.api.add("orgBlockList", "$from", "equal", "a@b.example")
        report = await testing.try_connector(responder(sim), client(sim))
        assert states_of(report) == [
            ("Resolve host", True), ("Connect", True), ("Token", True), ("Read list", True),
        ]  # fmt: skip
        assert report.ok and "1 entries" in report.steps[-1].detail
        assert [exchange.method for exchange in sim.api.exchanges] == ["POST", "GET"]

    run(story)


@pytest.mark.parametrize("where", ["token", "list"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_each_status_of_the_api_has_its_words(where: str, status: int) -> None:
    async def story(sim: Simulator) -> None:
        # A 401 on the list is tried once more with a new token.
        sim.api.next(*([status] * 2), where=where)
        report = await testing.try_connector(responder(sim), client(sim))
        failed = "Token" if where == "token" else "Read list"
        assert not report.ok and report.code == str(status) and (failed, False) in states_of(report)
        assert str(status) in report.summary and http_words(status).name in report.summary
        assert report.recommendation
        assert f"HTTP/1.1 {status}" in report.exchange

    run(story)


def test_a_token_alone_proves_nothing() -> None:
    async def story(sim: Simulator) -> None:
        sim.api.behaviour.licensed = False
        report = await testing.try_connector(responder(sim), client(sim))
        assert states_of(report)[-2:] == [("Token", True), ("Read list", False)]
        assert report.code == "403" and "module" in report.recommendation

    run(story)


def test_a_cluster_id_of_another_is_found_out_by_the_list() -> None:
    async def story(sim: Simulator) -> None:
        report = await testing.try_connector(responder(sim, cluster_id="other_hosted"), client(sim))
        assert report.code == "403" and "Cluster ID" in report.recommendation

    run(story)


PAGE = Reply(200, b"<!DOCTYPE html><html><script>alert(1)</script></html>", "text/html")


@pytest.mark.parametrize("where", ["token", "list"])
def test_a_web_page_in_place_of_the_api_is_called_one(where: str) -> None:
    async def story(sim: Simulator) -> None:
        sim.api.next(PAGE, where=where)
        report = await testing.try_connector(responder(sim), client(sim))
        assert report.code == "proxy_page" and "<" not in report.summary

    run(story)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"entries": 3}', b'{"entries": [{}]}', b"[" * 100_000])
def test_an_answer_that_is_no_list_is_none(body: bytes) -> None:
    async def story(sim: Simulator) -> None:
        sim.api.next(Reply(200, body), where="list")
        report = await testing.try_connector(responder(sim), client(sim))
        assert report.code == "not_list" and not report.ok

    run(story)


@pytest.mark.parametrize("where", ["token", "list"])
def test_the_api_redirecting_is_never_followed(where: str) -> None:
    async def story(sim: Simulator) -> None:
        async with Simulator(seed=8) as elsewhere:
            to = (("Location", elsewhere.token_url),)
            sim.api.next(Reply(307, headers=to), where=where)
            report = await testing.try_connector(responder(sim), client(sim))
            assert report.code == "307" and "never followed" in report.summary
            assert not elsewhere.api.exchanges

    run(story)


@pytest.mark.parametrize("strike", [HANG_AFTER_READ, RESET_AFTER_READ])
@pytest.mark.parametrize("where", ["token", "list"])
def test_an_api_that_breaks_off_is_told_within_the_deadline(where: str, strike: str) -> None:
    async def story(sim: Simulator) -> None:
        sim.api.next(strike, where=where)
        began = asyncio.get_running_loop().time()
        seconds = 1.0 if strike == HANG_AFTER_READ else 20.0
        report = await testing.try_connector(responder(sim), client(sim), seconds=seconds)
        assert not report.ok and report.code == ("reset" if "reset" in strike else "timeout")
        assert report.recommendation
        assert asyncio.get_running_loop().time() - began < 20

    run(story)


def test_there_are_words_for_every_status() -> None:
    for status in range(300, 600):
        words = http_words(status)
        assert words.meaning.endswith(".") and words.recommendation
    assert {400, 401, 403, 404, 409, 429, 503} <= set(CODES)


# secrets


def everything(report: testing.TestReport) -> str:
    return json.dumps(asdict(report)) + repr(report)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_a_server_that_repeats_the_secrets_does_not_get_them_shown(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, identity = CANARY, "canary-id-" + "f00d" * 8

    async def story(sim: Simulator) -> None:
        echoed = {"errorMessage": f"no {secret} for {identity}", "access_token": secret, "cut": secret[:20]}
        headers = (("X-Echo", secret), ("Set-Cookie", f"s={secret}"))
        sim.api.next(Reply(status, json.dumps(echoed).encode(), headers=headers), where="token")
        sim.api.next(Reply(status, json.dumps(echoed).encode(), headers=headers), where="list")
        told = await testing.try_connector(
            responder(sim), {"client_id": Secret(identity), "client_secret": Secret(secret)}
        )
        sim.faults.always = faults.Answer(
            status=status if status != 200 else 403, body=f"key {secret}".encode(), headers=headers
        )
        other = await testing.try_connector(collector(sim), {"api_key": Secret(secret)})
        for report in (told, other):
            assert report.exchange
            for piece in (secret, identity, secret[:20]):
                assert piece not in everything(report)
        # The simulator is the other side: what it logs is what it was sent.
        ours = [record for record in caplog.records if not record.name.startswith("pod_desktop.simulator")]
        assert "canary" not in "".join(record.getMessage() for record in ours)

    run(story)


def test_the_token_of_the_service_is_not_shown_either() -> None:
    async def story(sim: Simulator) -> None:
        report = await testing.try_connector(responder(sim), client(sim))
        (token,) = sim.api._tokens
        assert report.ok and token[:16] not in everything(report)
        assert sim.client_secret not in everything(report)

    run(story)
