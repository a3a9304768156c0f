#!/usr/bin/env python3
"""Debian's own STOMP clients, ruby-stomp and python3-stomp, talk to the broker."""

import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import stomp

import cases
from waiting import wait_until

RUBY_CLIENT = pathlib.Path(__file__).with_name("ruby_client.rb")
BINARY = bytes(range(256)) * 40
LARGE = b"0123456789abcdef" * (1 << 16)  # 1 MiB
VERSIONS = ("1.0", "1.1", "1.2")
EACH_VERSION = cases.each(*({"version": version} for version in VERSIONS))


# Ruby: each case is a function of ruby_client.rb, which ends with exit code 0 when all was right.

def ruby(broker, *words):
    return subprocess.Popen(["ruby", str(RUBY_CLIENT), str(broker.port), *words],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def expect_ruby(process):
    try:
        text, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, text


@cases.each(*({"version": version, "what": what} for version in VERSIONS for what in (
    "send_and_receive", "ack_client", "ack_individual", "binary_body", "large_body",
    "headers_of_all_kinds")))
def case_ruby(rig, version, what):
    """ruby-stomp in {version}: {what}."""
    broker = rig.broker()
    expect_ruby(ruby(broker, what, version))


@cases.each({"version": "1.1"}, {"version": "1.2"})
def case_ruby_later_versions(rig, version):
    """ruby-stomp in {version}: NACK brings the message back, heart-beats hold."""
    broker = rig.broker("--wants-beats", "200ms")
    expect_ruby(ruby(broker, "nack", version))
    expect_ruby(ruby(broker, "heart_beats", version))


def case_ruby_reconnect(rig):
    """a reliable ruby-stomp client goes on when the broker was killed and is back."""
    broker = rig.broker()
    process = ruby(broker, "reconnect", "1.2")
    try:
        assert process.stdout.readline() == "received before\n"
        broker.kill()
        broker.wanted_port = broker.port
        broker.start()
        process.stdin.write("it is back\n")
        process.stdin.flush()
        expect_ruby(process)
    finally:
        process.kill()
        process.wait()


def case_ruby_as_a_master(rig):
    """a publisher as Puppet makes it, by position and reliable, may exit right after its send."""
    broker = rig.broker("--catalog-store", "none")
    expect_ruby(ruby(broker, "publish_and_exit", "1.0"))
    wait_until(lambda: broker.backlog("catalog") == 20, "all that it sent is there")


# Python

class Listener(stomp.ConnectionListener):
    """Keeps what comes; `wait` waits for a number of one kind."""

    def __init__(self):
        self._changed = threading.Condition()
        self.frames = {"MESSAGE": [], "RECEIPT": [], "ERROR": [], "CONNECTED": []}
        self.disconnections = 0

    def _add(self, frame):
        with self._changed:
            self.frames[frame.cmd].append(frame)
            self._changed.notify_all()

    on_message = on_receipt = on_error = on_connected = _add

    def on_disconnected(self):
        with self._changed:
            self.disconnections += 1
            self._changed.notify_all()

    def wait(self, kind, count=1):
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.frames[kind]) >= count, timeout=20)
            assert done, f"{len(self.frames[kind])} of {count} {kind}: {self.frames}"
            return self.frames[kind]


CONNECTIONS = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}


class PythonClient:
    """A connected stomp.py client and its listener."""

    def __init__(self, broker, version, auto_decode=False, **settings):
        self.connection = CONNECTIONS[version]([("127.0.0.1", broker.port)],
                                               auto_decode=auto_decode, **settings)
        self.listener = Listener()
        self.connection.set_listener("", self.listener)
        self.connection.connect(wait=True)
        assert self.listener.wait("CONNECTED")[0].headers.get("version", "1.0") == version

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.connection.is_connected():
            self.connection.disconnect()

    def send(self, body, destination="/queue/q", **headers):
        self.connection.send(destination, body, receipt="sent", **headers)
        assert self.listener.wait("RECEIPT")[0].headers["receipt-id"] == "sent"

    def ack(self, version, frame, verb="ack"):
        call = getattr(self.connection, verb)
        if version == "1.2":
            call(frame.headers["ack"])
        elif version == "1.1":
            call(frame.headers["message-id"], frame.headers["subscription"])
        else:
            call(frame.headers["message-id"])


