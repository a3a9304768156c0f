#!/usr/bin/env python3
"""Bad input ends in one clear ERROR for that peer alone; a neighbour does not notice."""

import pathlib
import re
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from stomp_wire import Client, FrameReader, encode
from waiting import let_pass, wait_until

CONNECT = {version: encode("CONNECT", {"accept-version": version, "host": "/"})
           for version in ("1.0", "1.1", "1.2")}
HOLD_SECONDS = (1.0, 2.0)
ROUND_TRIP_SECONDS_MAX = 1.0

# What is sent, and words that the ERROR has to have.
FAULTS = {
    "garbage": (b"\x80\x81\xfe\xff\x01\x02garbage\n\n\0", ""),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP"),
    "a command in lower case": (b"connect\n\n\0", "connect"),
    "a frame before CONNECT": (encode("SEND", {"destination": "/queue/q"}, b"x"), "CONNECT"),
    "a second CONNECT": (CONNECT["1.2"] * 2, "CONNECT"),
    "an unknown version": (encode("CONNECT", {"accept-version": "9.9", "host": "/"}), "version"),
    "an unknown command": (CONNECT["1.2"] + b"FETCH\n\n\0", "FETCH"),
    "a header line without colon": (CONNECT["1.2"] + b"SEND\ndestination\n\n\0", "colon"),
    "an undefined escape": (CONNECT["1.2"] + b"SEND\ndestination:/queue/q\nx:\\q\n\n\0", "escape"),
    "endless headers": (CONNECT["1.2"] + b"SEND\ndestination:/queue/q\n" +
                        b"".join(b"h%d:%s\n" % (i, b"x" * 1000) for i in range(2000)), "header"),
    "an endless header line": (CONNECT["1.2"] + b"SEND\nh:" + b"x" * 1_000_000, "header"),
    "an endless command": (CONNECT["1.2"] + b"S" * 1_000_000, "command"),
    "an endless CONNECT": (b"CONNECT\n" + b"h:" + b"x" * 1_000_000, "header"),
    "a body before login": (b"CONNECT\ncontent-length:1000000\n\n" + b"x" * 1_000_000, ""),
    "an announced length beyond the limit": (
        CONNECT["1.2"] + b"SEND\ndestination:/queue/q\ncontent-length:99999999999\n\n", "body"),
    "a length that overflows": (
        CONNECT["1.2"] + b"SEND\ndestination:/queue/q\ncontent-length:99999999999999999999999\n\n",
        "content-length"),
    "a negative length": (
        CONNECT["1.2"] + b"SEND\ndestination:/queue/q\ncontent-length:-1\n\n\0", "content-length"),
    "a length that is too short": (
        CONNECT["1.2"] + b"SEND\ndestination:/queue/q\ncontent-length:1\n\nabc\0",
        "content-length"),
    "a body on SUBSCRIBE": (
        CONNECT["1.2"] + b"SUBSCRIBE\nid:1\ndestination:/queue/q\ncontent-length:2\n\nab\0",
        "body"),
    "a SEND without destination": (CONNECT["1.2"] + b"SEND\n\nx\0", "destination"),
    "a SUBSCRIBE without id": (
        CONNECT["1.2"] + b"SUBSCRIBE\ndestination:/queue/q\n\n\0", "id"),
    "an ACK of nothing": (CONNECT["1.2"] + b"ACK\nid:5.5\n\n\0", "ACK"),
}


class Neighbour:
    """A well-behaved peer that plays ping-pong with itself all the time, in a thread.

    Its messages are not persistent: it watches the broker, not how long the disk takes to sync."""

    def __init__(self, broker, queue="neighbour"):
        self._client = broker.client()
        self._destination = f"/queue/{queue}"
        self._client.subscribe(self._destination, ack="client-individual")
        self._stop = threading.Event()
        self._failure = None
        self.rounds = 0
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._play)

    def __enter__(self):
        self._thread.start()
        return self

    def _play(self):
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                body = str(self.rounds).encode()
                self._client.send(self._destination, body, receipt="sent", persistent="false")
                message = self._client.message()
                assert message.body == body and "redelivered" not in message.headers, message
                self._client.ack(message, receipt=True)
                self._client.wait_receipt("sent")
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.rounds += 1
        except Exception as failure:  # told to the case at its end
            self._failure = failure

    def __exit__(self, kind, *_):
        if kind is None:
            wait_until(lambda: self.rounds >= 100 or self._failure, "a hundred round trips")
        self._stop.set()
        self._thread.join()
        self._client.close()
        if kind is not None:
            return
        assert self._failure is None, self._failure
        print(f"     round_trips={self.rounds} slowest_ms={self.slowest * 1000:.0f}")
        assert self.slowest < ROUND_TRIP_SECONDS_MAX, f"a round trip took {self.slowest:.2f} s"


def send_all(peer, data):
    """As much as the broker takes."""
    try:
        peer.sendall(data)
    except OSError:
        pass


def answer_to(broker, data):
    """(frames, seconds from the first byte of the ERROR to the end) of a bad peer."""
    with broker.socket() as peer:
        sender = threading.Thread(target=send_all, args=(peer, data))
        sender.start()
        received, error_at = b"", None
        while True:
            piece = peer.recv(65536)
            if not piece:
                break
            received += piece
            if error_at is None and b"ERROR\n" in received:
                error_at = time.monotonic()
        ended_at = time.monotonic()
        sender.join()
    reader = FrameReader()
    reader.feed(received)
    frames = list(iter(reader.next, None))
    return frames, ended_at - error_at if error_at else None


