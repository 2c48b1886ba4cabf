"""Statistics and Seen before: right figures, the search behind each, honest where only a sample was looked at."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import MISSING, NOW, as_bytes, maillog_from, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SystemClock
from pod_desktop.core.faults import Unwanted
from pod_desktop.core.record import MAILLOG, MESSAGE, Arrival
from pod_desktop.services import asking, seen, statistics
from pod_desktop.services.seen import seen_before
from pod_desktop.services.statistics import Part, as_csv, gather
from pod_desktop.store import LIVE, Ask, Commit, Reader, Source
from pod_desktop.store.writer import SegmentWriter

HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
Record = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def keep(folder: Path, records: Sequence[Record]) -> None:
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=700)
    for begin in range(0, len(records), 500):
        arrivals = []
        for record in records[begin : begin + 500]:
            raw = as_bytes(record)
            arrivals.append(Arrival(content.read(MAILLOG if "sm" in record else MESSAGE, raw, NOW), raw))
        writer.commit(Commit(source=HERE, lane=LIVE, records=arrivals, stream="acme/all"))
    writer.close()


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    opened = store.open_reader(folder)
    yield opened
    opened.close()


def parts_of(reader: Reader, since: int | None = None, until: int = NOW + DAY) -> dict[str, Part]:
    return {part.key: part for part in gather(reader, since, until, lambda: True)}


def a_day() -> list[Record]:
    found: list[Record] = []
    for number in range(24):
        stopped = number % 4 == 0
        tls = {} if number % 3 else {"connection.tls": MISSING}
        found.append(
            message(
                time=NOW - number * HOUR, sender=f"s{number % 2}@a{number % 3}.example", country="de" if number % 5 else "us",
                disposition="discard" if stopped else "continue", rule="bulk" if stopped else "notspam",
                ip="203.0.113.9" if number % 2 else "198.51.100.23", recipients=("x@acme.example", f"r{number % 4}@acme.example"), **tls,
            )
        )  # fmt: skip
        found.append(maillog_to(time=NOW - number * HOUR, delay=f"00:{number:02d}:00", to="<x@acme.example>"))
        found.append(
            maillog_to(time=NOW - number * HOUR, delay="09:00:00", stat="Deferred: later", dsn="4.0.0")
        )
        found.append(maillog_from(time=NOW - number * HOUR))
    return found


class TestParts:
    def test_every_part_is_there_in_its_order(self, folder: Path, reader: Reader) -> None:
        keep(folder, a_day())
        assert list(parts_of(reader)) == list(statistics.TITLES)

    def test_figures_are_those_of_the_records(self, folder: Path, reader: Reader) -> None:
        keep(folder, a_day())
        parts = parts_of(reader)
        assert parts["volume"].total == 24
        assert [(bar.label, bar.count) for bar in parts["outcomes"].bars] == [
            ("delivered", 18),
            ("discarded", 6),
        ]
        assert [(bar.label, bar.count) for bar in parts["countries"].bars] == [("de", 19), ("us", 5)]
        assert (
            parts["recipients"].bars[0].label == "x@acme.example" and parts["recipients"].bars[0].count == 24
        )
        assert [(bar.label, bar.count) for bar in parts["rules"].bars] == [("notspam", 18), ("bulk", 6)]
        assert [(bar.label, bar.count) for bar in parts["tls"].bars] == [("TLSv1.3", 16), ("no TLS", 8)]
        assert parts["tls"].note == "66.7 % with TLS."
        delays = {bar.label: bar.count for bar in parts["delays"].bars}
        assert delays == {
            "up to 1 s": 1, "2 to 10 s": 0, "11 s to 1 min": 1, "1 to 10 min": 9, "10 min to 1 h": 13, "1 h to 1 day": 0,
            "over 1 day": 0,
        }  # fmt: skip
        assert parts["delays"].note == "Half within 720 s, 95 % within 1,320 s."

    def test_every_bar_leads_to_exactly_its_records(self, folder: Path, reader: Reader) -> None:
        keep(folder, a_day())
        since = NOW - 20 * HOUR
        for part in parts_of(reader, since).values():
            assert part.bars
            for bar in part.bars:
                ask = asking.ask(
                    bar.query, now=NOW, since=since if bar.since is None else bar.since,
                    until=NOW + DAY if bar.until is None else bar.until, kinds=part.kinds,
                )  # fmt: skip
                assert len(list(reader.search(ask))) == bar.count, (part.key, bar)

    def test_of_many_records_a_sample_is_said_to_be_one(self, folder: Path, reader: Reader) -> None:
        lines = [
            maillog_to(time=NOW - n * MINUTE // 2, delay="00:00:05" if n % 4 else "02:00:00")
            for n in range(4_000)
        ]
        keep(folder, lines)
        part = parts_of(reader)["delays"]
        assert "Approximate: from 1,500 of 4,000 records." in part.note
        by_label = {bar.label: bar.count for bar in part.bars}
        assert by_label["2 to 10 s"] / by_label["1 h to 1 day"] == pytest.approx(3, rel=0.3)

    def test_a_busy_minute_is_sampled_at_many_places(self, folder: Path, reader: Reader) -> None:
        lines = [maillog_to(time=NOW + n * 5_000, delay="00:00:05") for n in range(4_000)]
        keep(folder, lines)
        assert "from 1,500 of 4,000" in parts_of(reader)["delays"].note

    def test_without_message_records_the_mail_log_is_counted_and_said(
        self, folder: Path, reader: Reader
    ) -> None:
        keep(folder, [maillog_to(time=NOW - n) for n in range(5)])
        parts = parts_of(reader)
        assert parts["volume"].total == 5 and "Mail-log lines" in parts["volume"].note
        assert parts["tls"].bars == ()

    def test_of_nothing_nothing_is_told(self, reader: Reader) -> None:
        parts = parts_of(reader)
        assert all(part.bars == () for part in parts.values())
        assert parts["rules"].words() == "Top rules: nothing in this time."

    def test_plots_have_words(self, folder: Path, reader: Reader) -> None:
        keep(folder, a_day())
        assert parts_of(reader)["countries"].words() == "Top countries: de 19; us 5."

    def test_absurd_times_do_not_make_endless_bars(self, folder: Path, reader: Reader) -> None:
        keep(folder, [message(time=10**6), message(time=NOW)])
        parts = parts_of(reader)
        assert parts["volume"].total == 2 and len(parts["volume"].bars) < 200

    def test_it_stops_when_nobody_waits(self, folder: Path, reader: Reader) -> None:
        keep(folder, a_day())
        left = 3

        def wanted() -> bool:
            nonlocal left
            left -= 1
            return left > 0

        with pytest.raises(Unwanted):
            list(gather(reader, None, NOW + DAY, wanted))


def test_as_a_table_no_cell_computes(folder: Path, reader: Reader) -> None:
    keep(folder, [message(rule='=HYPERLINK("http://x")', sender="+1@x.example", time=NOW)])
    rows = list(csv.reader(io.StringIO(as_csv(gather(reader, None, NOW + DAY, lambda: True)))))
    assert rows[0][:3] == ["part", "label", "count"]
    assert {"Top rules", "Top senders"} <= {row[0] for row in rows}
    assert not [value for row in rows[1:] for value in row if value[:1] in ("=", "+", "-", "@")]


class TestSeenBefore:
    def rows(self, reader: Reader) -> dict[str, Any]:
        return {row.rid: row for row in reader.search(Ask())}

    def test_the_week_up_to_the_record_counts(self, folder: Path, reader: Reader) -> None:
        records = [message(guid=f"d{days}", time=NOW - days * DAY, disposition="discard" if days == 2 else "continue") for days in range(10)]  # fmt: skip
        records.append(message(guid="x", time=NOW - HOUR, sender="other@supplier.example", ip="203.0.113.9"))
        records.append(message(guid="y", time=NOW - HOUR, sender="a@b.example"))
        keep(folder, [*records, maillog_from(time=NOW)])
        sender, domain, ip = seen_before(reader, self.rows(reader)["d0"])
        assert (sender.records, sender.delivered) == (8, 7)
        assert (domain.value, domain.records) == ("supplier.example", 9)
        assert (ip.records, ip.senders) == (9, 2)
        assert seen.words(sender) == ("This sender: ", "8 messages", " in 7 days, 7 delivered")
        assert seen.words(ip)[2] == " in 7 days, 8 delivered, 2 sender domains"
        for one in (sender, domain, ip):
            ask = asking.ask(one.query, now=NOW, since=one.since, until=one.until, kinds=(one.kind,))
            assert reader.count(ask) == one.records
        assert [one.records for one in seen_before(reader, self.rows(reader)["d9"])] == [1, 1, 1]

    def test_a_first_one_says_so(self, folder: Path, reader: Reader) -> None:
        keep(folder, [message(guid="a", disposition="reject", sender="x@gmail.com")])
        sender, domain, _ = seen_before(reader, self.rows(reader)["a"])
        assert seen.words(sender) == ("This sender: ", "only this message", " in 7 days, none delivered")
        assert "free mail" in seen.words(domain)[2]

    def test_lines_without_a_sender_have_none(self, folder: Path, reader: Reader) -> None:
        keep(folder, [maillog_to(record_id="l"), message(guid="n", sender="", ip="")])
        assert seen_before(reader, self.rows(reader)["l"]) == ()
        assert seen_before(reader, self.rows(reader)["n"]) == ()
