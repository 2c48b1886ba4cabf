"""Sigma rules as files: read within bounds, never by what YAML could be made to do, and a playbook that harms nobody."""

import pytest

from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import NOTIFY
from pod_desktop.services.sigma import Converted
from pod_desktop.services.sigma_file import DEPTH, FILE_BYTES, NODES, read_sigma_file, sigma_playbook

RULE = """title: Invoice
detection:
  s: {subject|contains: invoice}
  condition: s
"""


@pytest.fixture
def read(tmp_path):
    def call(text):
        path = tmp_path / "rule.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_sigma_file(path)

    return call


def test_a_rule_is_read_and_what_else_the_file_holds_is_said(read):
    assert read(RULE).query == "subject:*invoice*"
    assert read(b"\xef\xbb\xbf" + RULE.encode()).unmapped == ()
    more = "---\ntitle: Many\ncorrelation: {type: event_count}\n---\n" + RULE + "---\n- a list\n"
    assert [note.split(":")[0] for note in read(RULE + more).unmapped] == [
        "the correlation 'Many'", "the rule 'Invoice'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x\n" + RULE, "aliases"),
        ("a: &a [x]\nb: &b [*a, *a]\n" + RULE, "aliases"),
        ("a: " + "[" * (DEPTH + 1) + "]" * (DEPTH + 1), "nested"),
        ("a: " + "[" * 100_000, "nested"),
        ("a: [" + "1," * (NODES + 1) + "]", "too large"),
        ("a: !!python/object/apply:os.system [true]\n" + RULE, "no YAML"),
        ("a: [1\nb: 2", "no YAML"),
        ("date: 2026-13-45\n" + RULE, "does not know"),
        ("", "no Sigma rule"),
        ("just words", "no Sigma rule"),
        ("title: x\ndetection: [a]\n", "no Sigma rule"),
        (b"\xff\xfe", "UTF-8"),
        (b"#" * (FILE_BYTES + 1), "256 KiB"),
        ("title: a\x00b", "no YAML"),
    ],
)
def test_what_is_no_rule_or_none_to_trust_is_refused_in_words(read, text, words):
    with pytest.raises(UserFault) as caught:
        read(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("size", [0, 1])
def test_the_largest_file_is_read_and_one_byte_more_is_not(read, size):
    text = RULE + "#" * (FILE_BYTES - len(RULE) + size)
    if size:
        with pytest.raises(UserFault):
            read(text)
    else:
        assert read(text).title == "Invoice"


def test_the_playbook_only_notifies_and_has_a_name_of_its_own():
    rule = Converted(title="A \u202erule\n" + "x" * 500, query="subject:a", unmapped=())
    made = sigma_playbook(rule, "Acme")
    assert made.name.startswith("A rulexxx")
    assert [action.type for action in made.actions] == [NOTIFY]
    again = sigma_playbook(rule, "Acme", [made.name])
    assert again.name == f"{made.name} (2)"
    assert (
        sigma_playbook(Converted(title="\u202e", query="subject:a", unmapped=()), "Acme").name == "Sigma rule"
    )


def test_half_a_rule_is_no_playbook():
    with pytest.raises(UserFault) as caught:
        sigma_playbook(Converted(title="Odd", query="", unmapped=("the field 'x'",)), "Acme")
    assert caught.value.hint == "The field 'x'."
