#!/usr/bin/env python3
"""@stomp/stompjs in Node, over TCP, TLS and WebSocket, against the broker."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import node_clients
from certificates import make_authority, make_certificate

BEHAVIOURS = ("bodies_and_headers", "unsubscribe", "ack_client", "ack_individual_and_nack",
              "transactions", "error", "temporary_reply_queue")
VERSIONS = ("1.0", "1.1", "1.2")
EVERYWHERE = cases.each(*({"scheme": scheme, "version": version}
                          for scheme in ("tcp", "ws") for version in VERSIONS))


class Site:
    """A broker with one listener of each scheme."""

    def __init__(self, rig, *arguments):
        authority = make_authority(rig.folder)
        made = make_certificate(rig.folder, authority, "broker")
        self.authority = authority.certificate
        self.folder = node_clients.install(rig)
        listeners = [word for scheme in ("tls", "ws", "wss")
                     for word in ("--listen", f"{scheme}://127.0.0.1:0")]
        self.broker = rig.broker("--tls-certificate", made.certificate, "--tls-key", made.key,
                                 "--catalog-store", "none", *listeners, *arguments)

    def launch(self, scheme, version, *behaviours):
        environment = dict(os.environ, NODE_EXTRA_CA_CERTS=str(self.authority))
        url = node_clients.url_of(self.broker, scheme, "localhost")
        return subprocess.Popen(
            ["node", "client.mjs", url, version, *behaviours], cwd=self.folder,
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def run(self, *words):
        expect_success(self.launch(*words))


def expect_success(process):
    try:
        text, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, text


@EVERYWHERE
def case_behaviours(rig, scheme, version):
    """stompjs in {version} over {scheme}: bodies, headers, acks, NACK, transactions, replies"""
    Site(rig).run(scheme, version, *BEHAVIOURS)


@cases.each({"scheme": "tls"}, {"scheme": "wss"})
def case_secure(rig, scheme):
    """stompjs over {scheme} does what it does without"""
    Site(rig).run(scheme, "1.2", *BEHAVIOURS)


@cases.each({"scheme": "tcp"}, {"scheme": "ws"})
def case_heart_beats(rig, scheme):
    """stompjs over {scheme}: heart-beats of both sides hold an idle connection"""
    Site(rig, "--wants-beats", "200ms").run(scheme, "1.2", "heart_beats")


def case_split_and_binary(rig):
    """one frame in many WebSocket messages, and frames in binary messages, arrive whole"""
    Site(rig).run("ws", "1.2", "split_and_binary")


@cases.each({"scheme": "tcp"}, {"scheme": "ws"})
def case_reconnect(rig, scheme):
    """stompjs over {scheme} comes back by itself when the broker was killed, to what it left"""
    site = Site(rig)
    process = site.launch(scheme, "1.2", "reconnect")
    try:
        first = process.stdout.readline()
        assert first == "sent\n", first
        node_clients.restart_on_same_ports(site.broker)
        process.stdin.write("it is back\n")
        process.stdin.flush()
        expect_success(process)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
