#!/usr/bin/env python3
"""Debian's own STOMP clients of five languages talk to the broker."""

import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import stomp

import cases
import node_clients
from certificates import make_authority, make_certificate
from waiting import wait_until

HERE = pathlib.Path(__file__).parent
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "activemq-stomp", "activemq-client", "slf4j-api", "hawtbuf"))
BINARY = bytes(range(256)) * 40
LARGE = b"0123456789abcdef" * (1 << 16)  # 1 MiB
VERSIONS = ("1.0", "1.1", "1.2")
EACH_VERSION = cases.each(*({"version": version} for version in VERSIONS))


# The clients of other languages: a program with the port and a case as its arguments, which ends
# with exit code 0 when all was right.

def launch(*command):
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ruby(broker, *words):
    return launch("ruby", HERE / "ruby_client.rb", broker.port, *words)


def perl(broker, *words):
    return launch("perl", HERE / "perl_client.pl", broker.port, *words)


def php(broker, *words):
    return launch("php", HERE / "php_client.php", broker.port, *words)


def java(broker, version):
    return launch("java", "-XX:TieredStopAtLevel=1", "-cp", JARS,
                  HERE / "java" / "StompClient.java", broker.port, version)


def expect_success(process):
    try:
        text, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, text


@cases.each(*({"version": version, "what": what} for version in VERSIONS for what in (
    "send_and_receive", "ack_client", "ack_individual", "binary_body", "large_body",
    "headers_of_all_kinds", "transactions", "reply_to", "durable_subscription")))
def case_ruby(rig, version, what):
    """ruby-stomp in {version}: {what}."""
    broker = rig.broker()
    expect_success(ruby(broker, what, version))


@cases.each({"version": "1.1"}, {"version": "1.2"})
def case_ruby_later_versions(rig, version):
    """ruby-stomp in {version}: NACK brings the message back, heart-beats hold."""
    broker = rig.broker("--wants-beats", "200ms")
    expect_success(ruby(broker, "nack", version))
    expect_success(ruby(broker, "heart_beats", version))


@cases.each({"what": "unreceive"}, {"what": "failover"})
def case_ruby_own_ways(rig, what):
    """what ruby-stomp makes of transactions and several hosts: {what}."""
    broker = rig.broker()
    expect_success(ruby(broker, what, "1.0"))


class SecureSite:
    """A broker with a TLS listener that demands a client certificate, and such a one."""

    def __init__(self, rig, clients="require"):
        signer = make_authority(rig.folder)
        self.authority = signer.certificate
        server = make_certificate(rig.folder, signer, "broker", kind="rsa")
        self.client = make_certificate(rig.folder, signer, "client.example", kind="rsa")
        trust = () if clients == "none" else ("--tls-authorities", self.authority)
        self.broker = rig.broker(
            "--listen", f"tls://127.0.0.1:0?clients={clients}", "--tls-certificate",
            server.certificate, "--tls-key", server.key, *trust)
        self.port = int(node_clients.url_of(self.broker, "tls").rpartition(":")[2])


@EACH_VERSION
def case_ruby_tls(rig, version):
    """ruby-stomp in {version} over TLS, with a client certificate."""
    site = SecureSite(rig)
    expect_success(launch("ruby", HERE / "ruby_client.rb", site.port, "tls", version,
                          site.authority, site.client.certificate, site.client.key))


def expect_return(broker, process, before):
    """The program says `before`; then the broker is killed, comes back, and it is told so."""
    try:
        first = process.stdout.readline()
        assert first == before + "\n", first
        node_clients.restart_on_same_ports(broker)
        process.stdin.write("it is back\n")
        process.stdin.flush()
        expect_success(process)
    finally:
        process.kill()
        process.wait()


def case_ruby_reconnect(rig):
    """a reliable ruby-stomp client goes on when the broker was killed and is back."""
    broker = rig.broker()
    expect_return(broker, ruby(broker, "reconnect", "1.2"), "received before")


def case_ruby_as_a_master(rig):
    """a publisher as Puppet makes it, by position and reliable, may exit right after its send."""
    broker = rig.broker("--catalog-store", "none")
    expect_success(ruby(broker, "publish_and_exit", "1.0"))
    wait_until(lambda: broker.backlog("catalog") == 20, "all that it sent is there")


