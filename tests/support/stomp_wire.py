"""A small STOMP client that hides nothing: frames as they are on the wire, one socket, no threads.

For tests: every wait has a deadline, every broken connection is an exception.
"""

import re
import select
import socket
import struct
import time

_TO_WIRE = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", ":": "\\c"}
_FROM_WIRE = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\c": ":"}


class Closed(ConnectionError):
    """The broker has closed the connection."""


class Refused(AssertionError):
    """The broker sent an ERROR."""

    def __init__(self, frame):
        super().__init__(f"{frame.headers.get('message')}: {frame.text()}")
        self.frame = frame


class Frame:
    """Headers are a dict in which the first of a name wins."""

    def __init__(self, command, headers, body=b""):
        self.command = command
        self.headers = headers
        self.body = body

    def __getitem__(self, name):
        return self.headers[name]

    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return f"Frame({self.command}, {self.headers}, {self.body[:200]!r})"


def encode(command, headers, body=b"", version="1.2"):
    """The bytes of a frame; `headers` is a dict or a list of pairs."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    escaped = version != "1.0" and command not in ("CONNECT", "STOMP")
    lines = [command]
    for name, value in pairs:
        if escaped:
            name, value = (re.sub(r"[\\\n\r:]", lambda m: _TO_WIRE[m[0]], text)
                           for text in (name, str(value)))
        lines.append(f"{name}:{value}")
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self):
        self.version = "1.0"
        self._bytes = bytearray()
        self._head = None  # (command, headers) of a frame whose body is incomplete

    def feed(self, data):
        self._bytes += data

    def next(self):
        """The next whole frame, or None."""
        if self._head is None and not self._take_head():
            return None
        command, headers = self._head
        if "content-length" in headers:
            end = int(headers["content-length"])
            if len(self._bytes) <= end:
                return None
            assert self._bytes[end] == 0, f"no NUL where the body of {command} {headers} ends"
        else:
            end = self._bytes.find(b"\0")
            if end < 0:
                return None
        body = bytes(self._bytes[:end])
        del self._bytes[:end + 1]
        self._head = None
        return Frame(command, headers, body)

    def _take_head(self):
        start = 0
        while start < len(self._bytes) and self._bytes[start] in b"\r\n":
            start += 1
        del self._bytes[:start]
        end = self._bytes.find(b"\n\n")
        if end < 0:
            return False
        lines = self._bytes[:end].decode("utf-8").split("\n")
        del self._bytes[:end + 2]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(self._unescape(name), self._unescape(value))
        self._head = (lines[0], headers)
        return True

    def _unescape(self, text):
        if self.version == "1.0" or "\\" not in text:
            return text
        return re.sub(r"\\.", lambda m: _FROM_WIRE[m[0]], text)


class Client:
    """One connection. Frames that were read while waiting for another one are kept in order."""

    def __init__(self, port, version="1.2", login=None, passcode=None, headers=(), connect=True,
                 timeout=20.0):
        self.version = version
        self.timeout = timeout
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.receipts = set()  # those that came and nobody has waited for yet
        self._reader = FrameReader()
        self._frames = []
        self._last_receipt = 0
        self.connected = None
        if connect:
            self.connect(login, passcode, headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Out

    def connect(self, login=None, passcode=None, headers=()):
        pairs = [] if self.version == "1.0" else [("accept-version", self.version), ("host", "/")]
        pairs += [("login", login)] if login is not None else []
        pairs += [("passcode", passcode)] if passcode is not None else []
        self.write(encode("CONNECT", pairs + list(headers)))
        self.connected = self.expect("CONNECTED")
        self._reader.version = self.connected.headers.get("version", "1.0")
        assert self._reader.version == self.version, self.connected

    def write(self, data):
        self.socket.settimeout(self.timeout)
        self.socket.sendall(data)

    def frame(self, command, headers, body=b"", receipt=None):
        """Sends a frame. `receipt=True` waits for one, a string asks for that one only."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if receipt is not None:
            pairs.append(("receipt", self._receipt_name(receipt)))
        self.write(encode(command, pairs, body, self.version))
        if receipt is True:
            self.wait_receipt(pairs[-1][1])

    def _receipt_name(self, receipt):
        if receipt is not True:
            return receipt
        self._last_receipt += 1
        return f"receipt-{self._last_receipt}"

    def send(self, destination, body=b"", receipt=None, **headers):
        body = body.encode() if isinstance(body, str) else body
        pairs = [("destination", destination), ("content-length", len(body))]
        pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.frame("SEND", pairs, body, receipt)

    def subscribe(self, destination, number="1", ack="auto", receipt=True, **headers):
        pairs = [("destination", destination), ("id", number), ("ack", ack)]
        pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.frame("SUBSCRIBE", pairs, receipt=receipt)

    def ack(self, message, receipt=None, command="ACK"):
        """ACK (or NACK) of a MESSAGE, in the words of this version."""
        if self.version == "1.2":
            pairs = [("id", message["ack"])]
        elif self.version == "1.1":
            pairs = [("message-id", message["message-id"]),
                     ("subscription", message["subscription"])]
        else:
            pairs = [("message-id", message["message-id"])]
        self.frame(command, pairs, receipt=receipt)

    def nack(self, message, receipt=None):
        self.ack(message, receipt, "NACK")

    # In

    def poll(self):
        """Reads what is there without waiting; receipts and frames are kept."""
        while True:
            frame = self._reader.next()
            if frame is not None:
                self._keep(frame)
            elif select.select([self.socket], [], [], 0)[0]:
                self._read(0.0)
            else:
                return

    def take_kept(self):
        """The frames that were read and that nobody has waited for yet."""
        frames, self._frames = self._frames, []
        for frame in frames:
            if frame.command == "ERROR":
                raise Refused(frame)
        return frames

    def _keep(self, frame):
        if frame.command == "RECEIPT":
            self.receipts.add(frame["receipt-id"])
        else:
            self._frames.append(frame)

    def _read(self, seconds):
        if seconds > 0 and not select.select([self.socket], [], [], seconds)[0]:
            return False
        data = self.socket.recv(256 * 1024)
        if not data:
            raise Closed("end of file")
        self._reader.feed(data)
        return True

    def _wait(self, found, what, seconds=None):
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        while True:
            frame = self._reader.next()
            if frame is not None:
                self._keep(frame)
            value = found()
            if value is not None:
                return value
            left = deadline - time.monotonic()
            if frame is None and (left <= 0 or not self._read(left)):
                raise TimeoutError(f"no {what} within {seconds or self.timeout} s")

    def _raise_error(self):
        if self._frames and self._frames[0].command == "ERROR":
            raise Refused(self._frames.pop(0))

    def expect(self, command, seconds=None):
        """The next frame that is no receipt; it has to be this one."""
        frame = self._wait(lambda: self._frames.pop(0) if self._frames else None, command, seconds)
        if frame.command == "ERROR" and command != "ERROR":
            raise Refused(frame)
        assert frame.command == command, f"{frame}, not {command}"
        return frame

    def message(self, seconds=None):
        return self.expect("MESSAGE", seconds)

    def messages(self, count, seconds=None):
        return [self.message(seconds) for _ in range(count)]

    def wait_receipt(self, name, seconds=None):
        """Until this receipt came; an ERROR is raised."""
        def look():
            self._raise_error()
            return name if name in self.receipts else None
        self.receipts.discard(self._wait(look, f"RECEIPT {name}", seconds))

    def wait_any_receipt(self, seconds=None):
        """All receipts that have come; waits for the first."""
        def look():
            self._raise_error()
            return self.receipts or None
        came = self._wait(look, "RECEIPT", seconds)
        self.receipts = set()
        return came

    def nothing_comes(self):
        """True if no message is on its way: what the broker does now is behind a receipt."""
        self.frame("SEND", {"destination": "/topic/nobody"}, receipt=True)
        return not any(frame.command == "MESSAGE" for frame in self._frames)

    def wait_closed(self, seconds=None):
        """Reads to the end of the connection; returns the seconds that it took."""
        began = time.monotonic()
        try:
            self._wait(lambda: None, "end of the connection", seconds)
        except (Closed, ConnectionResetError):
            return time.monotonic() - began
        raise AssertionError("unreachable")

    # The end

    def disconnect(self):
        self.frame("DISCONNECT", {}, receipt=True)
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a RST: what was not read by either side is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
