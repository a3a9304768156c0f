"""Load for the crash tests: producers and consumers that remember what they were promised.

One thread runs them all by turns. Nothing is resent: each message has a key that is used once.
"""

import hashlib
import select
import time

import catalogs
from stomp_wire import Client

NODE_RESOURCES = 20
WINDOW = 32


def body_of(key):
    """What belongs to a key: of very different sizes, none of them stored by the test."""
    digest = hashlib.sha256(key.encode()).digest()
    size = (16, 200, 1500, 9000)[digest[0] % 4] + digest[1]
    return key.encode() + b"\n" + digest * (size // len(digest))


class Ledger:
    """What was promised to whom, over all lives of the broker; faults are collected."""

    def __init__(self):
        self.sent = set()
        self.receipted = set()
        self.seen = set()
        self.ack_sent = set()
        self.ack_receipted = set()
        self.last_first = {}  # (queue, producer) -> number of the last first delivery
        self.generations_receipted = {}  # node -> generation
        self.faults = []

    def check_message(self, frame, ordered):
        """Every rule that one MESSAGE can break; returns its key."""
        key = frame["key"]
        again = frame.headers.get("redelivered") == "true"
        if key not in self.sent:
            self.faults.append(f"{key} was never sent")
        if frame.body != body_of(key):
            self.faults.append(f"{key} has another body")
        if key in self.ack_receipted:
            self.faults.append(f"{key} came back after the receipt of its ACK")
        if key in self.seen and not again:
            self.faults.append(f"{key} was seen before and does not say redelivered")
        if ordered and not again:
            producer, _, number = key.rpartition("/")
            if int(number) <= self.last_first.get(producer, -1):
                self.faults.append(f"{key} came first after {self.last_first[producer]}")
            self.last_first[producer] = int(number)
        self.seen.add(key)
        return key


class Actor:
    """One connection at a time; a new one in each life of the broker."""

    def __init__(self, ledger, rng):
        self.ledger = ledger
        self.rng = rng
        self.client = None
        self.pending = {}  # receipt -> what it promises

    def begin(self, port):
        self.pending = {}
        self.client = Client(port)

    def turn(self):
        """Reads what has come and goes on; raises OSError when the broker is gone."""
        self.client.poll()
        self._read()
        self._act()

    def end(self):
        """The broker is dead: what it had said before counts."""
        try:
            while True:
                self.client.poll()
                self._read()
                select.select([self.client.socket], [], [], 1.0)
        except OSError:
            self._read()
        self.client.close()

    def _read(self):
        """Takes in what the client has read. An ERROR is raised."""
        self.client.take_kept()
        came, self.client.receipts = self.client.receipts, set()
        for receipt in came:
            self._promised(self.pending.pop(receipt))

    def _promised(self, what):
        raise NotImplementedError

    def _act(self):
        raise NotImplementedError


class Producer(Actor):
    """Sends to one queue with receipts, many at a time."""

    def __init__(self, ledger, rng, queue, name):
        super().__init__(ledger, rng)
        self._queue = queue
        self._name = name
        self._number = 0

    def _promised(self, what):
        self.ledger.receipted.add(what)

    def _act(self):
        for _ in range(self.rng.randrange(8)):
            if len(self.pending) >= WINDOW:
                return
            key = f"{self._queue}/{self._name}/{self._number}"
            self._number += 1
            self.pending[key] = key
            self.ledger.sent.add(key)
            self.client.send(f"/queue/{self._queue}", body_of(key), receipt=key, key=key)


class Compiler(Actor):
    """Sends one generation of a node's catalog after another."""

    def __init__(self, ledger, rng, nodes):
        super().__init__(ledger, rng)
        self._generations = dict.fromkeys(nodes, 0)

    def _promised(self, what):
        node, generation = what
        known = self.ledger.generations_receipted.get(node, 0)
        self.ledger.generations_receipted[node] = max(known, generation)

    def _act(self):
        if len(self.pending) >= 6:
            return
        node = self.rng.choice(sorted(self._generations))
        self._generations[node] += 1
        generation = self._generations[node]
        receipt = f"{node}/{generation}"
        self.pending[receipt] = (node, generation)
        body = catalogs.generation_message(node, generation, NODE_RESOURCES)
        self.client.send("/queue/catalog", body, receipt=receipt)


class Consumer(Actor):
    """Takes from one queue; acknowledges with receipts, sends some back, keeps some."""

    def __init__(self, ledger, rng, queue, ack, ordered):
        super().__init__(ledger, rng)
        self._queue = queue
        self._ack = ack
        self._ordered = ordered
        self._held = []
        self._receipt = 0

    def begin(self, port):
        super().begin(port)
        self._held = []
        self.client.subscribe(f"/queue/{self._queue}", ack=self._ack, prefetch_count=64)

    def _promised(self, what):
        self.ledger.ack_receipted.update(what)

    def _read(self):
        # Messages first: those that were read together with a receipt may have come before it.
        for frame in self.client.take_kept():
            self._held.append((self.ledger.check_message(frame, self._ordered), frame))
        super()._read()

    def _act(self):
        if not self._held or self.rng.random() < 0.2:
            return
        if self._ack == "client":
            self._acknowledge(self._held[:self.rng.randint(1, len(self._held))])
            return
        for held in self.rng.sample(self._held, self.rng.randint(1, len(self._held))):
            if self.rng.random() < 0.1:
                self._held.remove(held)
                self.client.nack(held[1])
            else:
                self._acknowledge([held])

    def _acknowledge(self, held):
        """One ACK, of the last; in client mode it covers those before."""
        self._held = [item for item in self._held if item not in held]
        keys = [key for key, _ in held]
        self._receipt += 1
        receipt = f"ack-{self._receipt}"
        self.pending[receipt] = keys
        self.ledger.ack_sent.update(keys)
        self.client.ack(held[-1][1], receipt=receipt)


def run_for(actors, seconds):
    """All actors by turns, until the time is up or the broker is gone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for actor in actors:
            actor.turn()
        select.select([actor.client.socket for actor in actors], [], [], 0.002)
