"""The window keeps the service running: adopts, starts, starts again, hands over secrets, lets go."""

import sys
import time

import pytest

from pod_desktop.services.supervise import ServiceProcess, restart_wait

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


class Hand:
    """A clock moved by hand."""

    seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def make(tmp_path):
    made = []

    def service(code, holder=lambda: None, secrets=tuple):
        hand = Hand()
        process = ServiceProcess(
            [sys.executable, "-c", code],
            output=tmp_path / "out",
            holder=holder,
            monotonic=hand,
            secrets=secrets,
        )
        made.append(process)
        return process, hand

    yield service
    for process in made:
        process.stop(5)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)


def test_a_running_service_of_somebody_else_is_adopted(make):
    service, _ = make(ECHO, holder=lambda: 4711)
    assert service.tick() is True
    assert service.pid is None


def test_a_dead_service_is_started_again_after_its_wait_and_not_before(make):
    service, hand = make("raise SystemExit(3)")
    service.tick()
    wait_until(lambda: service.pid is None)
    assert service.tick() is False
    hand.seconds += restart_wait(1) - 0.01
    assert service.tick() is False
    hand.seconds += 0.02
    assert service.tick() is True
    assert service.deaths == 1


def test_waits_grow_and_stay_within_five_seconds():
    waits = [restart_wait(deaths) for deaths in range(1, 50)]
    assert waits == sorted(waits)
    assert waits[0] <= 1
    assert waits[-1] <= 5


def test_a_service_that_is_not_wanted_is_not_started(make):
    service, _ = make(ECHO)
    service.wanted = False
    assert service.tick() is False
    assert service.pid is None


def test_secrets_reach_the_service_at_once_and_after_a_restart(make, tmp_path):
    lines = []
    service, hand = make(ECHO, secrets=lambda: lines)
    assert service.give_secrets() is False
    service.tick()
    lines.append('{"value": "s3cret"}')
    assert service.give_secrets() is True
    out = tmp_path / "out"
    wait_until(lambda: out.read_bytes().count(b"\n") == 1)
    service._process.kill()
    wait_until(lambda: service.pid is None)
    service.tick()
    hand.seconds += 5
    service.tick()
    wait_until(lambda: out.read_bytes().count(b"\n") == 2)
    assert out.read_text().splitlines() == lines * 2


def test_a_service_that_does_not_stop_is_ended(make):
    service, _ = make(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    service.tick()
    process = service._process
    wait_until(lambda: service._output.read_bytes() == b"up\n")
    assert service.stop(0.2) is False
    assert process.returncode is not None
