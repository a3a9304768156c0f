import socket


def talk(port, *frames):
    with socket.create_connection(("127.0.0.1", port), 10) as peer:
        peer.sendall("".join(frame + "\0" for frame in ("CONNECT\n\n",) + frames).encode())
        heard = b""
        while b"receipt-id:done" not in heard:
            heard += peer.recv(4096)
        return heard


def test_sends(stomp_port):
    assert b"ERROR" not in talk(stomp_port, "SEND\ndestination:/queue/q\nreceipt:done\n\nx")


def test_finds_an_empty_broker(stomp_port):
    heard = talk(stomp_port, "SUBSCRIBE\ndestination:/queue/q\nid:1\n\n",
                 "SEND\ndestination:/queue/other\nreceipt:done\n\nx")
    assert b"MESSAGE" not in heard
