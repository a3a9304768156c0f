#!/usr/bin/env python3
"""Several `stompbox drain` with one MariaDB, and with a Galera cluster that loses a node."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from drain_process import Drain
from galera import Galera, Single
from waiting import let_pass, wait_until

NODES = [f"node{i}.example.com" for i in range(8)]
FIRST_MS = 1_700_000_000_000  # the producer's time of a generation, one second each

ROWS = ("select r.id, r.restype, r.title, n.name, v.value from hosts h"
        " join resources r on r.host_id = h.id"
        " left join param_values v on v.resource_id = r.id"
        " left join param_names n on n.id = v.param_name_id where h.name = %s")


def rows_of(server, node):
    """As catalogs.stored_rows(), of one moment; a duplicate or a mixture raises."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from hosts where name = %s", (node,))
        assert cursor.fetchone()[0] <= 1, f"{node}: more than one row in hosts"
        cursor.execute(ROWS, (node,))
        found = cursor.fetchall()
    by_id = {}
    for number, kind, title, name, value in found:
        values = by_id.setdefault(number, (kind, title, []))[2]
        if name is not None:
            values.append((name, value))
    rows = [(kind, title, tuple(sorted(values))) for kind, title, values in by_id.values()]
    assert len(rows) == len(set(rows)), f"{node}: a resource is there twice"
    return set(rows)


def is_whole(server, node, generation):
    return rows_of(server, node) == catalogs.wanted_rows(
        catalogs.generation_of_node(node, generation))


class Load:
    """A broker that drains nothing itself, and masters that send one generation after another."""

    def __init__(self, rig):
        self.rig = rig
        self.broker = rig.broker("--catalog-store", "none")
        self.last = 0

    def drain(self, server, name):
        drain = Drain(self.rig.exe, self.rig.folder / name,
                      f"stomp://127.0.0.1:{self.broker.port}/queue/catalog", server.store(),
                      "--drain-window-count", "6", "--source-hold-max", "500ms",
                      "--drain-retry-max", "2s")
        self.rig._brokers.append(drain)
        return drain.start()

    def generations(self, count):
        """Sends so many, and yields after each."""
        with self.broker.client() as master:
            for _ in range(count):
                self.last += 1
                for node in NODES:
                    master.send("/queue/catalog", catalogs.generation_message(node, self.last),
                                receipt=True, producer_timestamp=str(FIRST_MS + self.last * 1000))
                yield self.last

    def check(self, server, seconds=40):
        """All is acknowledged, and of each node the last generation is there, whole."""
        wait_until(lambda: self.broker.backlog("catalog") == 0, "all is acknowledged", seconds)
        for node in NODES:
            assert is_whole(server, node, self.last), f"{node} is not in generation {self.last}"
        assert self.broker.backlog("dead-letter") == 0


def case_killed_drains(rig):
    """three drains at one queue with one MariaDB, one of them killed at any moment: nothing is lost
    or half."""
    with Single(rig.folder / "m") as server:
        load = Load(rig)
        drains = [load.drain(server, f"drain{i}") for i in range(3)]
        for generation in load.generations(9):
            let_pass(0.05 * (generation % 3))
            drains[generation % 3].kill()
            drains[generation % 3].start()
        load.check(server)
        for drain in drains:
            drain.stop()


def case_server_restarted(rig):
    """MariaDB is stopped and started under load: what could not be stored is stored then."""
    with Single(rig.folder / "m") as server:
        load = Load(rig)
        drains = [load.drain(server, f"drain{i}") for i in range(2)]
        for generation in load.generations(6):
            if generation == 3:
                server.kill()
            if generation == 5:
                wait_until(lambda: any("database-trouble" in drain.log() for drain in drains),
                           "the trouble is told")
                server.start()
        load.check(server)
        for drain in drains:
            drain.stop()


def case_galera_node_lost(rig):
    """a drain at each node of a Galera cluster, and one node dies under load: nothing is lost or
    half."""
    with Galera(rig.folder / "g") as cluster:
        load = Load(rig)
        drains = [load.drain(cluster.a, "drain-a"), load.drain(cluster.b, "drain-b")]
        for generation in load.generations(8):
            if generation == 4:
                cluster.b.kill()
        load.check(cluster.a)
        assert "source-handed-back" in drains[1].log() or \
            drains[1].figures()["in_drain"] == 0, drains[1].log_tail()
        for drain in drains:
            drain.stop()


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
