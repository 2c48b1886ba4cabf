"""Envelope addresses without their brackets: what is odd is kept whole, so that nobody is fooled by it."""

from __future__ import annotations

import pytest

from pod_desktop.content.mime import bare


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<a@b.example>", "a@b.example"),
        ("a@b.example", "a@b.example"),
        (" <> ", "<>"),
        ("<>", ""),
        ("A B <a@b.example>", "a@b.example"),
        ("<b>x</b>@bad.example", "<b>x</b>@bad.example"),
        ("<b>x</b><img src=http://x/y.png>@bad.example", "<b>x</b><img src=http://x/y.png>@bad.example"),
        ("ceo@acme.example <a@bad.example>", "ceo@acme.example <a@bad.example>"),
    ],
)
def test_an_address_loses_its_brackets_and_nothing_else(written: str, shown: str) -> None:
    assert bare(written) == shown
