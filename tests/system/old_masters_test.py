#!/usr/bin/env python3
"""Old masters read and write the database while the broker does: how often they fail, compared with
the same master beside puppetqd, and what the database looks like afterwards.

A puppetqd loses a catalog at the first lock that it meets; beside a busy master hardly one is
stored. So it is told, but compared with is one that has the same load: it does a failed step again.

--seconds 60 gives each measurement a minute.
"""

import fcntl
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import cases
import catalogs
import storeconfigs_rules
from mariadb import MariaDb
from waiting import let_pass

NODES = [f"queued{i:02}.site.example" for i in range(20)]  # those of the imitated puppetqd
RESOURCES = 48  # and a quarter as many that come and go: as many as the imitation's catalogs have
SYNCED = ("--innodb-flush-method=fsync", "--skip-debug-no-sync")  # as on a real machine
# Catalogs a second, and requests to the master: a failure brings no more of them.
RATE = 3
BACKLOG = 64


class SqliteFile:
    """A database of SQLite, in a journal mode."""

    def __init__(self, rig, mode):
        self.path = rig.folder / "storeconfigs.sqlite3"
        self.mode = mode
        self.name = str(self.path)
        self.url = f"sqlite:{self.path}"

    def end(self):
        pass

    def settle(self):
        """The journal mode that the database is to have, set with nobody there."""
        with self._open() as database:
            database.execute(f"PRAGMA journal_mode={self.mode}")
        database.close()

    def rows(self, sql):
        with self._open() as database:
            found = database.execute(sql).fetchall()
        database.close()
        return found

    def _open(self):
        return sqlite3.connect(self.path, timeout=20)

    def lock(self):
        """File and byte that a writer locks exclusively: of the WAL index, or the reserved byte."""
        return (f"{self.path}-shm", 120) if self.mode == "wal" else (self.name, 0x40000001)


class Maria:
    """A database of MariaDB."""

    def __init__(self, rig):
        self.server = MariaDb(rig.folder / "mariadb", *SYNCED).start()
        self.name = f"mysql:{self.server.socket}"
        self.url = self.server.url()

    def end(self):
        self.server.end()

    def settle(self):
        pass

    def rows(self, sql):
        return self.server.rows(sql)

    def lock(self):
        return None


KINDS = {"SQLite in WAL mode": lambda rig: SqliteFile(rig, "wal"),
         "SQLite with a rollback journal": lambda rig: SqliteFile(rig, "delete"),
         "MariaDB": Maria}


class LockWatch(threading.Thread):
    """How long a process holds the write lock of an SQLite file, without ever taking it."""

    def __init__(self, lock, holder):
        super().__init__(daemon=True)
        self.lock = lock
        self.holder = holder
        self.longest_ms = 0.0
        self.over = threading.Event()

    def run(self):
        name, byte = self.lock
        file = os.open(name, os.O_RDWR)
        since = None
        while not self.over.is_set():
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
            found = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
            now = time.monotonic()
            if found[0] == fcntl.F_UNLCK or found[4] != self.holder:
                since = None
            else:
                since = since or now
                self.longest_ms = max(self.longest_ms, 1000 * (now - since))
            let_pass(0.0005)
        os.close(file)

    def finish(self):
        self.over.set()
        self.join()
        return round(self.longest_ms, 1)


def imitate(database, seconds, mode, *more):
    """Starts an imitation; its figures come out at the end."""
    command = [sys.executable, HERE / "master_beside_us.py", database.name, str(seconds), mode,
               *more]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)


def figures(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, process.args
    return json.loads(output)


def publish_while(process, broker, pause):
    """Sends catalogs that change until the process has ended; returns how many were stored."""
    sent = 0
    with broker.client() as client:
        while process.poll() is None:
            generation, node = divmod(sent, len(NODES))
            body = catalogs.generation_message(NODES[node], generation + 2, RESOURCES)
            client.send("/queue/catalog", body, receipt=f"r{sent}")
            client.wait_receipt(f"r{sent}")
            sent += 1
            let_pass(pause)
            while not pause and broker.backlog("catalog") > BACKLOG and process.poll() is None:
                let_pass(0.01)
    return sent - broker.backlog("catalog")


def beside_us(rig, database, pause):
    """The master's figures beside the broker, with the number of catalogs and the longest lock."""
    broker = rig.broker("--catalog-store", database.url, name="broker")
    with broker.client() as client:
        for node in NODES:
            client.send("/queue/catalog", catalogs.generation_message(node, 1, RESOURCES))
    broker.wait_drained()
    watch = database.lock() and LockWatch(database.lock(), broker.process.pid)
    master = imitate(database, rig.options.seconds, "master", RATE)
    if watch:
        watch.start()
    stored = publish_while(master, broker, pause)
    found = figures(master)
    found["longest_lock_ms"] = watch.finish() if watch else None
    found["catalogs"] = stored
    broker.wait_drained()
    assert broker.status()["dead_letters"] == 0
    broker.stop()
    return found


def beside_puppetqd(rig, database, mode):
    queue = imitate(database, rig.options.seconds, mode, RATE)
    found = figures(imitate(database, rig.options.seconds, "master", RATE))
    theirs = figures(queue)
    found["catalogs"] = theirs["requests"] - theirs["failed_requests"]
    found["lost"] = theirs["failed_requests"]
    return found


def share(found, some, all_of_them):
    assert found[all_of_them] > 0, found
    return found[some] / found[all_of_them]


def tell(name, found):
    print(f"     {name}: {found['failed_requests']} of {found['requests']} requests failed,"
          f" {found['read_errors']} of {found['reads']} reads, {found['write_errors']} of"
          f" {found['writes']} writes; longest statement {found['longest_ms']} ms;"
          f" {found['catalogs']} catalogs stored, {found.get('lost', 0)} lost;"
          f" longest lock {found.get('longest_lock_ms')} ms; first error {found['first_error']}")


def check(rig, database):
    assert storeconfigs_rules.faults(database.rows) == {}
    checked = subprocess.run([rig.exe, "store", "check", "--catalog-store", database.url],
                             capture_output=True, check=False)
    assert checked.returncode == 0, checked


@cases.each(*({"kind": kind} for kind in KINDS))
def case_interleave(rig, kind):
    """{kind}: a master fails no more often beside us than beside puppetqd; all rows are right"""
    database = KINDS[kind](rig)
    try:
        with_schema(rig, database)
        ours = beside_us(rig, database, 1 / RATE)
        tell("beside us at the same rate", ours)
        check(rig, database)
        busy = beside_us(rig, database, 0)
        tell("beside us at full speed", busy)
        check(rig, database)
        tell("beside puppetqd", beside_puppetqd(rig, database, "puppetqd"))
        theirs = beside_puppetqd(rig, database, "patient")
        tell("beside a puppetqd that loses nothing", theirs)
        assert share(ours, "read_errors", "reads") <= share(theirs, "read_errors", "reads")
        assert share(ours, "failed_requests", "requests") <= share(theirs, "failed_requests",
                                                                   "requests")
    finally:
        database.end()


def with_schema(rig, database):
    """A database that the broker has made, then settled."""
    rig.broker("--catalog-store", database.url, name="maker").stop()
    database.settle()


if __name__ == "__main__":
    options = cases.parser(__doc__)
    options.add_argument("--seconds", type=float, default=3, help="of each measurement")
    sys.exit(cases.run(globals(), options.parse_args()))
