"""What an analyst reads of a record: suspicions first, then what became of it and why."""

from __future__ import annotations

from typing import Any

import pytest

from builders import MISSING, as_bytes, audit, maillog_from, maillog_to, message, part, real
from pod_desktop import content
from pod_desktop.core.blocks import BAD, GOOD, INFO, MUTED, WARN, Chips, Fact, Facts, Lines, Notice, Scores


def blocks_of(record: Any, kind: str = "message") -> tuple[Any, ...]:
    raw = record if isinstance(record, bytes) else as_bytes(record)
    return content.summary(kind, content.document(raw).value, content.read(kind, raw, 5))


def notices(record: Any, kind: str = "message") -> list[tuple[str, str]]:
    return [(block.text, block.tone) for block in blocks_of(record, kind) if isinstance(block, Notice)]


def rows(record: Any, kind: str = "message") -> dict[str, Fact]:
    return {
        row.label: row for block in blocks_of(record, kind) if isinstance(block, Facts) for row in block.rows
    }


def one(record: Any, shape: type) -> Any:
    [block] = [block for block in blocks_of(record) if isinstance(block, shape)]
    return block


def test_an_honest_message_raises_no_suspicion() -> None:
    assert notices(message()) == []


def test_the_facts_of_a_phish() -> None:
    phish = message(
        sender="billing@paypa1-secure.example", header_from='"PayPal Support" <service@paypal.example>',
        folder="Phish", disposition="discard", rule="phish_strict", score=98, country="de", ip="185.220.101.7",
        recipients=["j.meyer@acme.example", "t.ito@acme.example"],
    )  # fmt: skip
    found = rows(phish)

    assert found["Disposition"].value == "folder Phish · module spam"
    assert [(chip.text, chip.tone) for chip in found["Disposition"].chips] == [("Quarantined", BAD)]
    assert found["Rule"].value == "phish_strict"
    assert found["Envelope from"].value == "billing@paypa1-secure.example"
    assert found["Header from"].value == '"PayPal Support" <service@paypal.example>'
    assert found["Recipients"].value == "j.meyer@acme.example, t.ito@acme.example"
    assert found["Source"].value == "185.220.101.7 (de) · mail.supplier.example · TLS 1.3"
    assert found["Routes"].value == "default_inbound"
    assert found["Size"].value == "48.2 KB · 1 part"
    assert found["Envelope from"].mono


def test_missing_members_are_left_out() -> None:
    assert set(rows({"guid": "x"})) == {"Disposition", "Envelope from"}
    assert rows({"guid": "x"})["Envelope from"].value == "<> (no sender)"


def test_clear_text_is_called_so() -> None:
    assert rows(message(**{"connection.tls": MISSING}))["Source"].value.endswith(" · no TLS")


@pytest.mark.parametrize(
    ("header_from", "words"),
    [
        ('"PayPal Support" <service@paypa1-secure.example>',
         "Display name “PayPal Support” does not match domain paypa1-secure.example, which imitates it."),
        ('"ceo@acme.example" <x@evil.example>',
         "Display name “ceo@acme.example” shows another address than x@evil.example."),
        ('"Help at paypal.com" <x@evil.example>',
         "Display name “Help at paypal.com” names another domain than evil.example."),
        ("=?utf-8?Q?ceo=40acme.example?= <x@evil.example>",
         "Display name “ceo@acme.example” shows another address than x@evil.example."),
    ],
)  # fmt: skip
def test_a_display_name_that_claims_another_sender_is_called_out(header_from: str, words: str) -> None:
    assert (words, BAD) in notices(message(sender="x@evil.example", header_from=header_from))


@pytest.mark.parametrize(
    "header_from",
    ['"x@evil.example" <x@evil.example>', '"Evil (evil.example)" <x@mail.evil.example>', '"Bob Smith" <x@evil.example>',
     '"report.pdf" <x@evil.example>', '"PayPal" <x@paypal.example>'],
)  # fmt: skip
def test_a_display_name_that_fits_is_not_called_out(header_from: str) -> None:
    assert [words for words, _ in notices(message(header_from=header_from)) if "Display name" in words] == []


