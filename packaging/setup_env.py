"""The environment of the program and of its tests: makes it, repairs it, and knows when nothing is to do.

Standard library only. `.venv` holds the locked packages and the project itself, editable. A stamp written
last says what was finished; a mark written first says that a setup was cut short.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import system_packages

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "app": ROOT / "packaging" / "requirements.lock",
    "test": ROOT / "packaging" / "requirements-test.lock",
}
HEADLESS = (
    "act", "collect", "column", "connector", "count", "filter", "history", "import", "lists", "playbook", "retention",
    "search", "settings", "show", "simulate", "status", "undo", "verify",
)  # fmt: skip
"""Commands that work without a display; tests/house compares them with the command line's own."""
NO_DISPLAY = (
    "There is no display for the window (neither DISPLAY nor WAYLAND_DISPLAY is set); without one work: "
    + ", ".join(HEADLESS)
    + "."
)
_WINDOWLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


class Environment:
    """One virtual environment under a root directory."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.stamp = self.folder / "pod-desktop-setup.json"
        self.mark = self.folder / "pod-desktop-setup.unfinished"
        windows = os.name == "nt"
        self.scripts = self.folder / ("Scripts" if windows else "bin")
        suffix = ".exe" if windows else ""
        self.python = self.scripts / f"python{suffix}"
        self.command = self.scripts / f"pod-desktop{suffix}"

    def wanted(self, lock: str) -> str:
        """Fingerprint of what this lock, this project file and this Python ask for."""
        digest = sha256()
        for part in (LOCKS[lock].read_bytes(), (self.root / "pyproject.toml").read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def place(self) -> str:
        """What an environment cannot be carried away from: its path and its Python."""
        return f"{self.root} {sys.base_prefix} {sys.version_info[0]}.{sys.version_info[1]}"

    def finished(self) -> dict[str, str]:
        """The stamp; empty where there is none or it cannot be read."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def is_ready(self, lock: str) -> bool:
        stamp = self.finished()
        return (
            stamp.get(lock) == self.wanted(lock)
            and stamp.get("place") == self.place()
            and not self.mark.exists()
            and self.python.exists()
            and self.command.exists()
        )

    def note(self, **entries: str) -> None:
        """Add to the stamp, in one step that a kill cannot halve."""
        new = self.stamp.with_suffix(".new")
        new.write_text(json.dumps({**self.finished(), **entries}, indent=1), encoding="utf-8")
        new.replace(self.stamp)


def say(words: str) -> None:
    """For people; standard output belongs to the program that is started."""
    print(words, file=sys.stderr, flush=True)


def give_up(words: str, code: int = 1) -> NoReturn:
    say(words)
    raise SystemExit(code)


# Setting up


def prepare(environment: Environment, lock: str) -> None:
    """Make the environment ready for `lock`; at once where it is."""
    if environment.is_ready(lock):
        return
    with _alone(environment.root / ".venv.lock") as held:
        if environment.is_ready(lock):  # another one was faster
            return
        say(f"Setting up POD Desktop in {environment.folder} (once; a minute or two) …")
        _make_folder(environment)
        environment.mark.touch()
        _install(environment, lock, held)
        _compile(environment)
        done = {lock: environment.wanted(lock), "place": environment.place()}
        if lock == "test":  # its lock holds all of the app's
            done["app"] = environment.wanted("app")
        environment.note(**done)
        environment.mark.unlink()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[tuple[int, ...]]:
    """Hold the lock file; a second setup waits here for the first.

    Gives the descriptors that a child must inherit for the lock to last as long as the child does.
    """
    try:
        handle = path.open("a+b")
    except OSError as error:
        give_up(
            f"{path.parent} is not writable ({error.strerror}); POD Desktop is set up inside its checkout."
        )
    with handle:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            while True:
                with contextlib.suppress(OSError):  # it gives up after ten seconds
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
                    break
            yield ()
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("Another setup of this checkout is running; waiting for it …")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield (handle.fileno(),)


def _make_folder(environment: Environment) -> None:
    stamp = environment.finished()
    moved = bool(stamp) and stamp.get("place") != environment.place()
    if environment.mark.exists() or moved or not _works(environment.python):
        shutil.rmtree(environment.folder, ignore_errors=True)
        if environment.folder.exists():
            give_up(f"{environment.folder} cannot be removed; delete it and start again.")
    if not environment.folder.exists():
        system_packages.require_venv(say)
        base = getattr(sys, "_base_executable", None) or sys.executable
        made = subprocess.run([base, "-m", "venv", str(environment.folder)], stdout=sys.stderr, check=False)
        if made.returncode:
            shutil.rmtree(environment.folder, ignore_errors=True)
            give_up(f"{base} -m venv failed; see above.")


