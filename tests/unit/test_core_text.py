"""Text made safe to look at: hidden characters, spoofed domains, defanging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pace import quick
from pod_desktop.core import text

HIDDEN = [
    *(0x00, 0x01, 0x07, 0x08, 0x0B, 0x0C, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9B, 0x9F),  # controls
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180E),
    *(0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029),
    *(0x202A, 0x202B, 0x202C, 0x202D, 0x202E),  # bidi embeddings and overrides
    *(0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x206A, 0x206F),
    *(0x2800, 0x3164, 0xFE00, 0xFE0E, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB, 0xFDD0, 0xFFFE),
    *(0x1D173, 0x1BCA0, 0xE0001, 0xE0020, 0xE0041, 0xE007F, 0xE0100, 0xE01EF),
]


def test_there_are_sixty_code_points_in_the_list() -> None:
    assert len(set(HIDDEN)) >= 60


@pytest.mark.parametrize("code", HIDDEN, ids=lambda code: f"U+{code:04X}")
def test_a_hidden_character_is_found_named_and_marked(code: int) -> None:
    written = f"pay{chr(code)}pal"

    assert text.hides(written)
    [found] = text.hidden_characters(written)
    assert (found.place, found.codepoint) == (3, f"U+{code:04X}")
    assert found.name
    assert text.visible(written) == f"pay‹U+{code:04X}›pal"


@pytest.mark.parametrize(
    "honest",
    [
        "Your invoice",
        "Grüße aus Köln — 50 %",
        "日本語の件名　全角",
        "👩‍👩‍👧 family",  # joiners inside one emoji
        "❤️ thanks ©️ 1️⃣",  # selectors behind pictures and keycaps
        "👩🏽‍🚀 up",
        "می‌خواهم",  # zero-width non-joiner between Arabic letters
        "क्‍ष",
        "tab\tand\nline",
        "a\u00a0b",
    ],
)
def test_honest_text_hides_nothing(honest: str) -> None:
    assert not text.hides(honest)
    assert text.hidden_characters(honest) == []
    assert text.visible(honest) == honest


def test_a_joiner_between_latin_letters_hides() -> None:
    assert [one.codepoint for one in text.hidden_characters("pay\u200dpal\ufe0f")] == ["U+200D", "U+FE0F"]


@given(st.text(max_size=60))
def test_hides_says_what_hidden_characters_lists(written: str) -> None:
    assert text.hides(written) == bool(text.hidden_characters(written))
    assert not text.hides(text.visible(written))


SPOOFS = [
    ("раypal.example", "mixes Cyrillic and Latin letters"),
    ("paypаl.example", "mixes Latin and Cyrillic letters"),
    ("аррӏе.example", "looks like apple.example, with other letters"),
    ("аррӏе.соm", "mixes Cyrillic and Latin letters"),
    ("gооgle.example", "mixes Latin and Cyrillic letters"),
    ("gοοgle.example", "mixes Latin and Greek letters"),
    ("micrоsоft.example", "mixes Latin and Cyrillic letters"),
    ("ｐａｙｐａｌ.example", "is written with styled letters that stand for plain ones"),
    ("𝗉aypal.example", "is written with styled letters that stand for plain ones"),
    ("ⓟaypal.example", "is written with styled letters that stand for plain ones"),
    ("paypal\u200b.example", "holds hidden characters"),
    ("pay\u00adpal.example", "holds hidden characters"),
    ("pay\u202epal.example", "holds hidden characters"),
    ("bıng.example", "looks like bing.example, with other letters"),
    ("ɡoogle.example", "looks like google.example, with other letters"),
    ("páypal.example", "looks like paypal.example, with other letters"),
    ("paypał.example", "looks like paypal.example, with other letters"),
    ("xn--80ak6aa92e.example", "looks like apple.example, with other letters"),
    ("xn--pypal-4ve.example", "mixes Latin and Cyrillic letters"),
    ("xn--!!.example", "is encoded, and cannot be decoded"),
    ("օոeplus.example", "mixes Armenian and Latin letters"),
    ("teѕt.example", "mixes Latin and Cyrillic letters"),
]


@pytest.mark.parametrize(("domain", "reason"), SPOOFS)
def test_a_spoofed_domain_is_told(domain: str, reason: str) -> None:
    found = text.disguise(domain)

    assert found is not None
    assert found.reason == reason
    assert found.punycode.isascii()


@pytest.mark.parametrize("domain", ["paypal.example", "a.b-c.co.uk", "xyz1.example", ""])
def test_a_plain_domain_is_not_suspected(domain: str) -> None:
    assert text.disguise(domain) is None


def test_an_honest_foreign_domain_is_shown_but_not_accused() -> None:
    found = text.disguise("xn--fiqs8s.example")

    assert found is not None
    assert found.shown == "中国.example"
    assert found.punycode == "xn--fiqs8s.example"
    assert found.reason == "is written in Han and Latin"


@pytest.mark.parametrize(
    ("one", "known"),
    [
        ("acrne.example", "acme.example"),
        ("paypa1.example", "paypal.example"),
        ("paypaI.example", "paypal.example"),
        ("g00gle.example", "google.example"),
        ("acmе.example", "acme.example"),
        ("xn--80ak6aa92e.com", "apple.com"),
        ("vvidget.example", "widget.example"),
    ],
)
def test_a_look_alike_resembles_the_known_domain(one: str, known: str) -> None:
    assert text.resembles(one, known)


@pytest.mark.parametrize(
    ("one", "known"),
    [
        ("acme.example", "acme.example"),
        ("ACME.example.", "acme.example"),
        ("mail.acme.example", "acme.example"),
        ("partner.example", "acme.example"),
        ("", "acme.example"),
    ],
)
def test_the_known_domain_and_strangers_do_not_resemble_it(one: str, known: str) -> None:
    assert not text.resembles(one, known)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://evil.example/login.php?x=1", "hxxps://evil[.]example/login.php?x=1"),
        ("HTTP://Evil.example", "HXXP://Evil[.]example"),
        ("https://paypal.example@evil.example/", "hxxps://paypal[.]example[@]evil[.]example/"),
        ("http://10.0.0.1:8080/a", "hxxp://10[.]0[.]0[.]1:8080/a"),
        ("https://r.example/?u=https://evil.example/", "hxxps://r[.]example/?u=hxxps://evil.example/"),
        (
            "https://r.example/?u=https%3A%2F%2Fevil.example",
            "hxxps://r[.]example/?u=hxxps%3A%2F%2Fevil.example",
        ),
        ("billing@evil.example", "billing[@]evil[.]example"),
        ("mailto:a@evil.example", "mailto:a[@]evil[.]example"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        ("file:///etc/passwd", "file[:]///etc/passwd"),
        ("\\\\evil.example\\share", "\\\\evil[.]example\\share"),
        ("www.evil.example/path", "www[.]evil[.]example/path"),
        ("evil.example:8080/x", "evil[.]example:8080/x"),
        ("", ""),
    ],
)
def test_nothing_defanged_is_a_link(written: str, shown: str) -> None:
    assert text.defang(written) == shown


def test_clip_says_that_it_cut() -> None:
    assert text.clip("abcdef", 6) == "abcdef"
    assert text.clip("abcdefg", 6) == "abcde…"


@given(st.binary(max_size=80), st.integers(0, 40))
def test_printable_is_printable_and_bounded(raw: bytes, limit: int) -> None:
    shown = text.printable(raw, limit)

    assert len(shown) <= limit
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    shown.encode()


def test_scripts_come_in_order_of_appearance() -> None:
    assert text.scripts("pаypal-1 β") == ("Latin", "Cyrillic", "Greek")
    assert text.scripts("12.3-") == ()


@pytest.mark.parametrize(
    "hostile", ["xn--" + "a" * 59 + ".x", "ж" * 4_000, ".".join(["xn--0"] * 900), "й" * 60 + ".x"]
)
def test_hostile_domains_are_judged_quickly(hostile: str) -> None:
    with quick(0.5):
        text.disguise(hostile)
        text.resembles(hostile, hostile[::-1])


@given(st.text(max_size=80))
def test_no_text_makes_a_judgement_fail(written: str) -> None:
    text.disguise(written)
    text.defang(written)
    text.resembles(written, "acme.example")
    assert isinstance(text.skeleton(written), str)
