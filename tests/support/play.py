"""Ways to play captured bytes to a broker."""

import socket

import captures
from stomp_wire import FrameReader


class Way:
    """A way to send bytes; its text is a part of a sentence."""

    def __init__(self, text, play):
        self._text = text
        self._play = play

    def __call__(self, port, data):
        self._play(port, data)

    def __str__(self):
        return self._text


def _connect(port):
    peer = socket.create_connection(("127.0.0.1", port), timeout=20)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def _log_in(peer, data):
    """Sends the CONNECT frame and waits for CONNECTED; returns what is left to send."""
    end = data.index(b"\0") + 1
    peer.sendall(data[:end])
    answer = b""
    while b"\0" not in answer:
        piece = peer.recv(65536)
        assert piece, "closed instead of CONNECTED"
        answer += piece
    assert answer.startswith(b"CONNECTED\n"), answer
    return data[end:]


def _read_to_end(peer):
    rest = b"".join(iter(lambda: peer.recv(65536), b""))
    assert not rest.strip(b"\n"), rest


def _whole(port, data):
    with _connect(port) as peer:
        peer.sendall(_log_in(peer, data))
        peer.shutdown(socket.SHUT_WR)
        _read_to_end(peer)


def _byte_by_byte(port, data):
    with _connect(port) as peer:
        for byte in _log_in(peer, data):
            peer.send(bytes((byte,)))
        peer.shutdown(socket.SHUT_WR)
        _read_to_end(peer)


def _close_at_once(port, data):
    with _connect(port) as peer:
        peer.sendall(_log_in(peer, data))


def _close_unread(port, data):
    with _connect(port) as peer:
        peer.sendall(data)


whole = Way("whole", _whole)
byte_by_byte = Way("byte by byte", _byte_by_byte)
and_close_at_once = Way("with a close right after the last byte", _close_at_once)
WAYS = (whole, byte_by_byte, and_close_at_once,
        Way("in one piece with a close that leaves CONNECTED unread", _close_unread))

CUTS = ("in the middle of a command", "in the middle of the headers", "before the body",
        "in the middle of a body", "before the last byte of a body", "before the final NUL")


def cut_in_last_frame(data, where):
    """How many of the bytes of a capture to send."""
    begin, end = captures.frame_ends(data)[-2:]
    body = data.index(b"\n\n", begin) + 2
    return dict(zip(CUTS, (begin + 2, (begin + body) // 2, body, (body + end) // 2, end - 2,
                           end - 1)))[where]


class Puppetqd:
    """The captured consumer: its CONNECT and SUBSCRIBE at once, its ACKs with our message-ids."""

    def __init__(self, port):
        data = captures.read("puppetqd-3.8.7-in.bin")
        ends = captures.frame_ends(data)
        self._subscription = captures.frames_of(data)[1]["id"]
        self._acks = [data[begin:end] for begin, end in zip(ends[1:], ends[2:])]
        self._reader = FrameReader()
        self._socket = _connect(port)
        self._socket.sendall(_log_in(self._socket, data[:ends[1]]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def take(self):
        """The next MESSAGE, as an old gem understands it."""
        while (frame := self._reader.next()) is None:
            data = self._socket.recv(65536)
            assert data, "closed instead of a MESSAGE"
            self._reader.feed(data)
        assert frame.command == "MESSAGE", frame
        assert frame["destination"] == "/queue/catalog", frame
        assert frame["subscription"] == self._subscription, frame
        return frame

    def acknowledge(self, message):
        """The next captured ACK, its message-id replaced."""
        ack = self._acks.pop(0)
        captured = captures.frames_of(ack)[0]["message-id"].encode()
        self._socket.sendall(ack.replace(captured, message["message-id"].encode()))
