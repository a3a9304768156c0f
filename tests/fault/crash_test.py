#!/usr/bin/env python3
"""kill -9 at any moment: what was promised by a receipt holds in the next life."""

import pathlib
import random
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
import crash_load
from waiting import let_pass, wait_until

NODES = tuple(f"node{i}.example.test" for i in range(5))
QUEUES = ("single", "shared", "whole")
# A catalog that is in the drain at every kill is no poison here.
FLAGS = ("--drain-crashes-max", "1000000")
SMALL = ("--queue-write-buffer", "256KiB", "--queue-table-size", "128KiB",
         "--resident-count-max", "50", "--queue-batch-max", "16KiB")


class World:
    """The load, the broker under it, and what must hold after each of its lives."""

    def __init__(self, rig, flags):
        self.rng = random.Random(rig.options.seed)
        self.ledger = crash_load.Ledger()
        self.broker = rig.broker(*FLAGS, *flags, start=False)
        self.generations = dict.fromkeys(NODES, 0)
        self.actors = [
            crash_load.Producer(self.ledger, self._fork(), "single", "p1"),
            crash_load.Producer(self.ledger, self._fork(), "shared", "p2"),
            crash_load.Producer(self.ledger, self._fork(), "shared", "p3"),
            crash_load.Producer(self.ledger, self._fork(), "whole", "p4"),
            crash_load.Compiler(self.ledger, self._fork(), NODES[:3]),
            crash_load.Compiler(self.ledger, self._fork(), NODES[3:]),
            crash_load.Consumer(self.ledger, self._fork(), "single", "client-individual", True),
            crash_load.Consumer(self.ledger, self._fork(), "shared", "client-individual", False),
            crash_load.Consumer(self.ledger, self._fork(), "shared", "client", False),
            crash_load.Consumer(self.ledger, self._fork(), "whole", "client", True),
        ]

    def _fork(self):
        return random.Random(self.rng.random())

    def round(self):
        """One life: under load until the kill, or killed while it starts."""
        if self.rng.random() < 0.2:
            self.broker.launch()
            let_pass(self.rng.uniform(0.0, 0.08))
            self.broker.kill()
        else:
            self.broker.start()
            for actor in self.actors:
                actor.begin(self.broker.port)
            crash_load.run_for(self.actors, self.rng.uniform(0.01, 0.6))
            self.broker.kill()
            for actor in self.actors:
                actor.end()
        self.check_database()

    def check_database(self):
        """Whole catalogs only, none older than before."""
        if not self.broker.database.exists():
            return
        with self.broker.open_database() as database:
            if not database.execute("select 1 from sqlite_master where name='hosts'").fetchone():
                return
            assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
            for node in NODES:
                now = catalogs.stored_generation(database, node, crash_load.NODE_RESOURCES)
                assert now >= self.generations[node], f"{node} went back to {now}"
                self.generations[node] = now

    def finish(self):
        """The last life: everything that is left is taken out and held against the promises."""
        ledger = self.ledger
        self.broker.start()
        left = set()
        for queue in QUEUES:
            left |= self._take_all(queue)
        lost = ledger.receipted - left - ledger.ack_sent
        assert not lost, f"{len(lost)} of {len(ledger.receipted)} are lost: {sample(lost)}"
        assert not ledger.faults, f"{len(ledger.faults)} faults: {ledger.faults[:10]}"
        self.broker.wait_drained()
        self.check_database()
        for node, generation in ledger.generations_receipted.items():
            stored = self.generations[node]
            assert stored >= generation, f"{node} is stored in {stored}, receipted {generation}"
        assert self.broker.backlog("dead-letter") == 0
        self._assert_something_happened()

    def _take_all(self, queue):
        left = set()
        with self.broker.client() as client:
            client.subscribe(f"/queue/{queue}", ack="client-individual")
            for _ in range(self.broker.backlog(queue)):
                frame = client.message()
                key = self.ledger.check_message(frame, False)
                assert frame.headers.get("redelivered") == "true", f"{key} is no first delivery"
                assert key not in left, f"{key} is there twice"
                left.add(key)
                client.ack(frame)
            assert client.nothing_comes()
        return left

    def _assert_something_happened(self):
        ledger = self.ledger
        print(f"     sent={len(ledger.sent)} receipted={len(ledger.receipted)}"
              f" seen={len(ledger.seen)} acked={len(ledger.ack_receipted)}"
              f" generations={sum(self.generations.values())}")
        assert ledger.receipted and ledger.ack_receipted and all(self.generations.values())


