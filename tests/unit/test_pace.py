"""With every letter is asked what columns and indexes answer; the rest waits until typing pauses."""

from __future__ import annotations

import pytest

from pod_desktop.query import is_quick


@pytest.mark.parametrize(
    "text",
    [
        "", "invoice", '"quarterly report"', "sender.domain:example.com", "ip:198.19.7.0/24", "score:>=95",
        "outcome:bounced AND rule:phish", "filter.modules.spam.score:>5 AND qid:4ABC",
    ],
)  # fmt: skip
def test_what_columns_and_indexes_answer_is_quick(text: str) -> None:
    assert is_quick(text)


@pytest.mark.parametrize(
    "text",
    [
        "filter.modules.spam.score:>5", "filter.modules.spam.score:>5 OR qid:4ABC", "*voice",
        "sender:(", "no_such_field:1", "invoice " * 200,
    ],
)  # fmt: skip
def test_what_opens_many_records_or_is_not_understood_is_not(text: str) -> None:
    assert not is_quick(text)
