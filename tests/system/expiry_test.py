#!/usr/bin/env python3
"""--forget-after, end to end: nodes of which nothing has come for too long are forgotten by a
broker, and by a drain alone, that run on their database."""

import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from drain_process import Drain
from waiting import wait_until

# The first look is a twelfth of it after the start.
SILENT_FOR = "36s"
SHORT = "12s"
OLD = "'2001-02-03 04:05:06'"
DAYS = 24 * 3600


class Site:
    """A database with the nodes "here", of just now, and "gone", of years ago; and the watch of
    those who have seen catalogs come for three days."""

    def __init__(self, rig):
        began = int(time.time())
        broker = rig.broker(name="site")
        with broker.client() as master:
            for node in ("here", "gone"):
                motd = catalogs.resource("File", "/etc/motd", owner="root")
                master.send("/queue/catalog", catalogs.message(node, [motd]), receipt=True)
        broker.wait_drained()
        broker.stop()
        self.data = broker.data
        self.database = broker.database
        self.watch = f"{began - 3 * DAYS} {began}\n"
        assert self.nodes() == ["gone", "here"]
        self.change(f"update hosts set last_compile = {OLD} where name = 'gone'",
                    f"update stompbox_nodes set updated_at = {OLD} where name = 'gone'")

    def change(self, *statements):
        """As a person would, while nobody runs; each changes one row."""
        with sqlite3.connect(self.database, timeout=10) as database:
            for statement in statements:
                assert database.execute(statement).rowcount == 1, statement

    def nodes(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as database:
            return [name for name, in database.execute("select name from hosts order by name")]

    def rows_of_the_lost(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as database:
            return database.execute("select count(*) from resources where host_id not in "
                                    "(select id from hosts)").fetchone()[0]

    def check_forgotten(self, process):
        wait_until(lambda: self.nodes() == ["here"], "the silent node is forgotten")
        assert self.rows_of_the_lost() == 0
        wait_until(lambda: "node-expired" in process.log(), "the log says it")
        lines = [line for line in process.log().splitlines() if "node-expired" in line]
        assert len(lines) == 1 and "node=gone" in lines[0], lines
        # The watch goes on.
        assert (process.data / "expiry-watch").read_text().split()[0] == self.watch.split()[0]


def case_serve(rig):
    """a broker that is started with --forget-after forgets the silent node, and that one only"""
    site = Site(rig)
    (site.data / "expiry-watch").write_text(site.watch)
    site.check_forgotten(rig.broker("--forget-after", SILENT_FOR, name="site"))


def case_drain_alone(rig):
    """a drain alone does the same with its database"""
    site = Site(rig)
    broker = rig.broker("--catalog-store", "none")
    drain = Drain(rig.exe, rig.folder / "drain", f"stomp://127.0.0.1:{broker.port}/queue/catalog",
                  f"sqlite:{site.database}", "--forget-after", SILENT_FOR)
    rig._brokers.append(drain)
    drain.data.mkdir()
    (drain.data / "expiry-watch").write_text(site.watch)
    site.check_forgotten(drain.start())


def case_new_watch(rig):
    """who has not watched for long enough forgets nobody: a pass is over, and both are there"""
    site = Site(rig)
    watch = site.data / "expiry-watch"
    rig.broker("--forget-after", SHORT, name="site")
    wait_until(watch.exists, "the first look is noted")
    first = watch.stat().st_ino
    # The note is made anew with each look; the next one comes when the first pass is over.
    wait_until(lambda: watch.stat().st_ino != first, "the second look is noted")
    since, last = watch.read_text().split()
    assert since == last, "the watch begins with the newest catalog"
    assert site.nodes() == ["gone", "here"]


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