def sample(keys):
    return sorted(keys)[:10]


@cases.each({"sizes": "the default sizes", "flags": ()},
            {"sizes": "small buffers", "flags": SMALL})
def case_kill_under_load(rig, sizes, flags):
    """with {sizes}, kill -9 under load loses nothing receipted and brings nothing acked back."""
    world = World(rig, flags)
    for number in range(rig.options.rounds):
        try:
            world.round()
        except Exception as error:
            error.add_note(f"in round {number}, seed {rig.options.seed}")
            raise
    world.finish()


def case_two_generations(rig):
    """of two generations of a node the newer one is stored, whenever the drain is killed."""
    rng = random.Random(rig.options.seed)
    node = NODES[0]
    for attempt in range(6):
        name = f"attempt-{attempt}"
        before = rig.broker("--catalog-queue", "", name=name)
        with before.client() as client:
            for generation in (1, 2):
                client.send("/queue/catalog", catalogs.generation_message(node, generation, 1500),
                            receipt=True)
        before.stop()
        broker = rig.broker(*FLAGS, name=name, start=False)
        broker.launch()
        let_pass(0.02 * attempt + rng.uniform(0.0, 0.02))
        broker.kill()
        broker.start()
        broker.wait_drained()
        with broker.open_database() as database:
            assert catalogs.stored_generation(database, node, 1500) == 2


def hold_database(broker):
    """Somebody else's write lock on the catalog database."""
    holder = sqlite3.connect(broker.database, timeout=10, isolation_level=None)
    holder.execute("begin immediate")
    return holder


def case_kill_between_take_and_commit(rig):
    """a kill while catalogs are taken and not stored leaves them to the next life, in order."""
    broker = rig.broker()
    node = NODES[0]
    with broker.client() as client:
        client.send("/queue/catalog", catalogs.generation_message(node, 1), receipt=True)
        broker.wait_drained()
        holder = hold_database(broker)
        for generation in (2, 3):
            client.send("/queue/catalog", catalogs.generation_message(node, generation),
                        receipt=True)
        wait_until(lambda: broker.status()["drain"]["in_drain"] == 2, "both are in the drain")
    broker.kill()
    holder.close()
    with broker.open_database() as database:
        assert catalogs.stored_generation(database, node) == 1
    broker.start()
    broker.wait_drained()
    with broker.open_database() as database:
        assert catalogs.stored_generation(database, node) == 3


def is_being_stored(ledger, exits):
    """Whether this life has written down that it stores the one message, after so many exits."""
    lines = [line.split() for line in ledger.splitlines()]
    suspects = [int(line[2]) for line in lines if line[0] == "suspect"]
    return any(line[0] == "under-way" for line in lines) and suspects == [exits][:exits]


def case_crash_in_a_loop(rig):
    """a catalog that was in the drain at three unclean exits becomes a dead letter."""
    broker = rig.broker()
    body = catalogs.generation_message(NODES[0], 1)
    holder = hold_database(broker)
    with broker.client() as client:
        client.send("/queue/catalog", body, receipt=True)
    for exits in range(3):
        wait_until(lambda exits=exits: is_being_stored(broker.crash_ledger(), exits),
                   f"it is being stored after {exits} exits")
        broker.kill()
        broker.start()
    holder.close()
    wait_until(lambda: broker.backlog("dead-letter") == 1, "it is a dead letter")
    assert broker.backlog("catalog") == 0
    with broker.client() as client:
        client.subscribe("/queue/dead-letter", ack="client-individual")
        letter = client.message()
    assert letter["dead-letter-reason"] == "crashed" and letter.body == body, letter


if __name__ == "__main__":
    parser = cases.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="kills of a case (default 12)")
    parser.add_argument("--seed", type=int, default=1, help="of all chances (default 1)")
    sys.exit(cases.run(globals(), parser.parse_args()))
