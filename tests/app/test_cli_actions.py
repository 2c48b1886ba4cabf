"""act, undo, history, lists on the command line, against a simulated API, with real ledger, store and journal."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, as_bytes, maillog_from, message
from pod_desktop import app, cli, content
from pod_desktop.core.clock import DAY, SystemClock, parse_iso
from pod_desktop.core.record import Arrival
from pod_desktop.core.responder import TYPES
from pod_desktop.simulator.threaded import ThreadedSimulator, running
from pod_desktop.store import BACKFILL, Commit, Source

Run = Callable[..., tuple[int, str, str]]
NAMES = dict(zip(("block", "safe", "unblock", "unsafe"), TYPES, strict=True))


@pytest.fixture(scope="module")
def served() -> Iterator[ThreadedSimulator]:
    with running(seed=7, rate=0.001) as simulator:
        yield simulator


@pytest.fixture
def sim(served: ThreadedSimulator) -> ThreadedSimulator:
    """The simulator with empty lists and its usual behaviour."""

    def fresh(simulator: Any) -> None:
        for entries in simulator.api.lists.values():
            entries.clear()
        simulator.api.exchanges.clear()
        simulator.api.behaviour.licensed = True

    served.do(fresh)
    return served


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a data directory of its own; (code, standard output, standard error)."""
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    def call(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main(["--data-dir", str(tmp_path / "data"), *words], lambda: app)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def desk(run: Run, sim: ThreadedSimulator, tmp_path: Path) -> Run:
    """The four responders, with their credentials."""
    secrets = json.dumps({"client_id": sim.client_id, "client_secret": sim.client_secret}).encode()
    for name, kind in NAMES.items():
        file = tmp_path / f"{name}.json"
        file.write_text(
            json.dumps(
                {
                    "name": name, "category": "webhook", "type": kind, "tenant": "Acme", "run_on": "this_computer",
                    "hostname": sim.hostname, "protocol": "HTTP", "token_url": sim.token_url,
                    "cluster_id": sim.cluster_id,
                }
            )
        )  # fmt: skip
        code, _, err = run("connector", "add", "--file", str(file), "--secrets-stdin", stdin=secrets)
        assert code == 0, err
    return run


def stored(tmp_path: Path, *records: tuple[str, dict[str, Any]], tenant: str = "Acme") -> None:
    """Put records into the store, as a collector would."""
    home = app.open_home(tmp_path / "data")
    writer = home.open_writer()
    source = Source(connector="acme", tenant=tenant, cluster_id="acme_hosted")
    arrivals = [Arrival(content.read(kind, as_bytes(one), NOW), as_bytes(one)) for kind, one in records]
    writer.commit(Commit(source=source, lane=BACKFILL, records=arrivals, stream="acme/message"))
    writer.close()
    home.close()


def posts(sim: ThreadedSimulator) -> list[Any]:
    return [exchange for exchange in sim.api.requests("org") if exchange.method == "POST"]


def values(sim: ThreadedSimulator, name: str = "orgBlockList") -> list[str]:
    return [entry["value"] for entry in sim.api.entries(name)]


def test_a_value_is_blocked_shown_and_taken_back(desk: Run, sim: ThreadedSimulator) -> None:
    code, out, _ = desk("act", "BLOCK", "--value", "billing@bad.test", "--comment", "ticket 4711", "--json")
    done = json.loads(out)
    assert code == 0
    assert set(done) == {"action_id", "status", "http_status", "message", "request"}
    assert (done["status"], done["http_status"]) == ("succeeded", 200)
    (post,) = posts(sim)
    assert post.body.decode() == done["request"]["body"]
    assert json.loads(post.body) == {
        "action": "add", "attribute": "$from", "operator": "equal", "value": "billing@bad.test",
        "comment": "ticket 4711",
    }  # fmt: skip
    (row,) = json.loads(desk("history", "--json")[1])
    assert list(row) == [
        "action_id", "time", "actor", "responder", "action", "attribute", "operator", "value", "status", "http_status",
        "message", "record_id", "expires",
    ]  # fmt: skip
    assert (row["action_id"], row["responder"], row["expires"]) == (done["action_id"], "block", None)
    assert row["actor"].startswith("person")
    (entry,) = json.loads(desk("lists", "block", "block", "--json")[1])["entries"]
    assert (entry["value"], entry["comment"], entry["action_id"]) == (
        "billing@bad.test", "ticket 4711", done["action_id"],
    )  # fmt: skip
    code, out, _ = desk("undo", done["action_id"], "--json")
    assert code == 0 and json.loads(out)["status"] == "succeeded"
    assert values(sim) == []
    assert [one["status"] for one in json.loads(desk("history", "--json")[1])] == ["succeeded", "undone"]
    assert json.loads(desk("lists", "block", "block", "--json")[1]) == {"entries": []}


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ((), "billing@supplier.example"),
        (("--attribute", "$from"), "billing@supplier.example"),
        (("--attribute", "hfrom"), "ceo@acme.example"),
        (("--attribute", "host"), "mail.supplier.example"),
    ],
)
def test_a_record_gives_the_value_of_an_attribute(
    desk: Run, sim: ThreadedSimulator, tmp_path: Path, options: tuple[str, ...], value: str
) -> None:
    stored(tmp_path, ("message", message(guid="g1", header_from="The boss <ceo@acme.example>")))
    code, out, err = desk("act", "block", "--record", "message:g1", *options, "--json")
    assert code == 0, err
    body = json.loads(json.loads(out)["request"]["body"])
    assert (body["value"], body["comment"]) == (value, "POD Desktop g1")
    assert values(sim) == [value]
    (row,) = json.loads(desk("history", "--json")[1])
    assert row["record_id"] == "message:g1"