def test_domains_that_differ_are_called_out() -> None:
    differing = message(sender="x@bounce.mailer.example", header_from="news@shop.test")
    failed = {"filter.modules.dmarc.filterdResult": "fail"}
    words = "Header from is at shop.test, the envelope sender at bounce.mailer.example"

    assert (f"{words} (DMARC passed).", INFO) in notices(differing)
    assert (f"{words}.", WARN) in notices(
        message(sender="x@bounce.mailer.example", header_from="news@shop.test", **failed)
    )
    assert notices(message(sender="x@bounce.google.com", header_from="news@google.com")) == []


def test_replies_that_go_elsewhere_are_called_out() -> None:
    record = message(**{"msg.header.reply-to": ["Boss <boss@else.test>"]})

    assert ("Replies go to another domain: boss@else.test.", WARN) in notices(record)


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("acmе.test", "Domain acmе.test (xn--acm-tdd.test) mixes Latin and Cyrillic letters."),
        (
            "xn--80ak6aa92e.test",
            "Domain аррӏе.test (xn--80ak6aa92e.test) looks like apple.test, with other letters.",
        ),
        ("acrne.example", "Domain acrne.example looks like acme.example, the recipients' own."),
    ],
)
def test_look_alike_domains_are_shown_in_both_ways(domain: str, words: str) -> None:
    assert (words, BAD) in notices(message(sender=f"x@{domain}"))


def test_an_honest_foreign_domain_is_only_mentioned() -> None:
    assert ("Domain 中国.test (xn--fiqs8s.test) is written in Han and Latin.", INFO) in notices(
        message(sender="x@xn--fiqs8s.test")
    )


def test_hidden_characters_are_named_and_marked() -> None:
    record = message(subject="pay\u202epal", parts=[part("invoice\u202efdp.exe")])

    assert ("Hidden characters in the subject (1): U+202E RIGHT-TO-LEFT OVERRIDE.", BAD) in notices(record)
    assert ("Hidden characters in an attachment's name (1): U+202E RIGHT-TO-LEFT OVERRIDE.", BAD) in notices(
        record
    )
    lists = [line for block in blocks_of(record) if isinstance(block, Lines) for line in block.lines]
    assert lists[0].startswith("invoice‹U+202E›fdp.exe · ")
    spoken = [*lists, *(row.value for row in rows(record).values()), *(text for text, _ in notices(record))]
    assert not any("\u202e" in text for text in spoken)


def test_mail_of_the_filter_itself_and_of_our_own_is_said() -> None:
    found = notices(message(ip="127.0.0.1", direction="outbound"))

    assert [tone for _, tone in found] == [INFO, INFO]
    assert "127.0.0.1" in found[0][0]
    assert found[1][0] == "Outbound: this message was sent from inside."


def test_a_copy_for_audit_is_told_from_a_quarantine_that_let_go() -> None:
    assert notices(real("message")[1])[0] == (
        "A copy was kept in folder Audit; the message itself went on (accept).", INFO,
    )  # fmt: skip
    let_go = message(folder="Spam", rule="spam_definite", disposition="continue")
    assert notices(let_go)[0] == (
        "Quarantined in folder Spam, but the disposition is continue: the recipients may have the message as well.",
        WARN,
    )


def test_authentication_is_chips_with_the_policy() -> None:
    record = message(
        **{
            "filter.modules.spf.result": "fail",
            "filter.modules.dkimv": [{"domain": "a", "result": "pass"}, {"domain": "b", "result": "none"}],
            "filter.modules.dmarc.filterdResult": "fail",
        }
    )

    assert [(chip.text, chip.tone) for chip in one(record, Chips).chips] == [
        ("SPF fail", BAD), ("DKIM pass", GOOD), ("DKIM none", MUTED), ("DMARC fail · p=reject", BAD),
    ]  # fmt: skip


def test_scores_are_those_from_0_to_100() -> None:
    assert [(row.label, row.value, row.tone) for row in one(message(score=98), Scores).rows] == [
        ("overall", 98.0, BAD), ("phish", 0.0, MUTED), ("bulk", 98.0, BAD),
    ]  # fmt: skip


