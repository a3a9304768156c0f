#!/usr/bin/env python3
"""TLS listeners of the real daemon, with Python's own TLS and the program's verbs."""

import pathlib
import signal
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from certificates import make_authority, make_certificate
from own_process import StartFailed
from stomp_wire import FrameReader, encode
from waiting import let_pass, wait_until


class Talk:
    """A STOMP conversation over any connected socket."""

    def __init__(self, connection, login=True):
        self.socket = connection
        self.socket.settimeout(20)
        self._reader = FrameReader()
        if login:
            self.write(encode("CONNECT", {"accept-version": "1.2", "host": "/"}))
            self.expect("CONNECTED")
            self._reader.version = "1.2"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def write(self, data):
        self.socket.sendall(data)

    def next(self):
        """The next frame, whatever it is."""
        while (frame := self._reader.next()) is None:
            data = self.socket.recv(65536)
            assert data, "closed instead of a frame"
            self._reader.feed(data)
        return frame

    def expect(self, command):
        frame = self.next()
        assert frame.command == command, frame
        return frame

    def send(self, destination, body):
        self.write(encode("SEND", {"destination": destination, "content-length": len(body),
                                   "receipt": "r"}, body))

    def send_and_wait(self, destination, body):
        self.send(destination, body)
        self.expect("RECEIPT")


class Site:
    """An authority, a broker's certificate, a client's, and brokers that use them."""

    def __init__(self, rig, kind="ec"):
        self.rig = rig
        self.authority = make_authority(rig.folder)
        self.server = make_certificate(rig.folder, self.authority, "broker", kind=kind)
        self.client = make_certificate(rig.folder, self.authority, "node1.example",
                                       "DNS:node1.example,email:ops@example")

    def broker(self, *arguments, url="tls://127.0.0.1:0", **settings):
        asks = any("clients" in str(word) for word in (url, *arguments))
        authorities = ("--tls-authorities", self.authority.certificate) if asks else ()
        broker = self.rig.broker(
            "--listen", url, "--tls-certificate", self.server.certificate,
            "--tls-key", self.server.key, *authorities, *arguments, **settings)
        if settings.get("start", True):
            lines = (broker.folder / "ready").read_text(encoding="ascii").splitlines()
            broker.tls_port = int(lines[1].rpartition(":")[2])
        return broker

    def context(self, certificate=None, version=None):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if certificate:
            context.load_cert_chain(certificate.certificate, certificate.key)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, broker, **settings):
        plain = socket.create_connection(("127.0.0.1", broker.tls_port), timeout=20)
        return self.context(**settings).wrap_socket(plain, server_hostname="localhost")


VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@cases.each({"kind": "ec"}, {"kind": "rsa"})
def case_both_ways(rig, kind):
    """with an {kind} key, messages go both ways over TLS 1.2 and 1.3, large ones too"""
    site = Site(rig, kind)
    broker = site.broker()
    body = bytes(range(256)) * 4096
    for version in VERSIONS:
        with Talk(site.connect(broker, version=version)) as talk:
            assert talk.socket.version() == version.name.replace("_", "."), talk.socket.version()
            talk.write(encode("SUBSCRIBE", {"id": "1", "destination": "/queue/q", "ack": "auto"}))
            talk.send("/queue/q", body)
            frames = {frame.command: frame for frame in (talk.next(), talk.next())}
            assert frames["MESSAGE"].body == body and "RECEIPT" in frames, list(frames)


def case_burst(rig):
    """thousands of messages at once over TLS come whole and in order, the last without delay"""
    site = Site(rig)
    broker = site.broker()
    with Talk(site.connect(broker)) as reader, broker.client() as sender:
        reader.write(encode("SUBSCRIBE", {"id": "1", "destination": "/queue/q", "ack": "auto",
                                          "receipt": "s"}))
        reader.expect("RECEIPT")
        for number in range(5000):
            sender.send("/queue/q", f"{number}".encode().ljust(300, b"."))
        for number in range(5000):
            assert reader.expect("MESSAGE").body.startswith(f"{number}.".encode())


