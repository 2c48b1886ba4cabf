"""Where the service logs: all of it to a file, and to a terminal what is written for people."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pod_desktop import app


def test_what_libraries_say_goes_to_the_file_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with app._log_to(tmp_path / "pod-desktop.log", loud=True):
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        logging.getLogger("pod_desktop.services.collect").warning("The disk is nearly full.")
    assert capsys.readouterr().err == "The disk is nearly full.\n"
    written = (tmp_path / "pod-desktop.log").read_text()
    assert "socket.send() raised exception." in written and "The disk is nearly full." in written


def test_a_service_that_ended_leaves_no_handler_behind(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with pytest.raises(RuntimeError), app._log_to(tmp_path / "pod-desktop.log", loud=True):
        raise RuntimeError
    assert (list(root.handlers), root.level) == before
