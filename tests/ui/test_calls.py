"""The loop and the threads beside the window: answers come on the window's thread, and never from within the question."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest
import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.bridge import Worker


async def _seven() -> int:
    return 7


def test_an_answer_comes_on_the_windows_thread(qtbot: QtBot) -> None:
    calls, came = Calls(), []
    calls.ask(_seven, lambda answer: came.append((answer, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(came))
    assert came == [(7, threading.main_thread())]
    assert calls.stop()


def test_an_answer_that_is_there_at_once_still_waits_for_its_turn(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(coroutine: object, _loop: object) -> Future[int]:
        coroutine.close()  # type: ignore[attr-defined]
        done: Future[int] = Future()
        done.set_result(7)
        return done

    calls, came = Calls(), []
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "run_coroutine_threadsafe", at_once)
        calls.ask(_seven, came.append)
        assert came == [], "who asks has not finished yet"
    qtbot.waitUntil(lambda: came == [7])
    assert calls.stop()


def test_work_tells_while_it_goes_on_and_nobody_once_its_owner_has_gone(qtbot: QtBot) -> None:
    worker, owner, gone, came = Worker("telling"), QObject(), threading.Event(), []

    def work() -> int:
        worker.tell(owner, lambda told: came.append((told, threading.current_thread())), 1)
        gone.wait(60)
        worker.tell(owner, came.append, 2)
        return 3

    worker.ask(work, came.append)
    qtbot.waitUntil(lambda: came == [(1, threading.main_thread())])
    shiboken6.delete(owner)
    gone.set()
    qtbot.waitUntil(lambda: len(came) > 1)
    assert came[1:] == [3]
    assert worker.stop()