def case_client_certificates(rig):
    """a demanded client certificate has to be there and good; a wished one has to be good"""
    site = Site(rig)
    stranger_authority = make_authority(rig.folder, "strangers")
    stranger = make_certificate(rig.folder, stranger_authority, "stranger")
    for wanted in ("require", "wish"):
        broker = site.broker(url=f"tls://127.0.0.1:0?clients={wanted}", name=wanted)
        for version in VERSIONS:
            Talk(site.connect(broker, certificate=site.client, version=version)).socket.close()
            for certificate, good in ((None, wanted == "wish"), (stranger, False)):
                try:
                    Talk(site.connect(broker, certificate=certificate, version=version)
                         ).socket.close()
                    entered = True
                except (ssl.SSLError, ConnectionError, AssertionError):
                    entered = False
                assert entered == good, (wanted, certificate, version)
        if wanted != "wish":
            wait_until(lambda: "peer did not return a certificate" in broker.log(), "it is told")


def case_certificate_login(rig):
    """a certificate logs its node in without passcode, under rules for its name, whatever
    login says"""
    site = Site(rig)
    other = make_certificate(rig.folder, site.authority, "node2.example")
    rules = rig.folder / "rules.toml"
    rules.write_text("""
[[rule]]
allow = ["read", "write", "create"]
destination = "/queue/of.%c"
certificates = "*.example"
""")
    broker = site.broker("--certificate-login", "cn", "--rules", rules,
                         url="tls://127.0.0.1:0?clients=wish")
    for version in VERSIONS:
        with Talk(site.connect(broker, certificate=site.client, version=version),
                  login=False) as talk:
            talk.write(encode("CONNECT", {"accept-version": "1.2", "host": "/", "login": "root"}))
            talk.expect("CONNECTED")
            talk.send_and_wait("/queue/of.node1.example", b"mine")
            talk.send("/queue/of.node2.example", b"another's")
            assert "node2.example" in talk.expect("ERROR").body.decode()
        with Talk(site.connect(broker, certificate=other, version=version)) as talk:
            talk.send_and_wait("/queue/of.node2.example", b"mine")
    with Talk(site.connect(broker), login=False) as talk:
        talk.write(encode("CONNECT", {"accept-version": "1.2", "host": "/"}))
        assert talk.expect("ERROR").headers["message"] == "Access refused"
    wait_until(lambda: "user=node1.example" in broker.log(), "the log names who was in")
    assert "user=root" not in broker.log()


def case_old_versions(rig):
    """what is older than the listener allows is refused, and logged with the reason"""
    site = Site(rig)
    broker = site.broker(url="tls://127.0.0.1:0?lowest=1.3")
    try:
        site.connect(broker, version=ssl.TLSVersion.TLSv1_2).close()
        raise AssertionError("TLS 1.2 was let in")
    except (ssl.SSLError, ConnectionError):
        pass
    wait_until(lambda: "unsupported protocol" in broker.log(), "the log says why")
    Talk(site.connect(broker, version=ssl.TLSVersion.TLSv1_3)).socket.close()


def case_reload(rig):
    """SIGHUP takes a new certificate for new connections, and open ones go on with theirs"""
    site = Site(rig)
    broker = site.broker()
    with Talk(site.connect(broker)) as old:
        first = old.socket.getpeercert()["serialNumber"]
        renewed = make_certificate(rig.folder, site.authority, "renewed")
        site.server.certificate.write_bytes(renewed.certificate.read_bytes())
        site.server.key.write_bytes(renewed.key.read_bytes())
        broker.process.send_signal(signal.SIGHUP)

        def new_serial():
            with Talk(site.connect(broker)) as talk:
                return talk.socket.getpeercert()["serialNumber"] != first
        wait_until(new_serial, "new connections see the new certificate")
        old.send_and_wait("/queue/q", b"still here")
        site.server.certificate.write_text("no certificate\n", encoding="ascii")
        broker.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificate-not-reloaded" in broker.log(), "the bad file is logged")
        assert new_serial()
        old.send_and_wait("/queue/q", b"and here")


def case_end_without_alert(rig):
    """a peer that closes without a close alert is an ordinary end, and all it sent counts"""
    site = Site(rig)
    broker = site.broker()
    for number in range(20):
        talk = Talk(site.connect(broker))
        talk.write(encode("SEND", {"destination": "/queue/q"}, b"%d" % number))
        talk.socket.close()  # Python sends no alert
    wait_until(lambda: broker.queue("q")["waiting"] == 20, "all messages are there")
    wait_until(lambda: broker.status()["connections"] == 0, "all of them are gone")
    assert "protocol-error" not in broker.log()


