"""Summary blocks as text: everything that is in them is there, and none of it steers a terminal."""

from __future__ import annotations

from pod_desktop.cli.blocks import as_json, as_text
from pod_desktop.core.blocks import Chip, Chips, Fact, Facts, Lines, Notice, Score, Scores

BLOCKS = (
    Notice("Replies go elsewhere."),
    Notice("Outbound."),
    Facts((Fact("Sender", "a@x\nb@x", chips=(Chip("new"),)), Fact("SPF", "", chips=(Chip("pass"),))), "Mail"),
    Chips("Flags", (Chip("hidden characters (3)"),)),
    Scores("Scores", (Score("phish", 12.5),)),
    Lines("URLs", ("hxxp://x[.]example", "\x1b[2J")),
)


def test_blocks_read_as_text() -> None:
    assert list(as_text(BLOCKS)) == [
        "! Replies go elsewhere.",
        "! Outbound.",
        "",
        "Mail",
        "  Sender            a@x  [new]",
        "                    b@x",
        "  SPF               [pass]",
        "",
        "Flags",
        "  [hidden characters (3)]",
        "",
        "Scores",
        "  phish             12.5 of 100",
        "",
        "URLs",
        "  hxxp://x[.]example",
        "  ‹U+001B›[2J",
    ]


def test_blocks_as_json_name_their_kind() -> None:
    objects = as_json(BLOCKS)
    assert [each["block"] for each in objects] == ["notice", "notice", "facts", "chips", "scores", "lines"]
    assert objects[2]["rows"][0]["chips"][0]["text"] == "new"
