"""Questions as typed, from the raw record to the row: columns, the record's own members, and what we add."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import MISSING, as_bytes, audit, maillog_from, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core import limits
from pod_desktop.core.clock import MINUTE, SECOND, SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.interflow import interflow
from pod_desktop.core.record import FLAG_TRUNCATED, Arrival
from pod_desktop.query import matcher, parse
from pod_desktop.services import asking
from pod_desktop.simulator.generator import Flow, Generator
from pod_desktop.store import LIVE, Commit, Source
from pod_desktop.store.writer import SegmentWriter

NOON = 1_795_500_000_000_000
HERE = Source(connector="Acme-Message", tenant="Acme", cluster_id="acme_hosted")


class Plain:
    """A record as the content room reads it, without the store: the other opinion."""

    def __init__(self, kind: str, raw: bytes) -> None:
        self._kind = kind
        self._raw = raw
        self._value = content.document(raw).value

    def text(self) -> str:
        return content.read(self._kind, self._raw, 0).text

    def values(self, field: str) -> tuple[str | int | float, ...]:
        ours = {
            **interflow(self._kind, HERE.tenant),
            "tenant": HERE.tenant,
            "connector": HERE.connector,
            "type": self._kind,
        }
        return (ours[field],) if field in ours else tuple(content.values(self._kind, self._value, field))


def arrivals() -> list[Arrival]:
    found = []
    for scenario in ("calm", "hostile"):
        flow = Flow(Generator(3, scenario_name=scenario, archive_rate=12), begin=NOON // MINUTE * MINUTE)
        for item in flow.until(NOON // MINUTE * MINUTE + 2 * MINUTE):
            found.append(Arrival(content.read(item.kind, item.frame, item.release), item.frame))
    for kind, record in (
        ("message", message()),
        ("maillog", maillog_from()),
        ("maillog", maillog_to()),
        ("audit", audit()),
    ):
        raw = as_bytes(record)
        found.append(Arrival(content.read(kind, raw, NOON), raw))
    return found


class Records:
    def __init__(self, folder: Path) -> None:
        self.writer = SegmentWriter(folder, clock=SystemClock(), segment_records=200)
        self.all: list[Arrival] = []
        seen = set()
        for one in arrivals():
            if (one.columns.kind, one.columns.rid) not in seen:
                seen.add((one.columns.kind, one.columns.rid))
                self.all.append(one)
        for at in range(0, len(self.all), 50):
            self.writer.commit(Commit(source=HERE, lane=LIVE, records=self.all[at : at + 50], stream="s"))
        self.reader = store.open_reader(folder)

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    made = Records(tmp_path_factory.mktemp("asking") / "events")
    yield made
    made.close()


QUERIES = [
    "", "invoice", "*", "sent", "acme", '"message accepted"', "sender:*acme*", "sender.domain:acme.example", "recipient:*@*",
    "header_from:*", "header_from.domain:*.example", "subject:re", "outcome:delivered", "outcome:deferred OR outcome:quarantined",
    "type:maillog stat:sent", "score:>=40", "score:[1 TO 60]", "size:>10KB", "ip:198.51.100.0/24", "country:us", "direction:inbound",
    "qid:6A*", "_exists_:message_id", "NOT _exists_:sender", "disposition:continue", "rule:*", "module:spam", "folder:*", "cluster:acme_hosted",
    "tenant:acme", "connector:acme-*", "msg_class:proofpoint_on_demand_maillog", "index:syslog", "tenant_name:ACME", "msg_origin.vendor:proofpoint",
    "recipient.domain:acme*", "filter.modules.spam.scores.overall:>=40", "sm.stat:*queued*", "connection.country:us", "dsn:2.*", "relay:mail",
    "spf:pass", "url:http", "attachment.name:pdf", "delay:>1", "audit.action:*", "action:login", "host:*", "helo:*mail*", "route:*",
    "score:>=40 AND connection.country:us", "NOT (spf:pass OR dsn:2.*) invoice", "subject:/.*[0-9]{3}.*/", "virus:*", "dkim:pass dmarc:pass",
    "flag:hidden", "flag:repaired OR flag:truncated", "id:*", "user:*", "resource:*", "metadata.origin.data.cid:acme_hosted",
]  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_every_field_finds_what_the_record_says(records: Records, text: str) -> None:
    if text.startswith(("flag", "id")):
        wanted = None
    else:
        matches = matcher(parse(text, NOON))
        wanted = {(one.columns.kind, one.columns.rid) for one in records.all if one.columns.kind != "unreadable" and matches(Plain(one.columns.kind, one.raw))}  # fmt: skip
    found = list(records.reader.search(asking.ask(text, now=NOON)))
    readable = {(row.kind, row.rid) for row in found if row.kind != "unreadable"}
    if wanted is not None:
        assert readable == wanted
    assert len(found) == records.reader.count(asking.ask(text, now=NOON))


def test_the_corpus_is_rich_enough(records: Records) -> None:
    kinds = {one.columns.kind for one in records.all}
    assert {"message", "maillog", "audit"} <= kinds
    assert len(records.all) > 500
    assert records.reader.count(asking.ask("spf:pass", now=NOON)) > 5


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Quarterly report"},
        {"subject": "=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus\nzwei  Zeilen"},
        {"msg.normalizedHeader.subject": [""], "msg.header.subject": ["only here"]},
        {"msg.normalizedHeader.subject": ["", "second"], "msg.header.subject": ["x"]},
        {"msg.header.subject": ["first", "second"], "msg.normalizedHeader": MISSING},
        {"subject": "w " * limits.COLUMN_CHARS},
        {"subject": "cut", "recipients": [f"r{number:05d}@acme.example" for number in range(5_000)]},
    ],
)
def test_the_subject_of_a_mail_is_in_its_search_text_or_said_to_be_cut(changes: dict[str, Any]) -> None:
    columns = content.read("message", as_bytes(message(**changes)), NOON)
    assert columns.subject
    assert f"\n{columns.subject}\n" in f"\n{columns.text}\n" or columns.flags & FLAG_TRUNCATED or len(columns.subject) == limits.COLUMN_CHARS  # fmt: skip


def test_so_it_is_in_all_simulated_mail(records: Records) -> None:
    mail = [one.columns for one in records.all if one.columns.kind == "message"]
    assert len([one for one in mail if one.subject]) > 100
    for one in mail:
        assert f"\n{one.subject}\n" in f"\n{one.text}\n" or not one.subject or one.flags & FLAG_TRUNCATED


def test_a_phrase_of_the_subject_needs_no_look_at_the_records(records: Records) -> None:
    for number, title in enumerate(("Pangolin  ledgers due", "the pangolin ledger", "Ledger: pangolin")):
        raw = as_bytes(message(subject=title, guid=f"pangolin-{number}"))
        records.writer.commit(Commit(source=HERE, lane=LIVE, records=[Arrival(content.read("message", raw, NOON), raw)], stream="s"))  # fmt: skip
    looked: list[bytes] = []
    ask = asking.ask('"pangolin ledger"', now=NOON)
    judge = ask.matches
    assert judge is not None

    def watched(kind: str, raw: bytes, source: Source) -> bool:
        looked.append(raw)
        return judge(kind, raw, source)

    found = [row.rid for row in records.reader.search(replace(ask, matches=watched))]
    assert found == ["pangolin-1"]
    assert records.reader.count(replace(ask, matches=watched)) == 1
    assert not any(b"the pangolin ledger" in raw for raw in looked)


def test_bounds_and_kinds_are_part_of_the_question() -> None:
    ask = asking.ask("x", now=NOON, since=1, until=2, kinds=["message"], connectors=["c"])
    assert (ask.since, ask.until, ask.kinds, ask.connectors) == (1, 2, ("message",), ("c",))


def test_times_are_decided_by_the_store_even_beside_members_of_the_record(records: Records) -> None:
    """A record without a readable time has only its time of arrival, which its bytes do not know."""
    raw = as_bytes(message(subject="timeless", ts="not a time"))
    columns = content.read("message", raw, NOON + 5 * SECOND)
    records.writer.commit(Commit(source=HERE, lane=LIVE, records=[Arrival(columns, raw)], stream="s"))
    ask = asking.ask("time:>=now-1d filter.disposition:* timeless", now=NOON)
    plain = asking.ask("timeless", now=NOON)
    assert records.reader.count(plain) == records.reader.count(ask) == 1


def test_a_query_that_cannot_be_understood_is_a_fault() -> None:
    with pytest.raises(UserFault):
        asking.ask("sendr:x", now=NOON)


def test_values_of_members_can_be_counted(records: Records) -> None:
    counted = dict(records.reader.count_by(asking.ask("type:message", now=NOON), "spf"))
    assert counted["pass"] == records.reader.count(asking.ask("spf:pass", now=NOON))


def test_a_member_written_with_escapes_is_found(records: Records) -> None:
    raw = b'{"guid":"escaped","ts":"2026-11-24T09:41:07.412345-0700","filter":{"m\\u0069d":4711}}'
    columns = content.read("message", raw, NOON)
    records.writer.commit(Commit(source=HERE, lane=LIVE, records=[Arrival(columns, raw)], stream="s"))
    assert [row.rid for row in records.reader.search(asking.ask("filter.mid:4711", now=NOON))] == ["escaped"]
