"""playbook add, import-sigma, list, show, backtest, run, arm, disable, remove, held, approve, dismiss, stop, go: as people script them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import as_bytes, message
from pod_desktop import app, cli, content, store
from pod_desktop.core import clock
from pod_desktop.core.action import Entry
from pod_desktop.core.guards import CONFIRM, Reason
from pod_desktop.core.playbook import playbook_from_file
from pod_desktop.core.playbook_limits import HELD
from pod_desktop.core.record import Arrival
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.store import FiringRow, Part, Turn
from pod_desktop.store.playbook_rows import OPEN
from pod_desktop.store.port import BACKFILL, Commit, Source

NOW = clock.SystemClock().now()
FILE = {
    "name": "Wave", "tenant": "Acme", "index": ["message"], "query": "outcome:quarantined", "group_by": "sender",
    "at_least": 2, "within": "10m", "every": None,
    "actions": [{"trigger": "condition_met", "type": "webhook_responder", "responder": "Block", "mute": "24h"}],
    "limits": {"per_minute": 10, "per_day": 100, "distinct": 25},
}  # fmt: skip
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    home = app.open_home(tmp_path)
    writer = home.open_writer()
    raws = [
        as_bytes(message(sender=sender, guid=f"g{number}", time=NOW - (60 - number) * clock.MINUTE, disposition="discard", folder="Phish"))
        for number, sender in enumerate(["a@bad.test", "a@bad.test", "b@bad.test"])
    ]  # fmt: skip
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    records = [Arrival(content.read("message", raw, NOW), raw) for raw in raws]
    writer.commit(Commit(source=source, lane=BACKFILL, records=records, stream="acme/message"))
    writer.close()
    home.close()
    return tmp_path


@pytest.fixture
def run(data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--data-dir", str(data), "playbook", *words], lambda: app)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def added(run: Run, data: Path) -> Run:
    assert run("add", "--file", str(file(data)))[0] == 0
    return run


def file(folder: Path, **changes: Any) -> Path:
    path = folder / "playbook.json"
    path.write_text(json.dumps(FILE | changes), encoding="utf-8")
    return path


def as_json(run: Run, *words: str) -> Any:
    code, out, err = run(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_playbook_arrives_in_dry_run_and_says_what_it_lacks(run: Run, data: Path) -> None:
    code, out, err = run("add", "--file", str(file(data)))
    assert code == 0
    assert "it is in dry run" in out
    assert "no enabled responder named Block" in err
    (listed,) = as_json(run, "list")
    assert {name: listed[name] for name in FILE} == FILE
    assert (listed["state"], listed["version"], listed["matches"]) == ("dry_run", 1, 0)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"color": "red"}, "color"),
        ({"query": "sender:("}, "query"),
        ({"group_by": "colour"}, "group_by"),
        ({"query": "marked:true AND outcome:quarantined"}, "query"),
        ({"query": "sender:a@b.test OR NOT comment:fine"}, "query"),
        ({"group_by": "comment"}, "group_by"),
        ({"actions": [{"type": "webhook_responder", "responder": "B", "body": "{"}]}, "actions[0]"),
    ],
)
def test_a_file_that_does_not_fit_is_bad_use(run: Run, data: Path, changes: Any, where: str) -> None:
    code, out, _ = run("add", "--file", str(file(data, **changes)), "--json")
    assert code == 2
    assert where in json.loads(out)["error"]["where"]


def test_a_backtest_has_the_documented_shape(added: Run) -> None:
    report = as_json(added, "backtest", "wave")
    assert (report["records"], report["looked_through"]) == (3, 3)
    (fired,) = report["firings"]
    assert (fired["key"], fired["outcome"]) == ("a@bad.test", "act")
    assert fired["records"] == ["message:g0", "message:g1"]
    assert clock.parse_iso(fired["time"]) == NOW - 59 * clock.MINUTE
    _, out, err = added("backtest", "Wave")
    assert "3 records match; it would have fired 1 times: 1 act." in out
    assert "shown as if it added to the Org Block List" in err


def test_arming_shows_the_backtest_and_disabling_switches_off(added: Run) -> None:
    code, out, err = added("arm", "Wave")
    assert (code, "acts from now on" in out) == (0, True)
    assert "The last 7 days: 3 of 3 records match" in err
    assert as_json(added, "disable", "Wave")["state"] == "off"
    assert as_json(added, "enable", "Wave")["state"] == "on"
    assert as_json(added, "dry-run", "Wave")["state"] == "dry_run"
    shown = as_json(added, "show", "Wave")
    assert [one["note"] for one in shown["history"]] == [
        "in dry run",
        "armed",
        "switched off",
        "armed",
        "created",
    ]
    assert added("show", "Wave")[0] == 0


def hold(data: Path, *reasons: Reason) -> int:
    playbooks = store.Playbooks(data / "playbooks.db")
    entry = playbooks.entry("Wave")
    row = FiringRow(
        playbook_id=entry.id, playbook="Wave", version=1, slot=0, type="webhook_responder", at=NOW, time=NOW, key="k",
        records=("message:g0",), outcome=HELD, status=OPEN, reasons=reasons, body="{}", expires=NOW + clock.DAY,
        entry=Entry(attribute="$from", operator="equal", value="boss@acme.test"),
    )  # fmt: skip
    part = Part(playbook_id=entry.id, version=1, state=entry.state, rows=[row])
    ((kept,), _) = playbooks.commit(Turn(now=NOW, parts=[part]))
    playbooks.close()
    return kept.id


def test_what_is_held_is_listed_approved_with_its_value_or_dismissed(added: Run, data: Path) -> None:
    assert added("held")[2] == "Nothing waits for a decision.\n"
    first, second = hold(data, Reason("own", CONFIRM, "It is yours.")), hold(data)
    assert [row["id"] for row in as_json(added, "held")] == [first, second]
    assert "boss@acme.test" in added("held")[1]
    code, _, err = added("approve", str(first))
    assert (code, "--confirm" in err) == (2, True)
    assert as_json(added, "approve", str(first), "--confirm", "boss@acme.test")["status"] == "approved"
    assert as_json(added, "dismiss", str(second))["status"] == "dismissed"
    assert added("dismiss", str(second))[0] == 2
    assert added("approve", "99")[0] == 2


def test_all_playbooks_are_stopped_and_go_on(added: Run, data: Path) -> None:
    assert "are stopped by" in added("stop")[1]
    assert "are stopped by" in added("list")[2]
    assert as_json(added, "go") == {"stopped": False, "why": ""}
    (data / "automation.stop").touch()
    assert "automation.stop" in added("go")[1]


def test_a_removed_playbook_is_gone(added: Run) -> None:
    assert added("remove", "Wave")[0] == 0
    assert as_json(added, "list") == []
    code, _, err = added("show", "Wave")
    assert (code, "There is no playbook named 'Wave'" in err) == (2, True)


def respond(data: Path, name: str, kind: str) -> None:
    home = app.open_home(data)
    one = RespondConnector(name=name, tenant="Acme", type=kind, cluster_id="c")
    home.ledger.add_connector(one, now=1, enabled=False)
    home.close()


@pytest.mark.parametrize("kind", [TYPES[1], TYPES[2]])
def test_what_lets_mail_through_is_refused_when_added_and_when_armed(run: Run, data: Path, kind: str) -> None:
    assert run("add", "--file", str(file(data)))[0] == 0
    respond(data, "block", kind)
    code, _, err = run("add", "--file", str(file(data, name="Other")))
    assert (code, "lets mail through" in err) == (2, True)
    code, _, err = run("arm", "Wave")
    assert (code, "lets mail through" in err) == (2, True)
    assert as_json(run, "show", "Wave")["state"] == "dry_run"


@pytest.mark.parametrize("kind", [TYPES[0], TYPES[3]])
def test_what_keeps_mail_away_may_be_done(run: Run, data: Path, kind: str) -> None:
    respond(data, "Block", kind)
    assert run("add", "--file", str(file(data)))[0] == 0


def test_run_on_history_shows_first_and_does_it_when_told(added: Run, data: Path) -> None:
    code, _, err = added("run", "Wave", "--yes")
    assert (code, "is not armed" in err) == (2, True)
    shown = as_json(added, "run", "Wave", "--dry-run")
    assert (shown["actions"], shown["done"], len(shown["firings"])) == (1, 0, 1)
    assert added("arm", "Wave")[0] == 0
    code, out, err = added("run", "Wave", "--since", "2h")
    assert (code, "a@bad.test" in out, "Add --yes" in err) == (2, True, True)
    playbooks = store.Playbooks(data / "playbooks.db")
    assert playbooks.to_send() == []
    assert as_json(added, "run", "Wave", "--until", "now-2h", "--yes")["done"] == 0
    assert as_json(added, "run", "Wave", "--yes")["done"] == 1
    (row,) = playbooks.to_send()
    assert (row.status, row.entry and row.entry.value, row.version) == ("approved", "a@bad.test", 1)
    playbooks.close()


SIGMA = """
title: Invoice from elsewhere
logsource: {category: email}
detection:
  selection: {Subject|contains: invoice, msg.header.x-odd: '1'}
  filter: {SenderFromDomain: acme.test}
  timeframe: 5m
  condition: selection and not filter