def test_a_mail_log_record_gives_its_sender_without_brackets(
    desk: Run, sim: ThreadedSimulator, tmp_path: Path
) -> None:
    record = maillog_from(id="m1", sender="x{y}@bad.test")
    assert record["sm"]["from"] == "<x{y}@bad.test>"
    stored(tmp_path, ("maillog", record))
    code, _, err = desk("act", "block", "--record", "maillog:m1")
    assert code == 0, err
    assert values(sim) == ["x{y}@bad.test"]


def test_a_dry_run_counts_what_it_would_have_hit_and_sends_nothing(
    desk: Run, sim: ThreadedSimulator, tmp_path: Path
) -> None:
    now = SystemClock().now()
    stored(
        tmp_path,
        ("message", message(sender="a@bad.test", time=now - DAY)),
        ("message", message(sender="A@Bad.test", time=now - 10 * DAY, disposition="discard")),
        ("message", message(sender="a@bad.test", time=now - 100 * DAY, recipients=("old@acme.example",))),
        ("message", message(sender="b@bad.test", time=now - DAY)),
    )
    code, out, _ = desk("act", "block", "--value", "a@bad.test", "--dry-run", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["impact"]["matching"], found["impact"]["delivered"]) == (3, 2)
    assert found["impact"]["last_30_days"] == {"matching": 2, "delivered": 1}
    assert found["impact"]["last_7_days"] == {"matching": 1, "delivered": 1}
    assert found["impact"]["recipients"] == [{"recipient": "j.meyer@acme.example", "delivered": 1}]
    assert json.loads(found["request"]["body"])["value"] == "a@bad.test"
    assert sim.api.exchanges == []
    assert json.loads(desk("history", "--json")[1]) == []
    code, out, _ = desk("act", "block", "--value", "a@bad.test", "--dry-run")
    assert code == 0 and "3 matching, 2 of them delivered" in out and "********" in out


