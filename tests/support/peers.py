"""Debian's RabbitMQ and ActiveMQ with a STOMP port on loopback, each on a folder of its own.

They are started beside whatever the machine runs, under other names and on free ports, and end by
their own process ids.
"""

import os
import pathlib
import signal
import socket
import subprocess

from stomp_wire import Client
from waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS_MAX = 60.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """What both have in common: a process group that is ours, a port, a log."""

    login = passcode = None

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()

    def start(self):
        """Starts it and waits until it lets somebody in; returns self."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command()], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment(), start_new_session=True, cwd=self.folder)
        wait_until(self._lets_in, f"{type(self).__name__} lets somebody in", START_SECONDS_MAX,
                   every=0.1)
        return self

    def environment(self):
        return dict(os.environ)

    def _lets_in(self):
        assert self.process.poll() is None, self.log()
        try:
            self.client().disconnect()
        except (OSError, AssertionError):
            return False
        return True

    def client(self, version="1.2", **settings):
        return Client(self.port, version=version, login=self.login, passcode=self.passcode,
                      **settings)

    def stop(self):
        """At once, with all its children; it may be started again on what it has stored."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


class RabbitMq(Peer):
    """User guest; its port mapper is its own, too, and ends with it."""

    login = passcode = "guest"

    def __init__(self, folder):
        super().__init__(folder)
        self.name = f"stompbox{self.port}@localhost"
        self._mapper_port = free_port()
        self._dist_port = free_port()

    def command(self):
        (self.folder / "plugins").write_text("[rabbitmq_stomp].\n", encoding="ascii")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nstomp.listeners.tcp.1 = 127.0.0.1:{self.port}\n",
            encoding="ascii")
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def environment(self):
        here = str(self.folder)
        return dict(os.environ, HOME=here, RABBITMQ_NODENAME=self.name,
                    RABBITMQ_MNESIA_BASE=here + "/mnesia", RABBITMQ_LOG_BASE=here + "/logs",
                    RABBITMQ_ENABLED_PLUGINS_FILE=here + "/plugins",
                    RABBITMQ_CONFIG_FILE=here + "/rabbitmq.conf",
                    RABBITMQ_PID_FILE=here + "/pid",
                    RABBITMQ_DIST_PORT=str(self._dist_port),
                    ERL_EPMD_PORT=str(self._mapper_port), ERL_EPMD_ADDRESS="127.0.0.1")

    def queues(self):
        """The names of its queues."""
        done = subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "--silent", "--node", self.name, "list_queues",
             "name"], env=self.environment(), cwd=self.folder, capture_output=True, timeout=60,
            check=True)
        return done.stdout.decode().split()

    def end(self):
        super().end()
        wait_until(self._mapper_is_gone, "the port mapper has ended", every=0.1)

    def _mapper_is_gone(self):
        """It left our process group when it was started, and stays while it knows of a node."""
        done = subprocess.run(["epmd", "-port", str(self._mapper_port), "-kill"], check=False,
                              capture_output=True, timeout=20)
        return b"Killed" in done.stdout or b"Cannot connect" in done.stdout + done.stderr


class ActiveMq(Peer):
    """The broker by itself, without Debian's service around it."""

    def command(self):
        return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp",
                "/usr/share/activemq/lib/*:/usr/share/java/*", HERE / "ActiveMqPeer.java",
                self.folder / "store", self.port]