def check_answer(broker, data, words):
    frames, held = answer_to(broker, data)
    commands = [frame.command for frame in frames]
    assert commands in (["ERROR"], ["CONNECTED", "ERROR"]), frames
    error = frames[-1]
    told = error["message"] + "\n" + error.text()
    assert error["message"] and error.body.strip(), error
    assert words.lower() in told.lower(), told
    assert HOLD_SECONDS[0] <= held <= HOLD_SECONDS[1], f"held for {held:.2f} s"


def case_one_error_each(rig):
    """every kind of bad input gets one clear ERROR, is held for a second or two and closed."""
    broker = rig.broker()
    failures = {}

    def check(name):
        try:
            check_answer(broker, *FAULTS[name])
        except Exception as failure:
            failures[name] = failure

    with Neighbour(broker):
        threads = [threading.Thread(target=check, args=(name,)) for name in FAULTS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures, "\n".join(f"{name}: {failure!r}" for name, failure in failures.items())
    assert broker.queue("q").get("enqueued", 0) == 0


def case_tls_hello(rig):
    """a TLS hello on the plain port is logged and closed, without a word."""
    broker = rig.broker()
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(190)
    with Neighbour(broker), broker.socket() as peer:
        peer.sendall(hello)
        received = b"".join(iter(lambda: peer.recv(65536), b""))
    assert received == b"", received
    wait_until(lambda: re.search(r"\bTLS\b|tls", broker.log()), "the log says TLS")


def case_wrong_passcode(rig):
    """a wrong passcode gets one ERROR and a hold, longer every time from the same address."""
    users = rig.folder / "users"
    rig.broker(name="hash", start=False).run(
        "passwd", "--users", users, "puppet", stdin=b"secret\n")
    broker = rig.broker("--users", users)
    wrong = encode("CONNECT", {"login": "puppet", "passcode": "guess"})
    with broker.client(login="puppet", passcode="secret") as client:
        holds = []
        for _ in range(2):
            frames, held = answer_to(broker, wrong)
            assert [frame.command for frame in frames] == ["ERROR"], frames
            assert "guess" not in frames[0].text() + str(frames[0].headers)
            holds.append(held)
        assert HOLD_SECONDS[0] <= holds[0] <= HOLD_SECONDS[1] and holds[1] > holds[0], holds
        client.send("/queue/q", b"x", receipt=True)
    assert "guess" not in broker.log() and "secret" not in broker.log()


def case_slow_loris(rig):
    """a hundred peers that dribble their CONNECT are told and closed at the login time-out."""
    broker = rig.broker("--login-timeout", "1s")
    peers = [broker.socket() for _ in range(100)]
    with Neighbour(broker):
        began = time.monotonic()
        for byte in b"CONNECT\naccept":
            for peer in peers:
                peer.send(bytes((byte,)))
            let_pass(0.05)
        for peer in peers:
            received = b"".join(iter(lambda: peer.recv(65536), b""))
            assert received.startswith(b"ERROR\n") and received.count(b"\0") == 1, received
        assert time.monotonic() - began < 1.0 + HOLD_SECONDS[1] + 1.0
    for peer in peers:
        peer.close()
    wait_until(lambda: broker.status()["connections"] == 0, "all of them are gone")


def case_probes(rig):
    """a thousand empty probe connections are counted, not logged, and disturb nobody."""
    broker = rig.broker()
    with Neighbour(broker):
        for _ in range(1000):
            broker.socket().close()
        wait_until(lambda: broker.status()["connections_total"] >= 1001, "all were accepted")
        wait_until(lambda: broker.status()["connections"] == 1, "all of them are gone")
    assert len(broker.log().splitlines()) < 50, broker.log_tail(60)


def case_flood_after_error(rig):
    """a peer that goes on sending after its ERROR is read, thrown away and closed."""
    broker = rig.broker()
    flood = CONNECT["1.2"] + b"NONSENSE\n\n\0" + encode(
        "SEND", {"destination": "/queue/q"}, b"x" * 1000, "1.2") * 20_000
    with Neighbour(broker):
        frames, held = answer_to(broker, flood)
    assert [frame.command for frame in frames] == ["CONNECTED", "ERROR"], frames
    assert held <= HOLD_SECONDS[1], held
    assert broker.queue("q").get("enqueued", 0) == 0


def case_consumer_that_does_not_read(rig):
    """a subscriber that never reads slows nobody, and what it had comes back."""
    broker = rig.broker()
    stuck = broker.client()
    stuck.subscribe("/queue/q", ack="client-individual", prefetch_count=60000)
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with Neighbour(broker), broker.client() as sender:
        for number in range(3000):
            sender.send("/queue/q", b"y" * 4096, receipt=True if number % 100 == 99 else None)
    stuck.close()
    wait_until(lambda: broker.queue("q")["waiting"] == 3000, "all 3000 are there")
    with broker.client() as reader:
        reader.subscribe("/queue/q", ack="auto")
        assert len(reader.messages(3000)) == 3000


def case_half_frames(rig):
    """peers that vanish in the middle of a frame leave nothing behind."""
    broker = rig.broker()
    whole = encode("SEND", {"destination": "/queue/q", "content-length": 1000}, b"z" * 1000, "1.2")
    with Neighbour(broker):
        for cut in range(1, len(whole), 37):
            with broker.socket() as peer:
                peer.sendall(CONNECT["1.2"] + whole[:cut])
        wait_until(lambda: broker.status()["connections"] == 1, "all of them are gone")
    assert broker.queue("q").get("enqueued", 0) == 0


def case_error_names_receipt(rig):
    """the ERROR for a frame that asked for a receipt names it."""
    broker = rig.broker()
    with Client(broker.port) as client:
        client.frame("SEND", {"content-length": 0, "receipt": "the one"})
        error = client.expect("ERROR")
    assert error["receipt-id"] == "the one", error


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
