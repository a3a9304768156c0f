"""A real `stompbox drain` on a folder of its own: started, watched and ended by its own pid."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from waiting import wait_until

READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 15.0


class Drain:
    """`folder` holds all: data/, ready, output and log, to which every start appends."""

    def __init__(self, exe, folder, source, store, *arguments, passcode=None):
        self.exe = exe
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.output_path = self.folder / "output"
        self.words = ["drain", "--source", source, "--catalog-store", store, "--data", self.data,
                      *arguments]
        self.passcode = passcode
        self.process = None
        self._expected_end = True

    def start(self):
        """Starts it and waits until it is ready; returns self."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self._launch("--ready-file", ready)
        wait_until(lambda: ready.exists() or self.process.poll() is not None,
                   "the drain is ready", READY_SECONDS_MAX)
        assert self.process.poll() is None, self.log_tail()
        return self

    def _launch(self, *more):
        assert not self.runs(), "it runs already"
        environment = dict(os.environ)
        environment.pop("STOMPBOX_PASSCODE", None)
        if self.passcode is not None:
            environment["STOMPBOX_PASSCODE"] = self.passcode
        self._expected_end = False
        command = [str(word) for word in (self.exe, *self.words, *more)]
        with self.log_path.open("ab") as log, self.output_path.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=log, env=environment)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, waited for."""
        self._expected_end = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM: it has to end in time, with exit code 0."""
        self._expected_end = True
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {STOP_SECONDS_MAX} s after SIGTERM") from None
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log_tail()}"

    def end(self, clean):
        """For the end of a case; returns what was wrong, or None."""
        if self.process is None:
            return None
        if self.process.poll() is not None:
            return None if self._expected_end else f"a drain ended, code {self.process.returncode}"
        if not clean:
            self.kill()
            return None
        try:
            self.stop()
        except AssertionError as fault:
            return str(fault)
        return None

    def ask(self, verb):
        """One request at the control door."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(20)
            door.connect(str(self.data / "control.sock"))
            door.sendall(json.dumps({"verb": verb}).encode() + b"\n")
            answer = b"".join(iter(lambda: door.recv(65536), b""))
        parsed = json.loads(answer)
        assert "ok" in parsed, parsed
        return parsed["ok"]

    def figures(self):
        """Of the drain, as the status has them."""
        return self.ask("status")["drain"]

    def log(self):
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=30):
        return "".join(line + "\n" for line in self.log().splitlines()[-lines:])
