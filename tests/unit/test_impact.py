"""What an entry would have hit: counted as the lists match, on the store's own engine."""

import pytest

from builders import as_bytes, maillog_from, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core.action import Entry
from pod_desktop.core.clock import DAY, SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.services import surroundings as learning
from pod_desktop.services.asking import ask
from pod_desktop.services.impact import Cancelled, Hits, impact, tree_of
from pod_desktop.store import BACKFILL, Commit, Ledger, Source

NOW = SystemClock().now()
SENDERS = (
    "a@bad.test",
    "A@BAD.TEST",
    "b@bad.test",
    "c@mail.bad.test",
    "d@notbad.test",
    "e@bad.test.evil.test",
    "",
)


def stored(folder, records):
    writer = store.open_writer(folder, clock=SystemClock())
    arrivals = [Arrival(content.read(kind, as_bytes(one), NOW), as_bytes(one)) for kind, one in records]
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    writer.commit(Commit(source=source, lane=BACKFILL, records=arrivals, stream="acme/message"))
    writer.close()
    return store.open_reader(folder)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    records = [
        ("message", message(sender=sender, header_from=f"X <{sender}>", time=NOW - DAY, ip=f"185.1.{number}.7",
                            **{"connection.host": f"mx{number}.bad.test", "connection.helo": "EHLO.test"}))
        for number, sender in enumerate(SENDERS)
    ]  # fmt: skip
    records.append(("maillog", maillog_from(sender="a@bad.test")))
    opened = stored(tmp_path_factory.mktemp("impact"), records)
    yield opened
    opened.close()


def entry(attribute, operator, value):
    return Entry(attribute=attribute, operator=operator, value=value)


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "matching"),
    [
        ("$from", "equal", "a@bad.test", 2),
        ("$from", "equal", "@bad.test", 3),
        ("$from", "equal", "@BAD.test", 3),
        ("$from", "equal", "bad.test", 4),
        ("$from", "equal", "mail.bad.test", 1),
        ("$from", "contain", "bad.test", 6),
        ("$from", "contain", "@bad", 4),
        ("$from", "not_equal", "a@bad.test", 5),
        ("$from", "not_contain", "bad.test", 1),
        ("$hfrom", "equal", "b@bad.test", 1),
        ("$hfrom", "contain", "EVIL", 1),
        ("$rcpt", "equal", "j.meyer@acme.example", 7),
        ("$rcpt", "equal", "acme.example", 7),
        ("$rcpt", "equal", "@other.example", 0),
        ("$ip", "equal", "185.1.2.7", 1),
        ("$ip", "equal", "185.1.0.0/22", 4),
        ("$ip", "contain", "185.1.", 7),
        ("$host", "equal", "MX3.bad.test", 1),
        ("$host", "contain", "bad.test", 7),
        ("$helo", "equal", "ehlo.TEST", 7),
        ("$from", "equal", '"quoted\\ *?"@bad.test', 0),
        ("$from", "contain", "*", 0),
    ],
)
def test_an_entry_is_counted_as_the_lists_match(reader, attribute, operator, value, matching):
    found = impact(reader, entry(attribute, operator, value), NOW)
    assert found.ever == found.days_7 == found.days_30 == Hits(matching, matching)
    assert found.problem == ""
    # The query that Events is opened with finds the same.
    assert reader.count(ask(found.query, now=NOW, kinds=("message",))) == matching


def test_what_is_not_documented_is_not_counted(reader):
    found = impact(reader, entry("$from", "is_in_list", "x"), NOW)
    assert found.ever == Hits(0, 0) and "not documented" in found.problem
    assert tree_of(entry("$subject", "equal", "x")) is None is tree_of(entry("$from", "equal", " "))
    assert tree_of(entry("$ip", "equal", "no address")) is None


def test_it_can_be_cancelled_between_its_steps(reader):
    asked = iter((False, False, True))
    with pytest.raises(Cancelled):
        impact(reader, entry("$from", "equal", "a@bad.test"), NOW, cancelled=lambda: next(asked))


def test_periods_deliveries_and_the_people_who_got_it(tmp_path):
    def one(days, recipients, disposition="continue"):
        return (
            "message",
            message(
                sender="a@bad.test", time=NOW - days * DAY, recipients=recipients, disposition=disposition
            ),
        )

    opened = stored(
        tmp_path,
        [one(1, ["ann@acme.example"]), one(2, ["ann@acme.example", "bob@acme.example"]), one(3, ["eve@acme.example"], "discard"),
         one(20, ["bob@acme.example"], "reject"), one(200, ["old@acme.example"])],
    )  # fmt: skip
    found = impact(opened, entry("$from", "equal", "a@bad.test"), NOW)
    assert (found.days_7, found.days_30, found.ever) == (Hits(3, 2), Hits(4, 2), Hits(5, 3))
    assert dict(found.recipients) == {"ann@acme.example": 2, "bob@acme.example": 1}
    assert found.to_json()["matching"] == 5
    opened.close()


def test_where_only_the_mail_log_is_collected_its_lines_are_counted(tmp_path):
    opened = stored(tmp_path, [("maillog", maillog_from(sender="a@bad.test")), ("maillog", maillog_to())])
    found = impact(opened, entry("$from", "equal", "a@bad.test"), NOW)
    assert (found.ever.matching, found.kind) == (1, "maillog")
    opened.close()


def test_own_domains_and_partners_are_learned_and_kept_for_an_hour(tmp_path):
    records = [("message", message(sender=f"s{n}@supplier.test", time=NOW - DAY)) for n in range(60)]
    records += [("message", message(sender="x@once.test", time=NOW - DAY, recipients=["a@stray.test"]))]
    records += [
        (
            "message",
            message(sender="x@spam.test", recipients=["a@victim.test"], disposition="reject", time=NOW - DAY),
        )
    ] * 30
    records += [
        ("message", message(recipients=["a@customer.test"], direction="outbound", time=NOW - DAY))
        for _ in range(30)
    ]
    records += [("message", message(recipients=["a@gmail.com"], time=NOW - DAY)) for _ in range(30)]  # fmt: skip
    opened = stored(tmp_path / "events", records)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.set_setting("own_domains", ["given.test"])
    ledger.set_setting("protected_values", ["bank.test"])
    found = learning.surroundings(ledger, opened, NOW)
    assert found.own_domains == {"given.test", "acme.example"}
    assert found.protected == {"bank.test"}
    assert found.partners["supplier.test"] == 60 and "once.test" not in found.partners
    assert learning.learned_domains(ledger) == ["acme.example"]

    class NoReader:
        def totals(self):
            return opened.totals()

        def count_by(self, *_):
            raise AssertionError("learned again within the hour")

    assert learning.surroundings(ledger, NoReader(), NOW + DAY // 48) == found
    with pytest.raises(AssertionError):
        learning.surroundings(ledger, NoReader(), NOW + DAY)
    assert learning.surroundings(ledger, None, NOW + DAY) == found
    opened.close()
    ledger.close()


def test_what_was_learned_from_next_to_nothing_is_not_kept_for_an_hour(tmp_path):
    """The service learns when it starts for the first time, and there is nothing yet: the guards must not stay blind."""
    ledger = Ledger(tmp_path / "ledger.db")
    empty = stored(tmp_path / "empty", [])
    assert learning.surroundings(ledger, empty, NOW).own_domains == frozenset()
    empty.close()
    opened = stored(
        tmp_path / "events", [("message", message(sender=f"s{n}@x.test", time=NOW)) for n in range(30)]
    )
    assert learning.surroundings(ledger, opened, NOW + 1).own_domains == {"acme.example"}
    opened.close()
    ledger.close()
