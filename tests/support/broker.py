"""A real broker process on a folder of its own: started, watched and ended by its own pid."""

import json
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time

from stomp_wire import Client
from waiting import wait_until

STOP_SECONDS_MAX = 5.0
READY_SECONDS_MAX = 30.0


class StartFailed(AssertionError):
    """The process ended before it was ready."""

    def __init__(self, code, log):
        super().__init__(f"exit code {code} before it was ready\n{log}")
        self.code = code
        self.log = log


class Broker:
    """`folder` holds all: data/, ready, and output and log, to which every start appends."""

    def __init__(self, exe, folder, *arguments, port=0):
        self.exe = exe
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.data = self.folder / "data"
        self.database = self.data / "storeconfigs.sqlite3"
        self.log_path = self.folder / "log"
        self.output_path = self.folder / "output"
        self.arguments = arguments
        self.wanted_port = port
        self.port = None
        self.ready_seconds = None
        self.process = None
        self._expected_end = True

    # Life

    def start(self):
        """Starts it and waits until it is ready; returns self."""
        self.launch()
        wait_until(self._ready_or_ended, "the broker is ready", READY_SECONDS_MAX, every=0.001)
        self.ready_seconds = time.monotonic() - self._launched
        if self.process.poll() is not None:
            code = self.process.returncode
            self._expected_end = True
            raise StartFailed(code, self.log_tail())
        return self

    def launch(self):
        """Starts it and returns at once."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [self.exe, "serve", "--data", self.data, "--ready-file", ready,
                   "--listen", f"tcp://127.0.0.1:{self.wanted_port}", *self.arguments]
        self._expected_end = False
        self._launched = time.monotonic()
        with self.log_path.open("ab") as log, self.output_path.open("ab") as output:
            self.process = subprocess.Popen([str(word) for word in command],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=log)

    def _ready_or_ended(self):
        try:
            lines = (self.folder / "ready").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return self.process.poll() is not None
        self.port = int(lines[0].rpartition(":")[2])
        return True

    def kill(self):
        """kill -9, waited for."""
        self._expected_end = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM: it has to end within five seconds, with exit code 0. Returns the seconds."""
        self._expected_end = True
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {STOP_SECONDS_MAX} s after SIGTERM") from None
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log_tail()}"
        return time.monotonic() - began

    def end(self, clean):
        """For the end of a case; returns what was wrong, or None."""
        if self.process is None:
            return None
        if self.process.poll() is not None:
            if self._expected_end:
                return None
            return f"the broker ended by itself, code {self.process.returncode}"
        if not clean:
            self.kill()
            return None
        try:
            self.stop()
        except AssertionError as fault:
            return str(fault)
        return None

    def runs(self):
        return self.process is not None and self.process.poll() is None

    # Doors

    def client(self, **settings):
        """A connected STOMP client."""
        return Client(self.port, **settings)

    def socket(self):
        """A plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

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

    def queue(self, name):
        """The figures of one queue; all zero if there is none."""
        for queue in self.ask("queues")["queues"]:
            if queue["name"] == name:
                return queue
        return {"name": name, "waiting": 0, "in_flight": 0, "consumers": 0}

    def backlog(self, name):
        """Messages of a queue that are not done: waiting or in flight."""
        queue = self.queue(name)
        return queue["waiting"] + queue["in_flight"]

    def crash_ledger(self):
        """What the drain has written down for its next life; empty without a ledger."""
        ledger = self.data / "crash-ledger"
        return ledger.read_text() if ledger.exists() else ""

    def wait_drained(self, seconds=30.0):
        """Until both drained queues are empty."""
        wait_until(lambda: self.backlog("catalog") == 0 and self.backlog("facts") == 0,
                   "the catalog and facts queues are drained", seconds)

    def run(self, *arguments, stdin=b"", check=True, seconds=60):
        """Runs a verb of the same program; returns the completed process, output as bytes."""
        done = subprocess.run([str(word) for word in (self.exe, *arguments)], input=stdin,
                              capture_output=True, timeout=seconds, check=False)
        assert not check or done.returncode == 0, (arguments, done)
        return done

    # Looks

    def log(self):
        """Everything that it logged, of all its starts."""
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=30):
        return "".join(line + "\n" for line in self.log().splitlines()[-lines:])

    def memory_kib(self, field="VmRSS"):
        """A field of /proc/PID/status."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith(field + ":"))

    def open_database(self):
        """The catalog database, as somebody who only reads."""
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