def test_expires_is_kept_and_shown(desk: Run) -> None:
    now = SystemClock().now()
    assert desk("act", "block", "--value", "a@bad.test", "--expires", "30d")[0] == 0
    (row,) = json.loads(desk("history", "--json")[1])
    assert abs(parse_iso(row["expires"]) - now - 30 * DAY) < DAY / 100
    (entry,) = json.loads(desk("lists", "block", "safe", "--json")[1])["entries"]
    assert entry["expires"] == row["expires"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("block", "--value", ""), "empty"),
        (("block", "--value", "com"), "top-level domain"),
        (("block", "--value", "127.0.0.1"), "the filter itself"),
        (("block", "--value", "gmail.com"), "gives addresses to anybody"),
        (("block", "--value", "gmail.com", "--confirm", "gmail"), "gives addresses to anybody"),
        (("block", "--value", "a@b.test", "--comment", "x" * 151), "150 is the most"),
        (("block", "--value", "a@b.test", "--attribute", "subject"), "no attribute"),
        (("safe", "--value", "a@b.test", "--operator", "not_equal"), "no operator of this list"),
        (("block", "--value", "a@b.test", "--expires", "2001-01-01"), "over already"),
        (("block", "--value", "a@b.test", "--expires", "soon"), "no time to remove"),
        (("unblock", "--value", "a@b.test", "--expires", "30d"), "Only what is added"),
        (("nobody", "--value", "a@b.test"), "no responder named"),
        (("block",), "required"),
        (("block", "--value", "a@b.test", "--record", "message:g1"), "not allowed"),
        (("block", "--record", "g1"), "not a record id"),
    ],
)
def test_bad_use_is_2_with_words_and_nothing_is_sent(
    desk: Run, sim: ThreadedSimulator, words: tuple[str, ...], says: str
) -> None:
    code, out, err = desk("act", *words, "--json")
    assert code == 2
    assert says in err and says in json.loads(out)["error"]["what"]
    assert posts(sim) == []
    assert json.loads(desk("history", "--json")[1]) == []


def test_a_dangerous_value_needs_to_be_typed_once_more(desk: Run, sim: ThreadedSimulator) -> None:
    code, _, err = desk("act", "block", "--value", "gmail.com", "--dry-run")
    assert code == 0 and "--confirm" in err
    assert desk("act", "block", "--value", "gmail.com", "--confirm", "gmail.com")[0] == 0
    assert values(sim) == ["gmail.com"]


def test_a_record_of_another_tenant_is_not_acted_on(
    desk: Run, sim: ThreadedSimulator, tmp_path: Path
) -> None:
    stored(tmp_path, ("message", message(guid="g1")), tenant="Globex")
    code, _, err = desk("act", "block", "--record", "message:g1")
    assert code == 2 and "tenant" in err
    assert posts(sim) == []


def test_a_record_that_is_not_there_fails(desk: Run) -> None:
    assert desk("act", "block", "--record", "message:nothing")[0] == 1


def test_a_refusal_of_the_service_is_1_and_stays_in_the_history(desk: Run, sim: ThreadedSimulator) -> None:
    sim.do(lambda simulator: setattr(simulator.api.behaviour, "licensed", False))
    code, out, _ = desk("act", "block", "--value", "a@bad.test", "--json")
    assert code == 1
    assert (json.loads(out)["status"], json.loads(out)["http_status"]) == ("failed", 403)
    code, out, _ = desk("lists", "block", "block", "--json")
    assert code == 1 and "403" in json.loads(out)["error"]["what"]
    assert [row["status"] for row in json.loads(desk("history", "--json")[1])] == ["failed"]
    assert "  403: " in (told := desk("history")[1]) and "403 403" not in told


def test_an_empty_record_id_is_bad_use(desk: Run) -> None:
    code, _, err = desk("act", "block", "--record", "", "--dry-run")
    assert code == 2 and "is not a record id" in err


def test_undo_of_what_is_not_there_or_did_not_succeed_is_bad_use(desk: Run, sim: ThreadedSimulator) -> None:
    assert desk("undo", "nonsense")[0] == 2
    sim.do(lambda simulator: simulator.api.add("orgBlockList", "$from", "equal", "there@bad.test"))
    _, out, _ = desk("act", "block", "--value", "There@bad.test", "--expires", "1d", "--json")
    done = json.loads(out)
    assert done["status"] == "succeeded" and "will not be removed by itself" in done["message"]
    code, _, err = desk("undo", done["action_id"])
    assert code == 2 and "changed nothing" in err
    assert values(sim) == ["there@bad.test"]


