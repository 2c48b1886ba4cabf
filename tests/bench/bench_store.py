"""What the event store costs: `python tests/bench/bench_store.py --records 200000`.

Measures the floor first, in the same run, and gives every cost as a multiple of it:
F = typed decode + reading the columns' members + zstd-1 in blocks of 128, CPU of one core, a record;
S = bytes of raw records that one core can unpack and look through in a second.
Records are built here (3.2 KB on average, 70 % mail log) or taken from a file of NDJSON (--file).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from floor import floor
from measuring import forget, run, share, watch

from pod_desktop import content, store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.record import MAILLOG, MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services import asking
from pod_desktop.services.browse import Browser
from pod_desktop.store import Ask, Commit, Source, retention
from pod_desktop.store.writer import SegmentWriter

BEGIN = 1_780_000_000_000_000
HERE = Source(connector="bench", tenant="acme", cluster_id="acme_hosted")
SUBJECTS = (
    "Invoice {n} overdue", "Re: Project plan {n}", "Your order {n} has shipped", "Meeting notes", "Rechnung Nr. {n}",
    "Überweisung erforderlich {n}", "Password reset", "Weekly report {n}", "請求書 {n}", "Newsletter {n}: what is new this week",
)  # fmt: skip


# --- records


class Builder:
    """Records as a busy cluster makes them: skewed senders, one message and its mail-log lines by one queue id."""

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)
        self.senders = [f"{self.hex(5)}.{self.hex(4)}@{self.hex(6)}.example" for _ in range(60_000)]
        self.people = [f"{self.hex(4)}.{self.hex(6)}@acme.example" for _ in range(8_000)]
        self.hosts = [f"mail{n}.{self.hex(6)}.example" for n in range(6_000)]

    def hex(self, count: int) -> str:
        return f"{self.random.getrandbits(4 * count):0{count}x}"

    def pick(self, values: list[str]) -> str:
        """The first ones far more often than the last."""
        return values[int(len(values) * self.random.random() ** 4)]

    def records(self) -> Iterator[tuple[str, bytes]]:
        at = BEGIN
        number = 0
        while True:
            at += self.random.randrange(20_000)
            number += 1
            qid = f"6AN{self.hex(8).upper()}"
            sender, to = (
                self.pick(self.senders),
                [self.pick(self.people) for _ in range(self.random.choice((1, 1, 1, 2, 5)))],
            )
            yield MESSAGE, self.message(at, qid, sender, to, number)
            host = self.pick(self.hosts)
            yield MAILLOG, self.line(at + 1_000, qid, f"from=<{sender}>, size={3000 + number % 90000}, class=0, nrcpts={len(to)}", {"from": f"<{sender}>", "sizeBytes": str(3000 + number % 90000), "nrcpts": str(len(to)), "relay": f"{host} [198.51.{number % 250}.7]"})  # fmt: skip
            for one in (*to, to[0])[: 1 + number % 2]:
                stat = "Sent" if self.random.random() < 0.93 else "Deferred"
                yield MAILLOG, self.line(at + 3_000, qid, f"to=<{one}>, delay=00:00:02, mailer=esmtp, pri=121441", {"to": [f"<{one}>"], "delay": "00:00:02", "mailer": "esmtp", "relay": "mx.acme.example. [192.0.2.10]", "dsn": "2.0.0", "stat": f"{stat} (Ok: queued as {self.hex(10)})"})  # fmt: skip

    def line(self, at: int, qid: str, happened: str, sm: dict[str, Any]) -> bytes:
        stamp = stamp_of(at)
        return json.dumps(
            {"pps": {"agent": "m0169160.ppops.net", "cid": "acme_hosted"}, "ts": stamp, "data": f"{stamp} m0169160 sendmail[{at % 30000}]: {qid}: {happened}, relay={sm['relay']}, tls_verify=NONE, tls_version=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384", "sm": {**sm, "qid": qid}, "id": self.hex(22), "tls": {"version": "TLSv1.3", "verify": "NONE", "cipher": "TLS_AES_256_GCM_SHA384"}, "metadata": {"origin": {"schemaVersion": "20200420", "data": {"cid": "acme_hosted", "agent": "m0169160.ppops.net"}}, "customerId": "6ae809da-7151-354f-8d3c-40fe90ec6eca"}},
            separators=(",", ":"),
        ).encode()  # fmt: skip

    def message(self, at: int, qid: str, sender: str, to: list[str], number: int) -> bytes:
        random = self.random
        subject = random.choice(SUBJECTS).format(n=number)
        spam = random.randrange(101)
        host = self.pick(self.hosts)
        ip = f"198.51.{random.randrange(100)}.{random.randrange(250)}"
        header = {
            "from": [f'"{sender.partition("@")[0].title()}" <{sender}>'], "to": [", ".join(f"<{one}>" for one in to)],
            "subject": [subject], "message-id": [f"<{self.hex(24)}@{host}>"], "reply-to": [sender],
            "return-path": [f"<{sender}>"], "x-mailer": ["Microsoft Outlook 16.0"],
            "received": [f"from {host} ({host} [{ip}]) by mx{random.randrange(9)}.acme.example with ESMTPS id {self.hex(12)}" for _ in range(3)],
        }  # fmt: skip
        parts = [
            {"structureId": str(n), "labeledName": name, "detectedName": name, "labeledMime": mime, "detectedMime": mime, "labeledExt": name.rpartition(".")[2], "detectedExt": "", "labeledCharset": "utf-8", "detectedCharset": "", "disposition": "attached", "detectedSizeBytes": random.randrange(90_000), "sizeDecodedBytes": 4242, "md5": self.hex(32), "sha256": self.hex(64), "isArchive": False, "isCorrupted": False, "isDeleted": False, "isProtected": False, "isTimedOut": False, "isVirtual": False, "sandboxStatus": "", "metadata": {}, "urls": [{"url": f"https://{self.pick(self.hosts)}/{self.hex(16)}?u={self.hex(20)}&c=newsletter", "src": ["filter"], "isRewritten": True, "notRewrittenReason": ""} for _ in range(random.randrange(10))]}
            for n, (name, mime) in enumerate((("text.txt", "text/plain"), ("text.html", "text/html"), (f"invoice_{number}.pdf", "application/pdf"), ("logo.png", "image/png")))
        ]  # fmt: skip
        scores = dict.fromkeys(("adult", "bulk", "impostor", "lowpriority", "malware", "phish", "spam", "suspect"), 0) | {"mlx": spam, "mlxlog": random.randrange(-900, 900)}  # fmt: skip
        record = {
            "guid": self.hex(32), "ts": stamp_of(at),
            "connection": {"ip": ip, "host": host, "helo": host, "country": random.choice(("us", "de", "fr", "**")), "resolveStatus": "ok", "protocol": "smtp:smtp", "sid": self.hex(10), "tls": {"inbound": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "cipherBits": 256, "policy": "allow"}}},
            "envelope": {"from": sender, "rcpts": to},
            "filter": {
                "qid": qid, "mid": number, "disposition": "continue" if spam < 90 else "discard", "routeDirection": "inbound", "routes": ["allow_relay", "default_inbound", "internalnet"], "durationSecs": round(random.random(), 6), "startTime": stamp_of(at), "msgSizeBytes": random.randrange(2_000, 900_000), "isMsgEncrypted": False, "isMsgReinjected": False, "isMsgInDigest": False,
                "actions": [{"module": "av", "rule": "clean", "action": "add-header"}, {"module": "spam", "rule": "notspam" if spam < 90 else "definitespam", "action": "continue", "isFinal": True}, {"module": "urldefense", "rule": "rewrite", "action": "rewrite"}],
                "delivered": {"rcpts": to}, "verified": {"rcpts": to}, "suborgs": {"sender": "0", "rcpts": ["0"] * len(to)},
                "modules": {"spam": {"langs": ["en", "de"], "charsets": ["utf-8"], "safeBlockedListMatches": [], "triggeredClassifier": "", "scores": {"overall": spam, "engine": spam, "classifiers": scores}, "version": {"engine": "8.19.0-2204280000", "definitions": "main-2611240092"}}, "spf": {"domain": sender.rpartition("@")[2], "result": "pass"}, "dkimv": [{"domain": sender.rpartition("@")[2], "selector": "s1", "result": "pass"}], "dmarc": {"filterdResult": "pass", "srvid": "1", "records": [{"query": f"_dmarc.{sender.rpartition('@')[2]}", "record": "v=DMARC1; p=reject; rua=mailto:d@x.example"}], "authResults": [{"method": "spf", "result": "pass", "reason": "", "emailIdentities": {"smtp.mailfrom": sender, "smtp.helo": host}, "propspec": {}}], "alignment": []}, "urldefense": {"counts": {"total": 5, "rewritten": 5}, "rewrittenUrls": []}, "zerohour": {"score": "0"}, "av": {"virusNames": []}},
            },
            "msg": {"header": header, "normalizedHeader": header, "parsedAddresses": {"from": [sender], "to": to, "reply-to": [sender], "fromDisplayNames": ["X Y"]}, "lang": "en", "sizeBytes": random.randrange(2_000, 900_000)},
            "msgParts": parts,
            "metadata": {"origin": {"data": {"agent": "m0169160.ppops.net", "version": "8.19.0.1216", "cid": "acme_hosted"}}},
        }  # fmt: skip
        return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def stamp_of(at: int) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at // SECOND))}.{at % SECOND:06d}-0000"


def build(path: Path, count: int, source: Path | None) -> None:
    """Write the records to a file, outside the measured processes."""
    with path.open("wb") as file:
        found = Builder().records() if source is None else from_file(source)
        for kind, raw in islice(found, count):
            file.write(kind[:2].encode() + len(raw).to_bytes(4, "little") + raw)


def from_file(source: Path) -> Iterator[tuple[str, bytes]]:
    with source.open("rb") as file:
        for line in file:
            raw = line.rstrip(b"\n")
            yield (MAILLOG if b'"sm"' in raw or b'"data"' in raw[:100] else MESSAGE), raw


def records_of(path: Path) -> Iterator[tuple[str, bytes]]:
    kinds = {b"me": MESSAGE, b"ma": MAILLOG}
    with path.open("rb", buffering=1 << 20) as file:
        while head := file.read(6):
            yield kinds[head[:2]], file.read(int.from_bytes(head[2:], "little"))


# --- ingest


def ingest(path: Path, folder: Path, batch: int, segment: int, answer: Any) -> None:
    """Store all records as the collector does; tells what it cost."""
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=segment)
    records = records_of(path)
    spans: list[float] = []
    count = size = 0
    cpu_before, begun = time.process_time(), time.perf_counter()
    while part := list(islice(records, batch)):
        arrivals = [Arrival(content.read(kind, raw, BEGIN), raw) for kind, raw in part]
        before = time.perf_counter()
        done = writer.commit(
            Commit(source=HERE, lane=store.LIVE, records=arrivals, stream="bench/all", progress={"cursor": count}, counters=Counters(received=len(arrivals)))
        )  # fmt: skip
        spans.append(time.perf_counter() - before)
        assert done.stored == len(part)
        count += len(part)
        size += sum(len(raw) for _, raw in part)
        writer.tidy()
    took = time.perf_counter() - begun
    writer.rotate()
    while writer.busy():
        time.sleep(0.01)
    writer.tidy()
    assert not writer.problems()
    spent = time.process_time() - cpu_before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    before = time.perf_counter()
    writer.close()
    answer.put(
        {
            "records": count,
            "bytes": size,
            "seconds": took,
            "sealed_after": before - begun,
            "cpu": spent,
            "spans": spans,
            "rss": peak,
        }
    )


def run_with_reader(
    path: Path, folder: Path, batch: int, segment: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    stop, heard = context.Event(), context.Queue()
    folder.mkdir()
    reader = context.Process(target=watch, args=(folder, stop, heard))
    reader.start()
    written = run(ingest, path, folder, batch, segment)
    stop.set()
    seen = heard.get(timeout=60)
    reader.join()
    return written, seen


# --- asking


def ask_all(folder: Path, size: int, speed: float) -> list[tuple[str, str, str]]:
    """Latencies of what people ask, first time and again."""
    rows: list[tuple[str, str, str]] = []

    def timed(name: str, work: Callable[[], Any], goal: str = "") -> None:
        spans = []
        for _ in range(5):
            before = time.perf_counter()
            result = work()
            spans.append((time.perf_counter() - before) * 1e3)
        shown = f"{result:,}" if isinstance(result, int) else ""
        rows.append((name, f"{spans[0]:.1f} / {sorted(spans)[2]:.1f} ms {shown}", goal))

    def cold(name: str, work: Callable[[store.Reader], Any], goal: str) -> None:
        forget(folder)
        before = time.perf_counter()
        reader = store.open_reader(folder)
        work(reader)
        rows.append((name, f"{(time.perf_counter() - before) * 1e3:.1f} ms", goal))
        reader.close()

    cold("open to first page, cold", lambda reader: list(reader.search(Ask(), limit=100)), "<= 300")
    cold("page subject:*woche*, opened cold", lambda reader: list(reader.search(asking.ask("subject:*woche*", now=BEGIN), limit=100)), "<= 500")  # fmt: skip
    reader = store.open_reader(folder)
    newest = list(reader.search(Ask(), limit=100))
    middle = next(islice(reader.search(Ask(), order="oldest"), 5_000, None))

    def question(text: str) -> Ask:
        return asking.ask(text, now=BEGIN)

    def page(text: str) -> Callable[[], int]:
        return lambda: len(list(reader.search(question(text), limit=100)))

    def count(text: str) -> Callable[[], int]:
        return lambda: reader.count(question(text))

    sender = reader.count_by(Ask(kinds=("message",)), "sender", 2_000)[-1][0]
    timed("newest page (first / warm)", lambda: len(list(reader.search(Ask(), limit=100))))
    timed("record by id", lambda: reader.find(middle.kind, middle.rid) is not None and 1)
    timed("raw record", lambda: len(reader.raw(newest[50].seq)))
    for text in (f'sender:"{sender}"', f"recipient:{newest[0].recipients[0] if newest[0].recipients else 'a@b'}", f"qid:{middle.seq}", "outcome:quarantined", "score:>=90",
                 "subject:invoice", "subject:*woche*", "ip:198.51.7.0/24", "newsletter", "invoice", "sender.domain:*.example", "not outcome:delivered"):  # fmt: skip
        timed(f"page   {text[:44]}", page(text), "<= 30 warm")
    for text in (f'sender:"{sender}"', "outcome:discarded", "score:>=90", "subject:invoice", "newsletter", "ip:198.51.7.0/24"):  # fmt: skip
        timed(f"count  {text[:44]}", count(text), "<= 1,000")
    timed("hour histogram", lambda: len(reader.histogram(Ask(), 3_600 * SECOND)), "<= 30")
    timed("top senders, exact", lambda: len(reader.count_by(Ask(), "sender", 20)))
    last = next(islice(reader.search(Ask(), order="oldest"), 20_000, None))
    deep = store.Place(last.time, last.seq)
    timed("page deep in the past", lambda: len(list(reader.search(Ask(), after=deep, limit=100))))
    view = Browser(reader).open(Ask())
    before = time.perf_counter()
    total = view.advance().total
    rows.append(
        ("view of everything, opened", f"{(time.perf_counter() - before) * 1e3:.1f} ms {total:,}", "")
    )
    timed("view, page in the middle", lambda: len(view.rows(total // 2, 100)))
    raw_question = asking.ask("filter.modules.spam.scores.classifiers.mlxlog:>=100000", now=BEGIN)
    before = time.process_time()
    found = reader.count(raw_question)
    rate = size / (time.process_time() - before) / 1e6
    rows.append(
        ("unforeseen number, all records", f"{rate:,.0f} MB/s = {rate / speed:.2f} S {found}", ">= 0.5 S")
    )
    rows.append(("memory of this reader", f"{psutil.Process().memory_info().rss / 2**20:.0f} MB", "<= 150"))
    reader.close()
    return rows


def retain(folder: Path, answer: Any) -> None:
    """Delete the oldest segments: whole ones, of the oldest three tenths."""
    reader = store.open_reader(folder)
    total = reader.totals()
    places = islice(reader.search(Ask(), order="oldest"), total.records * 3 // 10, None)
    until = next(places).time + 24 * 3_600 * SECOND
    reader.close()
    writer = SegmentWriter(folder, clock=SystemClock())
    begun = time.perf_counter()
    gone = 0
    for doomed in retention.plan(folder, retention.Limits(days=1, gigabytes=0), until).doomed:
        gone += writer.clear_out(retention.prepare(folder, doomed, (), content.read, until)).deleted
    took = time.perf_counter() - begun
    writer.close()
    after = sum(file.stat().st_size for file in folder.iterdir())
    shrunk = 1 - after / total.bytes_disk
    answer.put({"rows": [("retention of the oldest records", f"{took:.2f} s, {gone:,} of {total.records:,}, disk -{shrunk:.0%}", "<= 3 s, disk shrinks")]})  # fmt: skip


def ask_in_process(folder: Path, size: int, speed: float, answer: Any) -> None:
    answer.put({"rows": ask_all(folder, size, speed)})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument(
        "--segment", type=int, default=0, help="records a segment; default: two segments, at most 250,000"
    )
    parser.add_argument("--file", type=Path, help="NDJSON to take the records from")
    parser.add_argument("--only", choices=("ingest", "all"), default="all")
    options = parser.parse_args()
    segment = options.segment or min(250_000, -(-options.records // 2))
    home = Path(tempfile.mkdtemp(prefix="bench-store-"))
    try:
        path = home / "records"
        build(path, options.records, options.file)
        f, read, speed, packed = floor(list(islice(records_of(path), 12_800)))
        rows: list[tuple[str, str, str]] = []
        alone = run(ingest, path, home / "alone", options.batch, segment)
        size = alone["bytes"]
        rows += [
            ("records, mean bytes", f"{alone['records']:,} x {size / alone['records']:,.0f}", ""),
            ("F: decode + columns + zstd-1", f"{f:.1f} us", "the floor"),
            ("S: unpack + find, one core", f"{speed:,.0f} MB/s", "the floor"),
            ("content.read alone", f"{read:.1f} us = {read / f:.2f} F", ""),
            ("zstd-1 blocks alone, of raw", f"{packed:.3f}", ""),
        ]
        cost = alone["cpu"] / alone["records"] * 1e6
        rows.append(("ingest CPU a record, sealed", f"{cost:.1f} us = {cost / f:.2f} F", "<= 4.5 F"))
        rows.append(("  of it the store", f"{cost - read:.1f} us = {(cost - read) / f:.2f} F", ""))
        rows += speeds("quiet", alone, f)
        disk = sum(file.stat().st_size for file in (home / "alone").glob("segment-*"))
        rows.append(("disk, of raw", f"{disk / size:.3f}", "<= 0.36"))
        rows.append(("memory of the writer", f"{alone['rss']:.0f} MB", "<= 350"))
        if options.only == "all":
            shared, seen = run_with_reader(path, home / "shared", options.batch, segment)
            rows += speeds("with a reader", shared, f)
            rows += [
                ("newest page meanwhile p50 / p99", f"{share(seen['spans'], 0.5):.1f} / {share(seen['spans'], 0.99):.1f} ms", "p99 <= 10"),
                ("version() meanwhile p50 / p99", f"{share(seen['versions'], 0.5):.3f} / {share(seen['versions'], 0.99):.3f} ms", "<= 0.1"),
                ("memory of that reader", f"{seen['rss']:.0f} MB", "<= 150"),
            ]  # fmt: skip
            rows += run(ask_in_process, home / "alone", size, speed)["rows"]
            rows += run(retain, home / "alone")["rows"]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for name, value, goal in rows:
        print(f"{name:<52} {value:<40} {goal}")
    return 0


def speeds(name: str, written: dict[str, Any], f: float) -> list[tuple[str, str, str]]:
    rate = written["records"] / written["seconds"]
    spans = written["spans"]
    return [
        (f"records/s, {name}", f"{rate:,.0f} = {rate * f / 1e6:.3f} / F", ">= 0.22 / F"),
        (f"commit p50 / p99 / max, {name}", f"{share(spans, 0.5):.0f} / {share(spans, 0.99):.0f} / {max(spans) * 1e3:.0f} ms", "p99 <= 150"),
    ]  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