def _works(python: Path) -> bool:
    """Is this an environment's Python of our version, with pip?"""
    if not python.exists():
        return False
    probe = "import sys, pip; print(*sys.version_info[:2])"
    answer = subprocess.run(
        [str(python), "-c", probe], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return answer.returncode == 0 and answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _install(environment: Environment, lock: str, held: tuple[int, ...]) -> None:
    # The lock names everything, so pip has nothing to resolve: an old one would try the newest release of a package
    # that another asks for with an extra, and stop because that one has no hash here.
    locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(LOCKS[lock]))
    _pip(environment, held, *locked)
    # Without isolation: the build tools are locked packages too, so this asks no index.
    _pip(environment, held, "--no-deps", "--no-build-isolation", "--no-index", "-e", str(environment.root))


def _pip(environment: Environment, held: tuple[int, ...], *arguments: str) -> None:
    """One `pip install`; which index it asks is the user's configuration, never ours.

    It inherits the lock: when only this process is killed, the next setup still waits for its pip to end.
    """
    command = [str(environment.python), "-m", "pip", "install", "--quiet", "--no-compile", "--no-input"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=environment.root,
        env={**_clean_env(), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        pass_fds=held,
        check=False,
    )
    if done.returncode:
        give_up("pip could not install the locked packages; see above. The next start begins again.")


def _clean_env() -> dict[str, str]:
    """The environment without what would make Python load other modules than the locked ones."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}


def _compile(environment: Environment) -> None:
    """Byte code for all of it, on every core: without, each start takes twice as long until it is made."""
    command = [str(environment.python), "-m", "compileall", "-qq", "-j", "0"]
    # Some packages carry templates that are no Python; that is no fault of ours.
    subprocess.run(
        [*command, str(environment.folder), str(environment.root / "pod_desktop")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


# Starting


def wants_window(arguments: list[str]) -> bool:
    """Do these arguments of pod-desktop open its window? Any command, help or version does not."""
    values = ""
    for argument in arguments:
        if argument in ("--version", "--help", "-h"):
            return False
        if argument.startswith("-"):
            values = argument
        elif values == "--import":  # takes all the files that follow
            continue
        elif values == "--data-dir":
            values = ""
        elif argument in HEADLESS:
            return False
    return True


def platform_of_window(environ: dict[str, str], system: str) -> str | None:
    """Qt's platform plugin that the window needs; '' = none of its own, None = there is no display."""
    chosen = environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if not system.startswith("linux") or chosen in _WINDOWLESS_PLATFORMS:
        return ""
    if environ.get("DISPLAY"):
        return "xcb"
    return "wayland" if environ.get("WAYLAND_DISPLAY") else None


def run(arguments: list[str]) -> int:
    """packaging/run.py: set up, look for what the window needs, become the program."""
    window = wants_window(arguments)
    platform = platform_of_window(dict(os.environ), sys.platform) if window else ""
    if platform is None:
        say(NO_DISPLAY)
        return 2
    environment = Environment()
    prepare(environment, "app")
    if window:
        _prepare_qt(environment, platform)
    return _become([str(environment.command), *arguments])


def test(arguments: list[str]) -> int:
    """packaging/test.py: set up, then all tests (or what the arguments choose) on no display and no bus."""
    environment = Environment()
    prepare(environment, "test")
    _prepare_qt(environment, "")
    chosen = arguments or [
        # A worker that crashed ends the run: replaced, it has been seen to leave the others waiting for ever.
        *("-n", "2", "--dist", "loadfile", "--max-worker-restart", "0"),
        *("--cov", "--cov-report", "term"),
    ]
    environ = {**_clean_env(), "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6", "PYTHONUTF8": "1"}
    environ.pop("DBUS_SESSION_BUS_ADDRESS", None)  # the keychain of whoever runs the tests is none of theirs
    return subprocess.run(
        [str(environment.python), "-m", "pytest", *chosen],
        cwd=environment.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


def _prepare_qt(environment: Environment, platform: str) -> None:
    """Qt's system libraries, found or installed; looked for once a setup and platform."""
    key = f"qt {platform}".strip()
    if not sys.platform.startswith("linux") or environment.finished().get(key):
        return
    system_packages.require_qt(environment.python, platform, say)
    environment.note(**{key: "found"})


def _become(command: list[str]) -> int:
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode
