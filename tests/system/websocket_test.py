#!/usr/bin/env python3
"""WebSocket listeners of the real daemon, with Debian's python3-websockets and raw sockets."""

import asyncio
import pathlib
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import websockets

import cases
from certificates import make_authority, make_certificate
from stomp_wire import FrameReader, encode
from waiting import let_pass, wait_until

PROTOCOLS = ["v10.stomp", "v11.stomp", "v12.stomp"]


def start(rig, *arguments, url="ws://127.0.0.1:0"):
    """A broker, and the port of its second listener."""
    broker = rig.broker("--listen", url, *arguments)
    lines = (broker.folder / "ready").read_text(encoding="ascii").splitlines()
    broker.ws_port = int(lines[1].rpartition(":")[2])
    return broker


class Talk:
    """A STOMP conversation over a WebSocket; frames may be cut over messages in any way."""

    def __init__(self, connection):
        self.ws = connection
        self.kinds = []
        self.messages = 0
        self._reader = FrameReader()

    async def log_in(self, binary=False):
        frame = encode("CONNECT", {"accept-version": "1.2", "host": "/"})
        await self.ws.send(frame if binary else frame.decode())
        await self.expect("CONNECTED")
        self._reader.version = "1.2"
        return self

    async def next(self):
        while (frame := self._reader.next()) is None:
            data = await asyncio.wait_for(self.ws.recv(), 20)
            self.messages += 1
            self.kinds.append(type(data))
            self._reader.feed(data.encode() if isinstance(data, str) else data)
        return frame

    async def expect(self, command):
        frame = await self.next()
        assert frame.command == command, frame
        return frame

    async def subscribe(self, destination):
        await self.ws.send(encode("SUBSCRIBE", {"id": "1", "destination": destination,
                                                "ack": "auto", "receipt": "s"}))
        await self.expect("RECEIPT")


def connect(port, scheme="ws", **settings):
    settings.setdefault("subprotocols", PROTOCOLS)
    return websockets.connect(f"{scheme}://127.0.0.1:{port}/stomp", max_size=None,
                              open_timeout=20, close_timeout=5, **settings)


def case_both_kinds(rig):
    """the answer is text or binary as the client's last message, and binary where text cannot be"""
    broker = start(rig)

    async def talk():
        async with connect(broker.ws_port) as ws:
            assert ws.subprotocol == "v12.stomp", ws.subprotocol
            peer = await Talk(ws).log_in()
            assert peer.kinds == [str], peer.kinds
            await peer.subscribe("/queue/q")
            assert peer.kinds[-1] is bytes
            for body, text, kind in ((b"plain", True, str), (b"plain", False, bytes),
                                     (b"\xff\x00\xfe", True, bytes)):
                head = {"destination": "/queue/q", "content-length": len(body)}
                with broker.client() as sender:
                    await ws.send("\n" if text else b"\n")
                    sender.send("/queue/q", b"first")
                    await peer.expect("MESSAGE")
                    await ws.send("\n" if text else b"\n")
                    await asyncio.sleep(0)
                    sender.frame("SEND", head, body)
                    message = await peer.expect("MESSAGE")
                assert message.body == body and peer.kinds[-1] is kind, (body, text, peer.kinds)
    asyncio.run(talk())


def case_cut_anywhere(rig):
    """frames over several messages and fragments, and several frames in one message"""
    broker = start(rig)

    async def talk():
        async with connect(broker.ws_port) as ws:
            peer = await Talk(ws).log_in()
            await peer.subscribe("/queue/q")
            frames = b"".join(encode("SEND", {"destination": "/queue/q"}, b"%d" % number)
                              for number in range(20))
            await ws.send(frames)
            for at in range(0, len(frames), 7):
                await ws.send(frames[at:at + 7].decode())
            await ws.send([frames[at:at + 3] for at in range(0, len(frames), 3)])
            for number in 3 * list(range(20)):
                assert (await peer.expect("MESSAGE")).body == b"%d" % number
    asyncio.run(talk())


def case_large_and_many(rig):
    """a body of 8 MiB and thousands of messages come whole, one STOMP frame in each message"""
    broker = start(rig)
    large = bytes(range(256)) * 32768

    async def talk():
        async with connect(broker.ws_port) as ws:
            peer = await Talk(ws).log_in()
            await peer.subscribe("/queue/q")
            await ws.send(encode("SEND", {"destination": "/queue/q", "content-length": len(large)},
                                 large))
            assert (await peer.expect("MESSAGE")).body == large
            before = peer.messages
            for number in range(3000):
                await ws.send(encode("SEND", {"destination": "/queue/q"}, b"%d" % number))
            for number in range(3000):
                assert (await peer.expect("MESSAGE")).body == b"%d" % number
            assert peer.messages - before == 3000
    asyncio.run(talk())


def case_ping_and_close(rig):
    """pings are answered, a close is echoed with its code, and a stop says that we go away"""
    broker = start(rig)

    async def talk():
        async with connect(broker.ws_port) as ws:
            await (await ws.ping(b"are you there"))
            await Talk(ws).log_in()
            await ws.close(4001, "enough")
            assert ws.close_code == 4001, ws.close_code
        ws = await connect(broker.ws_port)
        await Talk(ws).log_in()
        stopper = asyncio.get_running_loop().run_in_executor(None, broker.stop)
        try:
            await asyncio.wait_for(ws.recv(), 20)
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == 1001, closed
        await stopper
    asyncio.run(talk())


def case_disconnect(rig):
    """DISCONNECT with a receipt ends in the receipt and a close frame"""
    broker = start(rig)

    async def talk():
        async with connect(broker.ws_port) as ws:
            peer = await Talk(ws).log_in()
            await ws.send(encode("DISCONNECT", {"receipt": "bye"}).decode())
            await peer.expect("RECEIPT")
            try:
                await asyncio.wait_for(ws.recv(), 20)
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd and closed.rcvd.code == 1000, closed
    asyncio.run(talk())


def case_error(rig):
    """an ERROR comes as a message of its own, before the close frame"""
    broker = start(rig)

    async def talk():
        async with connect(broker.ws_port) as ws:
            peer = await Talk(ws).log_in()
            await ws.send("NONSENSE\n\n\0")
            await peer.expect("ERROR")
            try:
                await asyncio.wait_for(ws.recv(), 20)
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd and closed.rcvd.code == 1008, closed
    asyncio.run(talk())


def case_beats(rig):
    """heart-beats go both ways as messages of one line end"""
    broker = start(rig, "--wants-beats", "200ms")

    async def talk():
        async with connect(broker.ws_port) as ws:
            await ws.send(encode("CONNECT", {"accept-version": "1.2", "host": "/",
                                             "heart-beat": "200,200"}).decode())
            assert "CONNECTED" in await ws.recv()
            for _ in range(5):
                assert await asyncio.wait_for(ws.recv(), 5) == "\n"
                await ws.send("\n")
    asyncio.run(talk())


def case_origins(rig):
    """pages of the same host may connect, others only when they are named"""
    broker = start(rig)
    named = start(rig.subfolder("named"), url="ws://127.0.0.1:0?origin=https://shop.example")

    async def status(port, origin):
        try:
            async with connect(port, origin=origin):
                return 101
        except websockets.InvalidStatusCode as refused:
            return refused.status_code

    async def talk():
        for port, origin, wanted in ((broker.ws_port, None, 101),
                                     (broker.ws_port, "http://127.0.0.1:8080", 101),
                                     (broker.ws_port, "https://shop.example", 403),
                                     (named.ws_port, "https://shop.example", 101),
                                     (named.ws_port, "https://other.example", 403)):
            got = await status(port, origin)
            assert got == wanted, (origin, got)
    asyncio.run(talk())


def case_sub_protocols(rig):
    """the best version that is offered is chosen, and none if none is"""
    broker = start(rig)

    async def talk():
        for offered, chosen in ((["v10.stomp"], "v10.stomp"), (["mqtt", "v11.stomp"], "v11.stomp"),
                                (["mqtt"], None), (None, None)):
            async with connect(broker.ws_port, subprotocols=offered) as ws:
                assert ws.subprotocol == chosen, (offered, ws.subprotocol)
                await Talk(ws).log_in()
    asyncio.run(talk())


def case_one_port(rig):
    """one auto:// port takes WebSocket, TLS with WebSocket inside, TLS and plain STOMP"""
    authority = make_authority(rig.folder)
    made = make_certificate(rig.folder, authority, "broker")
    files = ("--tls-certificate", made.certificate, "--tls-key", made.key)
    broker = start(rig, *files, url="auto://127.0.0.1:0")
    secure = start(rig.subfolder("wss"), *files, url="wss://127.0.0.1:0")
    context = ssl.create_default_context(cafile=str(authority.certificate))

    async def talk():
        for port, scheme, settings in ((broker.ws_port, "ws", {}),
                                       (broker.ws_port, "wss", {"ssl": context}),
                                       (secure.ws_port, "wss", {"ssl": context})):
            async with connect(port, scheme, **settings) as ws:
                peer = await Talk(ws).log_in()
                await peer.subscribe("/queue/q")
                await ws.send(encode("SEND", {"destination": "/queue/q"}, b"x" * 200_000).decode())
                assert len((await peer.expect("MESSAGE")).body) == 200_000
    asyncio.run(talk())
    with socket.create_connection(("127.0.0.1", broker.ws_port), timeout=20) as plain:
        plain.sendall(encode("CONNECT", {"accept-version": "1.2", "host": "/"}))
        assert plain.recv(1000).startswith(b"CONNECTED\n")
        with context.wrap_socket(socket.create_connection(("127.0.0.1", broker.ws_port),
                                                          timeout=20),
                                 server_hostname="localhost") as tls:
            tls.sendall(encode("CONNECT", {"accept-version": "1.2", "host": "/"}))
            assert tls.recv(1000).startswith(b"CONNECTED\n")


def read_all(peer):
    received = b""
    try:
        while piece := peer.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def case_bad_input(rig):
    """what is no WebSocket is told so, and a neighbour does not notice"""
    broker = start(rig)
    upgrade = (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    with broker.client() as neighbour:
        for data, answer in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 426"),
                             (encode("CONNECT", {}), b"ERROR\nmessage:WebSocket needed"),
                             (b"\x16\x03\x01\x00\x05hello\n", b"HTTP/1.1 400"),
                             (b"x" * 20_000, b"HTTP/1.1 431"),
                             (upgrade + b"\x81\x01x", b"HTTP/1.1 101"),
                             (upgrade + b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask",
                              b"HTTP/1.1 101")):
            with socket.create_connection(("127.0.0.1", broker.ws_port), timeout=20) as peer:
                peer.sendall(data)
                received = read_all(peer)
            assert received.startswith(answer), (data[:40], received)
            if b"101" in answer:
                assert b"\x03\xea" in received, received
            neighbour.send("/queue/q", b"x", receipt=True)
    wait_until(lambda: broker.status()["connections"] == 0, "all of them are gone")


def case_slow_head(rig):
    """a hundred peers that dribble their request are closed at the login time-out"""
    broker = start(rig, "--login-timeout", "1s")
    peers = [socket.create_connection(("127.0.0.1", broker.ws_port), timeout=20)
             for _ in range(100)]
    with broker.client() as neighbour:
        began = time.monotonic()
        for byte in b"GET / HTTP/1.1\r\n":
            for peer in peers:
                peer.send(bytes((byte,)))
            let_pass(0.03)
        for peer in peers:
            assert read_all(peer) == b""
            peer.close()
        assert time.monotonic() - began < 4
        neighbour.send("/queue/q", b"x", receipt=True)
    wait_until(lambda: broker.status()["connections"] == 0, "all of them are gone")


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