def test_attachments_and_urls_are_listed_safely() -> None:
    record = message(
        parts=[part("text.html", urls=["https://evil.test/a"]), part("scan.pdf", detected="exe", urls=(), isProtected=True)],
        **{"filter.modules.urldefense": {"counts": {"rewritten": 1}}},
    )  # fmt: skip
    attachments, urls = [block for block in blocks_of(record) if isinstance(block, Lines)]

    assert attachments.lines[0].startswith("scan.pdf · 12.1 KB · password-protected · sha256 3b97")
    assert (urls.title, urls.lines) == ("URLs (1, 1 rewritten by URL Defense)", ("hxxps://evil[.]test/a",))
    assert ("scan.pdf is labelled pdf, but it is exe.", WARN) in notices(record)


def test_long_lists_are_cut_with_a_count() -> None:
    record = message(parts=[part("text.html", urls=[f"https://e.test/{n}" for n in range(1_234)])])
    found = one(record, Lines)

    assert found.title == "URLs (1,234)"
    assert (len(found.lines), found.lines[-1]) == (51, "+1,184 more")


def test_a_virus_comes_first() -> None:
    record = message(**{"filter.modules.av": {"virusNames": ["Eicar-Test"]}, "connection.ip": "127.0.0.1"})

    assert notices(record)[0] == ("Virus found: Eicar-Test.", BAD)


@pytest.mark.parametrize(
    ("record", "words", "tone"),
    [
        (maillog_to(), "Delivered to j.meyer@acme.example, taken by mx1.acme.example. [192.0.2.41]: Ok: queued.", GOOD),
        (maillog_to(stat="Deferred: 451 4.7.1 Greylisted", dsn="4.7.1"),
         "Deferred, sendmail will try again for j.meyer@acme.example: 451 4.7.1 Greylisted.", WARN),
        (maillog_to(stat="User unknown", dsn="5.1.1"), "Bounced for j.meyer@acme.example (User unknown).", BAD),
        (maillog_to(to=["/dev/null"], mailer="*file*"), "Discarded: written to /dev/null, nobody gets this copy.", WARN),
        (maillog_from(), "Taken into the queue from billing@supplier.example by m0000123.ppops.net [127.0.0.1].", INFO),
    ],
)  # fmt: skip
def test_a_line_of_the_mail_log_is_told_in_words(record: dict, words: str, tone: str) -> None:
    assert notices(record, "maillog") == [(words, tone)]


def test_the_facts_of_a_line() -> None:
    found = rows(maillog_to(delay="1+02:03:04"), "maillog")

    assert found["Delay"].value == "1 d 2 h"
    assert found["Status code"].value == "2.0.0"
    assert found["Relay"].value == "mx1.acme.example. [192.0.2.41]"
    assert found["TLS"].value == "TLSv1.2 · ECDHE-RSA-AES256-GCM · verify OK"
    assert [chip.text for chip in found["Outcome"].chips] == ["Delivered", "stat=Sent"]
    assert rows(maillog_to(tls=MISSING, **{"sm.tls": {"verify": "NONE"}}), "maillog")["TLS"].value == "none"


def test_an_audit_record_is_told_in_words() -> None:
    assert notices(audit(), "audit") == [
        ("admin@acme.example · edit default_inbound policy_routes · from 203.0.113.9", INFO)
    ]
    assert rows(audit(), "audit")["Who"].value == "admin@acme.example"


def test_an_unreadable_record_says_why_and_how_it_begins() -> None:
    raw = b"\x1b[31mnot json"
    columns = content.read("message", raw, 5)
    found = content.summary("unreadable", content.document(raw).value, columns)
    by_excerpt = content.summary("unreadable", content.document(raw).excerpt, columns)

    assert found == by_excerpt
    assert found == (
        Notice("It is no JSON: expecting value at character 1 of 13.", BAD),
        Lines("As received", ("\\x1b[31mnot json",)),
    )