# Perl, PHP, Java

@cases.each(*({"what": what} for what in (
    "bodies", "ack_client", "ack_individual_and_nack", "ack_of_1_2", "transactions", "reply_to")))
def case_perl(rig, what):
    """Net::Stomp: {what}."""
    expect_success(perl(rig.broker(), what))


def case_perl_send_transactional(rig):
    """Net::Stomp waits for a receipt inside a transaction, where the profile answers there."""
    expect_success(perl(rig.broker("--profile", "activemq"), "send_transactional"))


def case_perl_reconnect(rig):
    """Net::Stomp connects anew when the broker was killed and is back."""
    broker = rig.broker()
    expect_return(broker, perl(broker, "reconnect"), "sent")


def case_perl_tls(rig):
    """Net::Stomp over TLS."""
    site = SecureSite(rig, "none")
    for what in ("bodies", "transactions"):
        expect_success(launch("perl", HERE / "perl_client.pl", site.port, what, site.authority))


@cases.each(*({"what": what} for what in (
    "bodies", "acks", "nack", "transactions", "reply_to", "error")))
def case_php(rig, what):
    """php-stomp: {what}."""
    expect_success(php(rig.broker(), what))


@EACH_VERSION
def case_java(rig, version):
    """ActiveMQ's Java client in {version}: bodies, acks, NACK, transactions, heart-beats."""
    expect_success(java(rig.broker(), version))


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

    def __init__(self, broker, version, auto_decode=False, site=None, **settings):
        host = ("localhost", site.port) if site else ("127.0.0.1", broker.port)
        self.connection = CONNECTIONS[version]([host], auto_decode=auto_decode, **settings)
        if site:
            self.connection.set_ssl([host], site.client.key, site.client.certificate,
                                    site.authority)
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

    def ack(self, version, frame, verb="ack", **more):
        call = getattr(self.connection, verb)
        if version == "1.2":
            call(frame.headers["ack"], **more)
        elif version == "1.1":
            call(frame.headers["message-id"], frame.headers["subscription"], **more)
        else:
            call(frame.headers["message-id"], **more)


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


@EACH_VERSION
def case_python_transactions(rig, version):
    """python3-stomp in {version}: ABORT undoes what COMMIT does, the ACK and the SENDs."""
    broker = rig.broker()
    with PythonClient(broker, version) as client:
        client.send("taken")
        client.connection.subscribe("/queue/q", id="1", ack="client")
        message = client.listener.wait("MESSAGE")[0]
        for number, end in enumerate(("abort", "commit"), 1):
            name = client.connection.begin()
            for part in "12":
                client.connection.send("/queue/other", end + part, transaction=name)
            client.ack(version, message, transaction=name)
            getattr(client.connection, end)(name, headers={"receipt": end})
            client.listener.wait("RECEIPT", number + 1)
            assert broker.backlog("q") == 2 - number and broker.backlog("other") == 2 * number - 2
        client.connection.subscribe("/queue/other", id="2", ack="auto")
        bodies = [frame.body for frame in client.listener.wait("MESSAGE", 3)[1:]]
        assert bodies == [b"commit1", b"commit2"], bodies


@EACH_VERSION
def case_python_tls(rig, version):
    """python3-stomp in {version} over TLS, with a client certificate."""
    site = SecureSite(rig)
    with PythonClient(site.broker, version, site=site) as client:
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        for body in (BINARY, LARGE):
            client.send(body)
        assert [frame.body for frame in client.listener.wait("MESSAGE", 2)] == [BINARY, LARGE]


def case_python_unsubscribe(rig):
    """python3-stomp: after UNSUBSCRIBE nothing more comes, and the message is kept."""
    broker = rig.broker()
    with PythonClient(broker, "1.2") as client:
        client.connection.subscribe("/queue/q", id="1", ack="auto")
        client.connection.unsubscribe("1")
        client.send("kept")
        assert broker.backlog("q") == 1 and not client.listener.frames["MESSAGE"]


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