def case_slow_handshake(rig):
    """a hundred peers that dribble their handshake are closed at the login time-out"""
    site = Site(rig)
    broker = site.broker("--login-timeout", "1s")
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(190)
    peers = [socket.create_connection(("127.0.0.1", broker.tls_port), timeout=20)
             for _ in range(100)]
    with broker.client() as neighbour:
        began = time.monotonic()
        for byte in hello[:15]:
            for peer in peers:
                peer.send(bytes((byte,)))
            let_pass(0.03)
        for peer in peers:
            try:
                assert peer.recv(1000) == b""
            except ConnectionResetError:
                pass
            peer.close()
        assert time.monotonic() - began < 4
        neighbour.send("/queue/q", b"x", receipt=True)
    wait_until(lambda: broker.status()["connections"] == 0, "all of them are gone")
    wait_until(lambda: "login-timeout" in broker.log() and "TLS handshake" in broker.log(),
               "the log says why")


def case_wrong_protocol(rig):
    """plain STOMP, HTTP and garbage on a TLS port are each refused, and neighbours do not notice"""
    site = Site(rig)
    broker = site.broker()
    with Talk(site.connect(broker)) as neighbour:
        for data, answer in ((encode("CONNECT", {}), b"ERROR\nmessage:TLS needed"),
                             (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400"),
                             (b"\x16\x03\x01\x00\x05garbage", b"\x15\x03"),
                             (bytes(5000), b"")):
            with socket.create_connection(("127.0.0.1", broker.tls_port), timeout=20) as peer:
                peer.sendall(data)
                received = b""
                try:
                    while piece := peer.recv(65536):
                        received += piece
                except ConnectionResetError:
                    pass
            assert received.startswith(answer), (data[:20], received)
            neighbour.send_and_wait("/queue/q", b"x")


def case_auto(rig):
    """one auto:// port takes TLS and plain STOMP"""
    site = Site(rig)
    broker = site.broker(url="auto://127.0.0.1:0")
    Talk(site.connect(broker)).socket.close()
    Talk(socket.create_connection(("127.0.0.1", broker.tls_port), timeout=20)).socket.close()


def case_bad_files(rig):
    """a bad certificate stops the start with one sentence that names the file and the remedy"""
    site = Site(rig)
    other = make_certificate(rig.folder, site.authority, "other")
    expired = make_certificate(rig.folder, site.authority, "expired", days=-1)
    for name, arguments, words in (
            ("key", ("--tls-key", other.key), "does not belong to the certificate"),
            ("missing", ("--tls-certificate", rig.folder / "none.pem"), "cannot be read"),
            ("expired", ("--tls-certificate", expired.certificate, "--tls-key", expired.key),
             "has expired on")):
        broker = rig.broker("--listen", "tls://127.0.0.1:0", "--tls-certificate",
                            site.server.certificate, "--tls-key", site.server.key,
                            name=name, start=False)
        broker.arguments = [*broker.arguments]
        for flag, value in zip(arguments[::2], arguments[1::2]):
            broker.arguments[broker.arguments.index(flag) + 1] = value
        try:
            broker.start()
            raise AssertionError(f"it started with a bad {name}")
        except StartFailed as failure:
            assert failure.code == 1 and words in failure.log, failure.log


def case_verbs(rig):
    """send and receive work over tls://, and say in a sentence why they do not"""
    site = Site(rig)
    broker = site.broker(url="tls://127.0.0.1:0?clients=require")
    url = f"tls://localhost:{broker.tls_port}"
    trust = ("--tls-authorities", site.authority.certificate)
    mine = ("--tls-certificate", site.client.certificate, "--tls-key", site.client.key)
    broker.run("send", "--broker", url, *trust, *mine, "--receipt", "q", stdin=b"over tls")
    got = broker.run("receive", "--broker", url, *trust, *mine, "--count", "1", "q")
    assert b"over tls" in got.stdout, got
    for arguments, words in (((*mine,), b"is not trusted"),
                             ((*trust,), b"refuses this client without a certificate"),
                             ((*trust, "--tls-certificate", rig.folder / "none"),
                              b"cannot be used")):
        done = broker.run("send", "--broker", url, *arguments, "--receipt", "q", stdin=b"x",
                          check=False)
        assert done.returncode in (1, 2) and words in done.stderr, done
    wrong = broker.run("send", "--broker", f"tls://localhost:{broker.port}", *trust, "q",
                       stdin=b"x", check=False)
    assert wrong.returncode == 1 and wrong.stderr, wrong


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
