"""show --journey on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import NOW, as_bytes, maillog_from, maillog_to, message
from pod_desktop import app, cli, content
from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.core.record import MAILLOG, MESSAGE, Arrival
from pod_desktop.store import LIVE, Commit, Source

Run = Callable[..., tuple[int, str, str]]
QID = "4TkQz81bqw"
RECORDS = [
    (MESSAGE, message(guid="g1", qid=QID, recipients=("legal@acme.example",))),
    (MAILLOG, maillog_from(record_id="l1", qid=QID, time=NOW + SECOND)),
    (MAILLOG, maillog_to(record_id="l2", qid=QID, time=NOW + 2 * SECOND, to="<legal@acme.example>",
                         stat="Deferred: 451 4.7.1 \x1b[2JGreylisted", dsn="4.7.1")),
    (MAILLOG, maillog_to(record_id="l3", qid=QID, time=NOW + MINUTE, to="<legal@acme.example>", delay="00:01:00")),
    (MESSAGE, message(guid="g2", qid="4TkQz81bqx", recipients=("hr@acme.example",))),
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    home = app.open_home(tmp_path)
    writer = home.open_writer()
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    for kind, record in RECORDS:
        raw = as_bytes(record)
        arrival = Arrival(content.read(kind, raw, NOW), raw)
        writer.commit(Commit(source=source, lane=LIVE, records=[arrival], stream=f"acme/{kind}"))
    writer.close()
    home.close()

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--data-dir", str(tmp_path), *words], lambda: app)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_a_journey_is_told_in_the_order_of_time(run: Run) -> None:
    code, out, _ = run("show", "maillog:l2", "--journey")
    assert code == 0
    told = [out.index(words) for words in ("Filter: continue", "Queued", "Deferred: ", "Sent: ")]
    assert told == sorted(told)
    assert "1 message record and 3 mail-log lines on cluster acme_hosted" in out
    assert "Delivered to 1 of 1 recipient · slowest 1 min" in out
    assert "\x1b" not in out


def test_what_is_not_known_is_told_so(run: Run) -> None:
    code, out, _ = run("show", "message:g2", "--journey")
    assert code == 0
    assert "what came after the filter is not known" in out
    assert "  not known   hr@acme.example" in out and "other" not in out


def test_a_journey_as_json(run: Run) -> None:
    code, out, _ = run("show", "message:g1", "--journey", "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["id"] == "message:g1"
    assert [event["record_id"] for event in answer["events"]][-1] == "maillog:l3"
    assert answer["events"][0]["time"] == "2026-11-24T09:41:07.412345Z"
    assert answer["recipients"] == [
        {
            "recipient": "legal@acme.example", "outcome": "delivered", "detail": answer["recipients"][0]["detail"],
            "time": "2026-11-24T09:42:07.412345Z", "delay_s": 60, "tries": 2,
        }
    ]  # fmt: skip


def test_a_journey_and_the_raw_record_are_two_questions(run: Run) -> None:
    code, _, err = run("show", "message:g1", "--journey", "--raw")
    assert code == 2 and "--journey" in err
