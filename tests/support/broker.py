"""A real broker process on a folder of its own."""

import os
import pathlib
import socket
import sqlite3
import subprocess

from own_process import OwnProcess
from stomp_wire import Client
from waiting import wait_until


class Broker(OwnProcess):
    """`stompbox serve` on a port of 127.0.0.1 that is free, or `port`."""

    name = "the broker"

    def __init__(self, exe, folder, *arguments, port=0):
        super().__init__(exe, folder)
        self.database = self.data / "storeconfigs.sqlite3"
        self.arguments = arguments
        self.wanted_port = port
        self.port = None

    def words(self):
        return ("serve", "--data", self.data, "--listen", f"tcp://127.0.0.1:{self.wanted_port}",
                *self.arguments)

    def note_ready(self, lines):
        self.port = int(lines[0].rpartition(":")[2])

    # Doors

    def client(self, **settings):
        """A connected STOMP client."""
        return Client(self.port, **settings)

    def socket(self):
        """A plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

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

    def memory_kib(self, field="VmRSS"):
        """A field of /proc/PID/status."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith(field + ":"))

    def cpu_seconds(self):
        """What the process has had of the processors, in steps of 10 ms."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        of_user, of_system = stat.rpartition(")")[2].split()[11:13]
        return (int(of_user) + int(of_system)) / os.sysconf("SC_CLK_TCK")

    def open_database(self):
        """The catalog database, as somebody who only reads."""
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
