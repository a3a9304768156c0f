#!/usr/bin/env python3
"""The broker with a MariaDB server behind it: what real Puppet sent is stored as with SQLite."""

import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captures
import captures_test
import cases
import mariadb
import play
from waiting import wait_until

_numbers = itertools.count(1)


class Place:
    """A database of its own, and a broker that stores into it."""

    def __init__(self, rig, *arguments, declaration="character set utf8mb4"):
        self.server = mariadb.shared()
        self.name = f"puppet_{next(_numbers)}"
        self.url = self.server.make_database(self.name, declaration)
        self.broker = rig.broker("--catalog-store", self.url, *arguments)
        self._copy = rig.folder / "copy.sqlite3"

    def store(self, *names):
        for name in names:
            captures_test.store(self.broker, name, play.whole)

    def copy(self):
        return self.server.copy(self.name, self._copy)


def case_golden_3_8_7(rig):
    """catalogs of Puppet 3.8.7 and of the next day are stored in MariaDB as golden."""
    place = Place(rig)
    place.store("facts-3.8.7.bin", "catalog-3.8.7.bin")
    test = captures_test
    test.expect_differences("golden-catalog-3.8.7.json", place.copy(),
                            test.of_each_member(test.LOOKS, test.LIST, test.NESTED) | test.STAGING)
    captures.check_database(place.copy().database, "catalog-3.8.7.bin")
    place.store("catalog2-3.8.7.bin")
    test.expect_differences("golden-catalog-then-catalog2-3.8.7.json", place.copy(),
                            test.of_each_member(test.NESTED_LATER) | test.STAGING)
    captures.check_database(place.copy().database, "catalog-3.8.7.bin", "catalog2-3.8.7.bin")


def case_golden_2_7_26(rig):
    """catalogs of Puppet 2.7.26 are stored in MariaDB as golden, into tables of latin1 too."""
    for declaration in ("character set utf8mb4", "character set latin1"):
        place = Place(rig.subfolder(declaration.split()[-1]), declaration=declaration)
        place.store("facts-3.8.7.bin", "catalog-2.7.26.bin")
        test = captures_test
        test.expect_differences(
            "golden-catalog-2.7.26.json", place.copy(),
            test.of_each_member(test.LOOKS, test.LIST, test.NESTED) | test.UNSAID)
        captures.check_database(place.copy().database, "catalog-2.7.26.bin")


def case_golden_0_25_5(rig):
    """catalogs of Puppet 0.25.5 are stored in MariaDB as golden."""
    place = Place(rig)
    place.store("facts-3.8.7.bin", "catalog-0.25.5.bin")
    test = captures_test
    test.expect_differences("golden-catalog-0.25.5.json", place.copy(),
                            test.of_each_member(test.LOOKS) | test.UNSAID | test.MAIN_CLASS)
    captures.check_database(place.copy().database, "catalog-0.25.5.bin")


def case_edge_values(rig):
    """values that are easily stored wrongly read back from MariaDB as they were."""
    place = Place(rig)
    place.store("facts-3.8.7.bin", "edge-3.8.7.bin")
    captures.check_database(place.copy().database, "edge-3.8.7.bin")


def case_verbs(rig):
    """nodes, resources and facts read what the broker stored, with the same words."""
    place = Place(rig)
    place.store("facts-3.8.7.bin", "catalog-3.8.7.bin")
    run = place.broker.run
    assert b"web01.example.com" in run("nodes", "--catalog-store", place.url).stdout
    assert b"operatingsystem" in run("facts", "web01.example.com", "--catalog-store",
                                     place.url).stdout


def case_status(rig):
    """the status names server and database, never a password."""
    place = Place(rig)
    wait_until(lambda: "server" in place.broker.status()["catalog_store"], "it is open")
    assert place.name in place.broker.status()["catalog_store"]


def case_server_away(rig):
    """a server that is killed and comes back gets every catalog that was sent meanwhile."""
    with mariadb.MariaDb(rig.folder / "mariadb") as server:
        broker = rig.broker("--catalog-store", server.url(), "--drain-retry-first", "100ms",
                            "--drain-retry-max", "1s")
        captures_test.store(broker, "catalog-3.8.7.bin", play.whole)
        server.kill()
        play.whole(broker.port, captures.read("catalog2-3.8.7.bin"))
        wait_until(lambda: "database-trouble" in broker.log(), "the trouble is told")
        assert broker.backlog("catalog") == 3
        server.start()
        broker.wait_drained()
        wait_until(lambda: "database-recovered" in broker.log(), "the end of the trouble is told")
        assert broker.backlog("dead-letter") == 0
        copy = server.copy("puppet", rig.folder / "copy.sqlite3")
        captures.check_database(copy.database, "catalog-3.8.7.bin", "catalog2-3.8.7.bin")


def case_refused_password(rig):
    """a password in the address is refused, and told nowhere."""
    broker = rig.broker("--catalog-store", "mysql://u:s3cret@h/db", start=False)
    try:
        broker.start()
    except AssertionError as fault:
        assert "--catalog-password-file" in str(fault), fault
        assert "s3cret" not in str(fault), fault
    else:
        raise AssertionError("it started")


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
