"""A real `stompbox` process on a folder of its own: started, watched and ended by its own pid."""

import abc
import json
import pathlib
import signal
import socket
import subprocess
import time

from waiting import wait_until

READY_SECONDS_MAX = 30.0


class StartFailed(AssertionError):
    """The process ended before it was ready."""

    def __init__(self, code, log):
        super().__init__(f"exit code {code} before it was ready\n{log}")
        self.code = code
        self.log = log


class OwnProcess(abc.ABC):
    """`folder` holds all: data/, ready, and output and log, to which every start appends.

    What it runs is its own: words() of the command line behind the program.
    """

    name = "the process"
    stop_seconds_max = 5.0

    def __init__(self, exe, folder):
        self.exe = exe
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.data = self.folder / "data"
        self.ready_path = self.folder / "ready"
        self.log_path = self.folder / "log"
        self.output_path = self.folder / "output"
        self.ready_seconds = None
        self.process = None
        self._expected_end = True
        self._launched = None

    @abc.abstractmethod
    def words(self):
        """The command line behind the program's name."""

    def environment(self):
        """Of the process; None: ours."""
        return None

    # Life

    def start(self):
        """Starts it and waits until it is ready; returns self."""
        self.launch()
        wait_until(lambda: self.ready_path.exists() or not self.runs(), f"{self.name} is ready",
                   READY_SECONDS_MAX, every=0.001)
        self.ready_seconds = time.monotonic() - self._launched
        if not self.runs():
            self._expected_end = True
            raise StartFailed(self.process.returncode, self.log_tail())
        self.note_ready(self.ready_path.read_text(encoding="utf-8").splitlines())
        return self

    def note_ready(self, lines):
        """What the ready file says."""

    def launch(self):
        """Starts it and returns at once."""
        assert not self.runs(), "it runs already"
        self.ready_path.unlink(missing_ok=True)
        command = [str(word) for word in (self.exe, *self.words(), "--ready-file", self.ready_path)]
        self._expected_end = False
        self._launched = time.monotonic()
        with self.log_path.open("ab") as log, self.output_path.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=log, env=self.environment())

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, waited for."""
        self._expected_end = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM: it has to end in time, with exit code 0. Returns the seconds."""
        self._expected_end = True
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(self.stop_seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {self.stop_seconds_max} s after SIGTERM") from None
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log_tail()}"
        return time.monotonic() - began

    def end(self, clean):
        """For the end of a case; returns what was wrong, or None."""
        if self.process is None:
            return None
        if not self.runs():
            if self._expected_end:
                return None
            return f"{self.name} ended by itself, code {self.process.returncode}"
        if not clean:
            self.kill()
            return None
        try:
            self.stop()
        except AssertionError as fault:
            return str(fault)
        return None

    # Looks

    def ask(self, verb, **more):
        """One request at the control door."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(20)
            door.connect(str(self.data / "control.sock"))
            door.sendall(json.dumps({"verb": verb, **more}).encode() + b"\n")
            answer = b"".join(iter(lambda: door.recv(65536), b""))
        parsed = json.loads(answer)
        assert "ok" in parsed, f"{verb}: {parsed}"
        return parsed["ok"]

    def status(self):
        return self.ask("status")

    def log(self):
        """Everything that it logged, of all its starts."""
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=30):
        return "".join(line + "\n" for line in self.log().splitlines()[-lines:])