@EACH_VERSION
def case_python_bodies(rig, version):
    """python3-stomp in {version}: bodies of every kind arrive as they were sent."""
    broker = rig.broker()
    bodies = [b"text", b"", BINARY, LARGE, "schön ✓".encode()]
    with PythonClient(broker, version) as client:
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        for body in bodies:
            client.send(body)
        received = client.listener.wait("MESSAGE", len(bodies))
        assert [frame.body for frame in received] == bodies
        assert not client.listener.frames["ERROR"]


@EACH_VERSION
def case_python_headers(rig, version):
    """python3-stomp in {version}: headers arrive as they were sent, UTF-8 included."""
    broker = rig.broker()
    sent = {"city": "Köln ✓", "empty-ish": "x", "path": "C:\\temp" if version != "1.0" else "C"}
    with PythonClient(broker, version) as client:
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        client.connection.send("/queue/q", b"", headers=sent)
        received = client.listener.wait("MESSAGE")[0].headers
    assert {name: received.get(name) for name in sent} == sent, received


@EACH_VERSION
def case_python_client_ack(rig, version):
    """python3-stomp in {version}: ack:client covers all before, the rest comes back."""
    broker = rig.broker()
    with PythonClient(broker, version) as client:
        for number in range(5):
            client.send(str(number))
        client.connection.subscribe("/queue/q", id="1", ack="client")
        received = client.listener.wait("MESSAGE", 5)
        client.ack(version, received[2])
        wait_until(lambda: broker.backlog("q") == 2, "three are acknowledged")
    wait_until(lambda: broker.queue("q")["in_flight"] == 0, "the rest is back")
    with PythonClient(broker, version) as client:
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        received = client.listener.wait("MESSAGE", 2)
        assert [frame.body for frame in received] == [b"3", b"4"]
        assert all(frame.headers["redelivered"] == "true" for frame in received)
        wait_until(lambda: broker.backlog("q") == 0, "nothing is left")


@cases.each({"version": "1.1"}, {"version": "1.2"})
def case_python_nack(rig, version):
    """python3-stomp in {version}: client-individual ACK is for one, NACK brings one back."""
    broker = rig.broker()
    with PythonClient(broker, version) as client:
        for number in range(3):
            client.send(str(number))
        client.connection.subscribe("/queue/q", id="1", ack="client-individual")
        received = client.listener.wait("MESSAGE", 3)
        client.ack(version, received[1])
        wait_until(lambda: broker.backlog("q") == 2, "one is acknowledged")
        client.ack(version, received[0], "nack")
        again = client.listener.wait("MESSAGE", 4)[3]
        assert again.body == b"0" and again.headers["redelivered"] == "true", again


@cases.each({"version": "1.1"}, {"version": "1.2"})
def case_python_heart_beats(rig, version):
    """python3-stomp in {version}: heart-beats of both sides hold an idle connection."""
    broker = rig.broker()
    with PythonClient(broker, version, heartbeats=(200, 200)) as client:
        idle = threading.Event()
        assert not idle.wait(2.0)  # ten beats
        assert client.connection.is_connected() and client.listener.disconnections == 0
        client.send("still there")
    assert broker.status()["connections_total"] == 1


def case_python_missed_beats(rig):
    """a client that promised heart-beats and sends none is closed."""
    broker = rig.broker("--wants-beats", "300ms")
    with broker.client(headers=[("heart-beat", "300,0")]) as client:
        assert client.connected["heart-beat"].endswith(",300"), client.connected
        seconds = client.wait_closed()
    assert 0.3 <= seconds <= 5.0, seconds


@EACH_VERSION
def case_python_reconnect(rig, version):
    """python3-stomp in {version}: what was receipted is there after a kill and a reconnect."""
    broker = rig.broker()
    with PythonClient(broker, version) as client:
        client.send("kept")
        broker.kill()
        broker.wanted_port = broker.port
        broker.start()
        wait_until(lambda: not client.connection.is_connected(), "it knows that it is alone")
        client.connection.connect(wait=True)
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        frame = client.listener.wait("MESSAGE")[0]
        assert frame.body == b"kept" and frame.headers["redelivered"] == "true"


def case_python_topic(rig):
    """python3-stomp: a topic goes to all who listen."""
    broker = rig.broker()
    with PythonClient(broker, "1.2") as first, PythonClient(broker, "1.2") as second:
        for client in (first, second):
            client.connection.subscribe("/topic/t", id="1", ack="auto", headers={"receipt": "in"})
            client.listener.wait("RECEIPT")
        first.connection.send("/topic/t", "news")
        for client in (first, second):
            assert client.listener.wait("MESSAGE")[0].body == b"news"


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