"""


def test_a_sigma_rule_arrives_off_and_says_what_it_lacks(run: Run, data: Path) -> None:
    rule = data / "rule.yml"
    rule.write_text(SIGMA, encoding="utf-8")
    code, out, err = run("import-sigma", str(rule), "--tenant", "Acme")
    assert (code, "it is off" in out, "Not in the query: timeframe" in err) == (0, True, True)
    (listed,) = as_json(run, "list")
    assert (listed["name"], listed["state"], listed["tenant"]) == ("Invoice from elsewhere", "off", "Acme")
    assert "subject:*invoice*" in listed["query"]
    again = as_json(run, "import-sigma", str(rule))
    assert (again["playbook"]["name"], len(again["unmapped"])) == ("Invoice from elsewhere (2)", 2)
    rule.write_text("title: Odd\ndetection: {s: {subject|base64: x}, condition: s}\n", encoding="utf-8")
    code, _, err = run("import-sigma", str(rule))
    assert (code, "cannot be a query" in err, "base64" in err) == (2, True, True)
    assert run("import-sigma", str(data / "none.yml"))[0] == 2


def test_each_version_says_who_when_and_what_changed(added: Run, data: Path) -> None:
    playbooks = store.Playbooks(data / "playbooks.db")
    changed = playbook_from_file(FILE | {"at_least": 5})
    playbooks.update("Wave", changed, author="bob", now=NOW)
    playbooks.close()
    newest, first = as_json(added, "show", "Wave")["history"]
    assert (newest["version"], newest["author"], newest["note"]) == (2, "bob", "edited")
    assert newest["changes"] == [{"key": "at_least", "before": "2", "after": "5"}]
    assert first["changes"] == []
    assert "at_least: 2 -> 5" in added("show", "Wave")[1]
