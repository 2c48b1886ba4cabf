"""The simulated population: repeatable, coherent, and of the shapes that the service sends."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from email.header import decode_header, make_header
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, parse_iso
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.simulator import Generator, Item, localtime
from pod_desktop.simulator.generator import Flow, day_curve
from pod_desktop.simulator.maillog import LONGEST_DELAY
from pod_desktop.simulator.subjects import SUBJECTS, encoded

MORNING = parse_iso("2026-11-23T17:00:00Z")


@pytest.fixture(scope="module")
def busy_hour() -> dict[str, list[Item]]:
    generator = Generator(archive_rate=0.6)
    return {kind: list(generator.hour(kind, MORNING)) for kind in CONTENT_TYPES}


@pytest.fixture(scope="module")
def mails(busy_hour: dict[str, list[Item]]) -> list[dict[str, Any]]:
    return [json.loads(item.frame) for item in busy_hour["message"]]


@pytest.fixture(scope="module")
def lines(busy_hour: dict[str, list[Item]]) -> list[dict[str, Any]]:
    return [json.loads(item.frame) for item in busy_hour["maillog"]]


# Repeatable


@pytest.mark.parametrize("scenario", ["calm", "burst", "chaos", "hostile"])
def test_the_same_seed_makes_the_same_bytes_whatever_was_asked_before(scenario: str) -> None:
    first = Generator(7, "acme_hosted", scenario, archive_rate=0.1)
    second = Generator(7, "acme_hosted", scenario, archive_rate=0.1)
    list(second.records("maillog", MORNING - 3 * HOUR, MORNING + 20 * MINUTE))
    for kind in CONTENT_TYPES:
        assert list(first.hour(kind, MORNING)) == list(second.hour(kind, MORNING))


def test_another_seed_or_cluster_makes_other_records() -> None:
    ids = [
        {item.rid for item in Generator(seed, cluster).hour("message", MORNING)}
        for seed, cluster in ((1, "acme_hosted"), (2, "acme_hosted"))
    ]
    assert ids[0] and not ids[0] & ids[1]


@given(cut=st.integers(1, HOUR - 1))
@settings(max_examples=8, deadline=None)
def test_an_hour_is_the_sum_of_its_pieces_however_it_is_cut(cut: int) -> None:
    generator = Generator(archive_rate=0.1)
    whole = list(generator.hour("maillog", MORNING))
    first = list(generator.records("maillog", MORNING, MORNING + cut))
    rest = list(generator.records("maillog", MORNING + cut, MORNING + HOUR))
    assert first + rest == whole


@pytest.mark.parametrize("scenario", ["calm", "chaos", "hostile"])
def test_what_went_live_is_what_the_archive_of_that_hour_holds(scenario: str) -> None:
    live_from = MORNING + 13 * MINUTE + 123_456
    generator = Generator(3, "acme_hosted", scenario, archive_rate=0.2, rate=1, live_from=live_from)
    flow = Flow(generator, begin=live_from, by_release=True)
    live = [item for step in range(1, 60) for item in flow.until(live_from + step * 40 * SECOND)]
    end = live_from + 59 * 40 * SECOND
    for kind in CONTENT_TYPES:
        expected = [
            item for item in generator.records(kind, live_from - HOUR, end) if live_from <= item.release < end
        ]
        assert sorted(item for item in live if item.kind == kind) == sorted(expected)
        assert expected


def test_live_records_come_at_the_rate_that_was_asked_for() -> None:
    generator = Generator(rate=60, live_from=MORNING)
    flow = Flow(generator, begin=MORNING + MINUTE, by_release=True)
    assert len(flow.until(MORNING + 4 * MINUTE)) == pytest.approx(60 * 180, rel=0.06)


def test_a_week_of_the_default_archive_is_what_a_demo_can_fetch() -> None:
    assert mean(day_curve(MORNING + hour * HOUR) for hour in range(7 * 24)) == pytest.approx(1, abs=0.02)
    generator = Generator()
    day = sum(1 for kind in CONTENT_TYPES for _ in generator.records(kind, MORNING, MORNING + DAY))
    assert 5_000 < day < 16_000


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(UserFault, match="calm, busy, burst, chaos, hostile"):
        Generator(scenario_name="quiet")


# Shape


def test_ids_are_unique_and_of_the_services_form(busy_hour: dict[str, list[Item]]) -> None:
    for kind, items in busy_hour.items():
        assert len({item.rid for item in items}) == len(items)
        for item in items:
            record = json.loads(item.frame)
            assert record["id" if kind == "maillog" else "guid"] == item.rid
    assert {len(item.rid) for item in busy_hour["message"]} == {32}
    assert {len(item.rid) for item in busy_hour["maillog"]} == {22}


def test_sizes_and_proportions_are_those_of_the_field(busy_hour: dict[str, list[Item]]) -> None:
    sizes = {kind: [len(item.frame) for item in items] for kind, items in busy_hour.items()}
    assert 2_300 < mean(sizes["message"]) < 3_600
    assert min(sizes["message"]) > 900
    assert 600 < mean(sizes["maillog"]) < 1_000
    assert 450 < mean(sizes["audit"]) < 800
    assert len(sizes["maillog"]) / len(sizes["message"]) == pytest.approx(2.6, abs=0.25)


def test_times_carry_the_clusters_zone_and_lie_in_the_hour(
    mails: list[dict[str, Any]], lines: list[dict[str, Any]], busy_hour: dict[str, list[Item]]
) -> None:
    stamps = [record["ts"] for record in mails + lines]
    assert all(re.fullmatch(r"2026-11-23T09:\d\d:\d\d\.\d{6}-08(00|:00)", text) for text in stamps)
    assert any(text.endswith("-08:00") for text in stamps)
    assert [parse_iso(record["ts"]) for record in lines] == [item.time for item in busy_hour["maillog"]]


def test_summer_time_moves_the_offset() -> None:
    assert localtime.stamp(parse_iso("2026-07-01T19:00Z")) == "2026-07-01T12:00:00.000000-0700"
    assert localtime.stamp(parse_iso("2026-11-01T08:59:59Z")) == "2026-11-01T01:59:59.000000-0700"
    assert localtime.stamp(parse_iso("2026-11-01T09:00Z"), colon=True) == "2026-11-01T01:00:00.000000-08:00"


def test_every_field_of_the_published_records_is_there(
    mails: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    def paths(value: Any, at: str = "") -> set[str]:
        if isinstance(value, dict):
            return set().union(*(paths(part, f"{at}.{key}") for key, part in value.items()), {at})
        if isinstance(value, list):
            return set().union(*(paths(part, at) for part in value), {at})
        return {at}

    def of_samples(kind: str) -> set[str]:
        file = Path(__file__).parents[1] / "data" / f"{kind}.ndjson"
        return set().union(
            *(paths(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())
        )

    made = set().union(*(paths(record) for record in mails))
    assert of_samples("message") - made <= {".msgParts.textExtracted", ".filter.pe"}
    assert of_samples("maillog") <= set().union(*(paths(record) for record in lines))


# Coherence


def test_both_records_of_a_mail_tell_the_same_story(
    mails: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    by_qid: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        by_qid[line["sm"]["qid"]].append(line)
    recipients: dict[str, set[str]] = defaultdict(set)
    for mail in mails:
        recipients[mail["filter"]["qid"]].update(mail["envelope"]["rcpts"])
    joined = 0
    for mail in mails:
        story = by_qid.get(mail["filter"]["qid"], [])
        arrivals = [line["sm"] for line in story if "from" in line["sm"]]
        if "-" in mail["filter"]["qid"]:
            assert not story
        if not arrivals:
            continue
        joined += 1
        assert arrivals[0]["from"].strip("<>") == mail["envelope"]["from"].strip("<>")
        assert arrivals[0]["msgid"] == mail["msg"]["header"]["message-id"][0]
        assert arrivals[0]["sizeBytes"] == str(mail["filter"]["msgSizeBytes"])
        data = mail["metadata"]["origin"]["data"]
        assert {line["metadata"]["origin"]["data"]["agent"] for line in story} == {data["agent"]}
        assert {line["metadata"]["origin"]["data"]["cid"] for line in story} == {data["cid"]}
        told = {to.strip("<>") for line in story for to in line["sm"].get("to", ())} - {"/dev/null"}
        assert told <= recipients[mail["filter"]["qid"]]
    assert joined > len(mails) * 0.9


def test_what_the_filter_keeps_goes_nowhere(mails: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    kept = {m["filter"]["qid"] for m in mails if m["filter"]["disposition"] == "discard"}
    ends = [line["sm"] for line in lines if "to" in line["sm"] and line["sm"]["qid"] in kept]
    assert len(ends) > 30
    assert {tuple(sm["to"]) for sm in ends} == {("/dev/null",)}
    assert {sm["mailer"] for sm in ends} == {"*file*"}


def test_a_deferred_mail_is_tried_again_and_ends() -> None:
    generator = Generator(archive_rate=0.3)
    stories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in generator.records("maillog", MORNING, MORNING + HOUR + LONGEST_DELAY):
        record = json.loads(item.frame)
        if "to" in record["sm"]:
            stories[record["sm"]["qid"]].append({**record["sm"], "time": item.time})
    deferred = [
        story
        for story in stories.values()
        if story[0]["stat"].startswith("Deferred") and story[0]["time"] < MORNING + HOUR
    ]
    assert len(deferred) > 5
    for story in deferred:
        assert len(story) >= 2
        assert story[-1]["time"] - story[0]["time"] >= 5 * MINUTE
        assert not story[-1]["stat"].startswith("Deferred")
        delays = [line["delay"] for line in story]
        assert delays == sorted(delays)
    assert {story[-1]["dsn"][0] for story in deferred} == {"2", "5"}


def test_scores_folders_and_dispositions_agree(mails: list[dict[str, Any]]) -> None:
    for mail in mails:
        told = mail["filter"]
        folder = told.get("quarantine", {}).get("folder", "")
        final = [action for action in told["actions"] if action.get("isFinal")]
        assert len(final) == 1
        if folder == "Phish":
            assert told["modules"]["spam"]["scores"]["classifiers"]["phish"] >= 80
            assert told["disposition"] == "discard"
        if folder == "Virus":
            assert told["modules"]["av"]["virusNames"]
        if told["disposition"] == "reject":
            assert "-" in told["qid"] and mail["msgParts"] == []
    folders = Counter(mail["filter"].get("quarantine", {}).get("folder", "") for mail in mails)
    assert {"Quarantine", "Phish", "Bulk", "Impostor"} <= set(folders)
    assert {mail["filter"]["disposition"] for mail in mails} == {
        "accept",
        "continue",
        "discard",
        "reject",
        "retry",
    }
    assert {mail["filter"]["routeDirection"] for mail in mails} == {"inbound", "outbound", "internal"}


def test_a_split_message_names_its_parent_and_shares_its_queue_file(mails: list[dict[str, Any]]) -> None:
    by_guid = {mail["guid"]: mail for mail in mails}
    children = [mail for mail in mails if "origGuid" in mail["filter"]]
    assert children
    for child in children:
        parent = by_guid[child["filter"]["origGuid"]]
        assert child["filter"]["qid"] == parent["filter"]["qid"]
        assert not set(child["envelope"]["rcpts"]) & set(parent["envelope"]["rcpts"])


def test_the_population_has_what_analysts_meet(mails: list[dict[str, Any]]) -> None:
    senders = Counter(mail["envelope"]["from"] for mail in mails)
    domains = Counter(sender.rpartition("@")[2] for sender in senders.elements())
    assert senders.keys() & {"", "<>"}, "null senders"
    assert domains.most_common(1)[0][1] > 20 * min(domains.values()), "a few send most"
    assert sum(sender.startswith("bounce-") for sender in senders) > 50, "one-off bounce addresses"
    langs = {mail["msg"]["lang"] for mail in mails}
    assert langs >= {"en", "de", "fr", "es", "pt", "ja", "zh", "ko", "ar", "ru", "hi"}
    assert len({mail["connection"]["country"] for mail in mails}) > 12
    hashes = Counter(
        part["sha256"] for mail in mails for part in mail["msgParts"] if part["disposition"] == "attached"
    )
    assert hashes.most_common(1)[0][1] > 1, "the same file travels"
    assert any(
        url["isRewritten"] for mail in mails for part in mail["msgParts"] for url in part.get("urls", ())
    )
    assert any("tls" not in mail["connection"] for mail in mails)
    shown = {mail["msg"]["header"].get("from", [""])[0] for mail in mails}
    assert any("paypa1-secure.example" in text or "rnicrosoft-login.example" in text for text in shown)


def test_raw_and_normalised_headers_say_the_same(mails: list[dict[str, Any]]) -> None:
    checked = 0
    for mail in mails:
        raw, normal = mail["msg"]["header"], mail["msg"]["normalizedHeader"]
        if normal and "=?" in raw["subject"][0]:
            checked += 1
            assert str(make_header(decode_header(raw["subject"][0]))) == normal["subject"][0]
    assert checked > 50


@given(
    text=st.text(min_size=1, max_size=80),
    lang=st.sampled_from(sorted(SUBJECTS["work"])),
    choice=st.integers(0, 6),
)
def test_encoded_words_are_ascii_and_decode_to_the_text(text: str, lang: str, choice: int) -> None:
    text = "é" + text.replace("\n", " ").replace("\r", " ")
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    header = encoded(text, lang, choice)
    assert header.isascii() and all(len(line) <= 76 for line in header.split("\r\n "))
    assert "".join(part.decode(charset or "ascii") for part, charset in decode_header(header)) == text  # type: ignore[union-attr]


def test_a_phishing_wave_has_many_senders_and_one_address() -> None:
    generator = Generator(scenario_name="burst", archive_rate=0.6)
    wave = generator.records("message", MORNING, MORNING + 3 * MINUTE)
    urls: dict[str, set[str]] = defaultdict(set)
    for item in wave:
        record = json.loads(item.frame)
        for part in record["msgParts"]:
            for url in part.get("urls", ()):
                urls[url["url"]].add(record["envelope"]["from"])
    assert max(map(len, urls.values())) > 30


def test_late_lines_do_not_outlast_what_the_flow_looks_back() -> None:
    generator = Generator(archive_rate=1)
    for item in generator.records("maillog", MORNING, MORNING + 5 * MINUTE):
        delay = json.loads(item.frame)["sm"].get("delay", "00:00:00")
        hours, minutes, seconds = map(int, delay.split(":"))
        assert (hours * 60 + minutes) * MINUTE + seconds * SECOND <= LONGEST_DELAY + MINUTE