def test_a_disabled_responder_does_nothing(desk: Run, sim: ThreadedSimulator) -> None:
    assert desk("connector", "disable", "block")[0] == 0
    code, _, err = desk("act", "block", "--value", "a@bad.test")
    assert code == 2 and "disabled" in err
    assert posts(sim) == []


def test_lists_tell_what_was_added_elsewhere_and_what_contradicts(desk: Run, sim: ThreadedSimulator) -> None:
    sim.do(lambda simulator: simulator.api.add("orgBlockList", "$from", "equal", "both@bad.test", "by hand"))
    sim.do(lambda simulator: simulator.api.add("orgSafeList", "$from", "equal", "BOTH@bad.test"))
    (entry,) = json.loads(desk("lists", "block", "unsafe", "--json")[1])["entries"]
    assert entry["conflict"] is True and entry["added_by"] is None and entry["comment"] == "by hand"
    assert "on both lists" in desk("lists", "safe", "block")[1]


def test_the_csv_of_the_history_computes_nothing(desk: Run) -> None:
    assert desk("act", "block", "--value", "=cmd@bad.test")[0] == 0
    _, out, _ = desk("history", "--format", "csv")
    header, row = csv.reader(io.StringIO(out))
    assert row[header.index("value")] == "'=cmd@bad.test"
    assert desk("history", "--limit", "1")[1].count("bad.test") == 1


def test_what_a_value_holds_steers_no_terminal(desk: Run, sim: ThreadedSimulator) -> None:
    sim.do(
        lambda simulator: simulator.api.add("orgBlockList", "$from", "equal", "\x1b[31mred\u202e@bad.test")
    )
    for words in (("lists", "block", "block"), ("lists", "block", "block", "--json")):
        _, out, _ = desk(*words)
        assert "\x1b" not in out and "red" in out


def test_verify_finds_the_first_changed_row_of_the_history(desk: Run, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        assert desk("act", "block", "--value", f"{name}@bad.test")[0] == 0
    assert desk("verify")[0] == 0
    path = tmp_path / "data" / "actions.db"
    with sqlite3.connect(path) as journal:
        journal.execute("update event set change = replace(change, 'b@bad.test', 'x@bad.test')")
    journal.close()
    code, out, _ = desk("verify", "--json")
    problems = json.loads(out)["problems"]
    assert code == 1
    assert problems and "Action history: event" in problems[0] and "was changed" in problems[0]


def test_nothing_tells_the_secret(desk: Run, sim: ThreadedSimulator, tmp_path: Path) -> None:
    said = "".join(map(str, desk("act", "block", "--value", "a@bad.test", "--json")))
    said += "".join(map(str, desk("act", "block", "--value", "a@bad.test", "--dry-run")))
    said += "".join(map(str, desk("history", "--json")))
    assert sim.client_secret not in said
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or sim.client_secret.encode() not in path.read_bytes()


def test_the_service_removes_what_is_due(desk: Run, sim: ThreadedSimulator) -> None:
    assert desk("act", "block", "--value", "a@bad.test", "--expires", "1s")[0] == 0
    assert desk("act", "block", "--value", "stays@bad.test", "--expires", "1d")[0] == 0
    assert sorted(values(sim)) == ["a@bad.test", "stays@bad.test"]
    code, _, err = desk("collect", "--for", "3")
    assert code == 0, err
    assert values(sim) == ["stays@bad.test"]
    newest, *rest = json.loads(desk("history", "--json")[1])
    assert (newest["actor"], newest["action"], newest["status"]) == ("expiry", "delete", "succeeded")
    assert [row["status"] for row in rest] == ["succeeded", "undone"]
