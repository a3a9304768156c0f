#!/usr/bin/env python3
"""`stompbox drain` at Debian's RabbitMQ and ActiveMQ."""

import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captures
import cases
import catalogs
from drain_process import Drain
from peers import ActiveMq, RabbitMq
from waiting import wait_until

PEERS = cases.each({"peer": RabbitMq}, {"peer": ActiveMq})
NODES = [f"node{i}.example.com" for i in range(12)]
GENERATIONS = 8


def send_all(peer, bodies, destination="/queue/catalog", **headers):
    with peer.client() as master:
        for body in bodies:
            master.send(destination, body, persistent="true", **headers)
        master.send(destination + ".sentinel", b"x", receipt=True)
        master.disconnect()


def source_of(peer, destination="/queue/catalog"):
    login = f"{peer.login}@" if peer.login else ""
    return f"stomp://{login}127.0.0.1:{peer.port}{destination}"


def open_database(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)


class Stage:
    """Drains of one case at one peer, with one SQLite database."""

    def __init__(self, rig, peer):
        self._rig = rig
        self._peer = peer
        self.database = rig.folder / "catalogs.sqlite3"

    def drain(self, *arguments, name="drain", destination="/queue/catalog"):
        drain = Drain(self._rig.exe, self._rig.folder / name,
                      source_of(self._peer, destination), f"sqlite:{self.database}", *arguments,
                      passcode=self._peer.passcode)
        self._rig._brokers.append(drain)
        return drain.start()

    def stored(self, node):
        with open_database(self.database) as database:
            return catalogs.stored_generation(database, node)

    def wait_stored(self, generation, seconds=60):
        for node in NODES:
            wait_until(lambda: self.stored(node) == generation,
                       f"{node} is in generation {generation}", seconds)


def nothing_is_left(peer, destination="/queue/catalog"):
    """Whether a new consumer gets nothing: all was acknowledged."""
    with peer.client() as probe:
        probe.subscribe(destination, ack="client-individual")
        try:
            message = probe.message(1.0)
        except TimeoutError:
            return True
        raise AssertionError(f"a message was left: {message}")


@PEERS
def case_captures(rig, peer):
    """catalogs of a real master are stored from {peer.__name__}, and none is left there."""
    with peer(rig.folder / "peer") as broker:
        frames = captures.frames_of(captures.read("catalog-3.8.7.bin"))[1:]
        bodies = [frame.body for frame in frames]
        send_all(broker, bodies)
        stage = Stage(rig, broker)
        drain = stage.drain()
        wait_until(lambda: drain.figures()["stored"] == len(bodies), "all are stored", 30)
        captures.check_database(stage.database, "catalog-3.8.7.bin")
        drain.stop()
        assert nothing_is_left(broker)


@PEERS
def case_poison(rig, peer):
    """what is no catalog goes to the dead-letter queue of {peer.__name__} with its own bytes."""
    with peer(rig.folder / "peer") as broker:
        poison = b'{"document_type":"Catalog","data":{"name":"\xff\x00'
        send_all(broker, [poison, catalogs.generation_message(NODES[0], 1)], colour="blue:green")
        stage = Stage(rig, broker)
        drain = stage.drain()
        wait_until(lambda: drain.figures()["stored"] == 1, "the good one is stored", 30)
        with broker.client() as heir:
            heir.subscribe("/queue/DLQ.catalog", ack="client-individual")
            letter = heir.message(20)
            assert letter.body == poison, letter
            assert letter["dead-letter-reason"] == "unreadable", letter
            assert letter["original-destination"] == "/queue/catalog", letter
            assert letter["colour"] == "blue:green", letter
            heir.ack(letter, receipt=True)
        drain.stop()
        assert nothing_is_left(broker)


@PEERS
def case_replayed(rig, peer):
    """a dead letter that is replayed at {peer.__name__} is as old as it was, and undoes nothing."""
    with peer(rig.folder / "peer") as broker:
        stage = Stage(rig, broker)
        drain = stage.drain()
        newer, poison = catalogs.generation_message(NODES[0], 2), b"no catalog"
        send_all(broker, [poison, newer])
        wait_until(lambda: drain.figures()["stored"] == 1, "the newer one is stored", 30)
        with broker.client() as heir:
            heir.subscribe("/queue/DLQ.catalog", ack="client-individual")
            letter = heir.message(20)
            heir.ack(letter, receipt=True)
        # An operator moves it back with its headers; here its body has become an older catalog.
        send_all(broker, [catalogs.generation_message(NODES[0], 1)],
                 original_arrival=letter["original-arrival"])
        wait_until(lambda: drain.figures()["superseded"] == 1, "the older one is left out", 30)
        assert stage.stored(NODES[0]) == 2
        drain.stop()
        assert nothing_is_left(broker)


@PEERS
def case_killed(rig, peer):
    """of three drains at one queue of {peer.__name__} one is killed again and again, and nothing is
    lost or half."""
    with peer(rig.folder / "peer") as broker:
        stage = Stage(rig, broker)
        drains = [stage.drain("--drain-window-count", "8", name=f"drain{i}") for i in range(3)]
        for generation in range(1, GENERATIONS + 1):
            send_all(broker, [catalogs.generation_message(node, generation) for node in NODES],
                     producer_timestamp=str(1_700_000_000_000 + generation))
            drains[generation % 3].kill()
            drains[generation % 3].start()
        stage.wait_stored(GENERATIONS)
        for drain in drains:
            drain.stop()
        stage.wait_stored(GENERATIONS)
        assert nothing_is_left(broker)


@PEERS
def case_broker_restarted(rig, peer):
    """a drain outlives {peer.__name__}: it comes back to it and goes on."""
    with peer(rig.folder / "peer") as broker:
        send_all(broker, [catalogs.generation_message(node, 1) for node in NODES])
        stage = Stage(rig, broker)
        drain = stage.drain("--source-retry-max", "500ms")
        stage.wait_stored(1)
        broker.stop()
        wait_until(lambda: "source-lost" in drain.log(), "the loss is told")
        broker.start()
        send_all(broker, [catalogs.generation_message(node, 2) for node in NODES])
        stage.wait_stored(2)
        drain.stop()
        assert nothing_is_left(broker)


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
