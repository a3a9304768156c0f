#!/usr/bin/env python3
"""The drain in trouble with its SQLite file, and with messages that are too much."""

import contextlib
import os
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from waiting import wait_until

QUICK = ("--drain-retry-first", "20ms", "--drain-retry-max", "200ms")
MIB = 1024
NOBODY = 65534
GOOD = 10_000


def send(broker, bodies):
    """Catalog messages, receipted."""
    with broker.client() as client:
        waiting = 0
        for number, body in enumerate(bodies):
            client.send("/queue/catalog", body, receipt=str(number))
            waiting += 1
            while waiting >= 256:
                waiting -= len(client.wait_any_receipt())
        while waiting:
            waiting -= len(client.wait_any_receipt())


def generation(nodes, number, count=20):
    return [catalogs.generation_message(node, number, count) for node in nodes]


def drain_of(broker):
    return broker.status()["drain"]


def wait_trouble(broker, word):
    """Until the status says that the database is in trouble, with that word; the drain part."""
    return wait_until(lambda: word in (drain := drain_of(broker))["last_error"]
                      and drain["database_in_trouble"] and drain,
                      f"the database is in trouble: {word}")


def check_stored(broker, nodes, number, count=20):
    broker.wait_drained()
    with contextlib.closing(broker.open_database()) as database:
        assert {catalogs.stored_generation(database, node, count) for node in nodes} == {number}
    status = broker.status()
    assert status["dead_letters"] == 0 and not status["drain"]["database_in_trouble"], status


def wrapper(rig, *lines):
    """A program that does something first and then is the broker, with the same process id."""
    program = rig.folder / "wrapped"
    program.write_text("#!/bin/sh\nset -e\n" + "\n".join(lines) + "\n")
    program.chmod(0o755)
    return program


def case_full(rig):
    """a full disk below the database is waited for, and everything is stored when there is room"""
    nodes = [f"node{i:02}" for i in range(20)]
    mount = rig.folder / "small"
    mount.mkdir()
    # The disk is there for the broker alone; /proc lets us in.
    inner = rig.subfolder("inner")
    inner.exe = wrapper(inner, f'exec unshare -rm sh -c \'mount -t tmpfs -o size=4m none "{mount}"'
                               f' && exec "{rig.exe}" "$@"\' sh "$@"')
    broker = inner.broker(*QUICK, "--catalog-store", f"sqlite:{mount}/store.sqlite3")
    seen = pathlib.Path(f"/proc/{broker.process.pid}/root{mount}")
    broker.database = seen / "store.sqlite3"
    send(broker, generation(nodes[:1], 1, 100))
    broker.wait_drained()
    ballast = seen / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
    send(broker, generation(nodes, 2, 60))
    drain = wait_trouble(broker, "full")
    assert drain["retries"] > 0
    print(f"     {drain['last_error']}")
    ballast.unlink()
    broker.wait_drained()
    copy = rig.folder / "copy.sqlite3"
    for suffix in ("", "-wal"):
        if pathlib.Path(f"{broker.database}{suffix}").exists():
            shutil.copy(f"{broker.database}{suffix}", f"{copy}{suffix}")
    broker.database = copy
    check_stored(broker, nodes, 2, 60)


def case_read_only(rig):
    """a file that may only be read is told with the way out, and used when it may be written"""
    rig.folder.chmod(0o755)
    as_root = os.geteuid() == 0
    drop = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups " if as_root else ""
    inner = rig.subfolder("inner")
    program = rig.folder / "program"
    shutil.copy(rig.exe, program)
    inner.exe = wrapper(inner, f'exec {drop}"{program}" "$@"')
    owned = inner.folder / "broker"
    owned.mkdir()
    place = rig.folder / "place"
    place.mkdir()
    file = place / "store.sqlite3"
    rig.broker("--catalog-store", f"sqlite:{file}", name="maker").stop()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    file.chmod(0o444)
    place.chmod(0o555)
    if as_root:
        os.chown(owned, NOBODY, NOBODY)
    broker = inner.broker(*QUICK, "--catalog-store", f"sqlite:{file}")
    send(broker, generation(["a", "b"], 1))
    drain = wait_until(lambda: (found := drain_of(broker))["database_in_trouble"] and found,
                       "the database is in trouble")
    print(f"     {drain['last_error']}")
    assert str(file) in drain["last_error"], drain
    place.chmod(0o777)
    file.chmod(0o666)
    broker.database = file
    check_stored(broker, ["a", "b"], 1)


def case_stranger(rig):
    """the schema of a stranger is left alone, and told; what waits is stored when it is gone"""
    file = rig.folder / "other.sqlite3"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE resources (id INTEGER PRIMARY KEY, colour TEXT)")
    before = file.read_bytes()
    broker = rig.broker(*QUICK, "--catalog-store", f"sqlite:{file}")
    broker.database = file
    send(broker, generation(["a"], 1))
    drain = wait_trouble(broker, "resources")
    print(f"     {drain['last_error']}")
    assert file.read_bytes() == before
    file.unlink()
    check_stored(broker, ["a"], 1)


def case_locked(rig):
    """a lock that somebody holds too long is waited for, and the status says so meanwhile"""
    broker = rig.broker(*QUICK, "--catalog-busy-timeout", "50ms")
    send(broker, generation(["a"], 1))
    check_stored(broker, ["a"], 1)
    with contextlib.closing(sqlite3.connect(broker.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        send(broker, generation(["a"], 2))
        drain = wait_trouble(broker, "locked")
        assert drain["trouble_since_ms"] <= broker.status()["now_ms"]
        shown = broker.run("status", "--data", broker.data).stdout.decode()
        assert "TROUBLE" in shown and "locked" in shown, shown
    check_stored(broker, ["a"], 2)
    assert drain_of(broker)["last_lag_ms"] >= 50


def case_stopped_while_locked(rig):
    """stops in order while a save hangs are held against no message"""
    broker = rig.broker("--catalog-busy-timeout", "60s", "--drain-crashes-max", "2",
                        "--queue-redeliveries-max", "1")
    send(broker, generation(["a"], 1))
    check_stored(broker, ["a"], 1)
    with contextlib.closing(sqlite3.connect(broker.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        send(broker, generation(["a"], 2))
        for _ in range(3):
            wait_until(lambda: "under-way" in broker.crash_ledger(), "the save hangs")
            broker.stop()
            assert broker.crash_ledger() == "", broker.crash_ledger()
            broker.start()
    check_stored(broker, ["a"], 2)


def case_two_nodes(rig):
    """a catalog that two readers would take for two nodes' is stored as the node's that it is"""
    broker = rig.broker()
    [body] = generation(["a"], 1)
    hidden = b'"x":[ /* ], "name":"evil", "y":[ */ ],"version":'
    assert body.count(b'"version":') == 1
    send(broker, [body.replace(b'"version":', hidden)])
    check_stored(broker, ["a"], 1)
    with contextlib.closing(broker.open_database()) as database:
        assert database.execute("SELECT name FROM hosts").fetchall() == [("a",)]


def case_poison(rig):
    """one poison message among ten thousand good ones is a dead letter, and harms none of them"""
    broker = rig.broker("--drain-workers", "2")
    bodies = [catalogs.message(f"node{i}", [catalogs.resource("Notify", "n", message=str(i))])
              for i in range(GOOD)]
    bodies.insert(GOOD // 2, bodies[0][:-7] + b"\xff\x00 poison")
    send(broker, bodies)
    broker.wait_drained(60)
    status = broker.status()
    assert status["dead_letters"] == 1 and status["drain"]["dead_lettered"] == 1, status
    assert status["drain"]["stored"] == GOOD, status
    with contextlib.closing(broker.open_database()) as database:
        assert catalogs.counts(database)["resources"] == GOOD


def case_large(rig):
    """a catalog of 20 MB and one of 200,000 parameters are stored whole"""
    broker = rig.broker()
    memory = {"idle": broker.memory_kib("RssAnon") / MIB}
    large = [catalogs.resource("File", f"/f{i}", content="x" * 100_000) for i in range(200)]
    many = [catalogs.resource("Wide", f"w{i}", **{f"p{j}": f"{i} {j}" for j in range(100)})
            for i in range(2000)]
    for node, resources in (("large", large), ("many", many)):
        body = catalogs.message(node, resources)
        send(broker, [body])
        broker.wait_drained(60)
        with contextlib.closing(broker.open_database()) as database:
            assert catalogs.stored_rows(database, node) == catalogs.wanted_rows(resources)
        drain = drain_of(broker)
        print(f"     {node}: {len(body) / 1e6:.1f} MB, stored {drain['last_lag_ms']} ms after it"
              " came")
        memory[node] = broker.memory_kib("RssAnon") / MIB
        assert broker.status()["dead_letters"] == 0
    print("     " + ", ".join(f"{name} {value:.0f} MiB" for name, value in memory.items()))
    assert broker.memory_kib("VmHWM") / MIB < 700


def case_long_name(rig):
    """a node name of 256 characters is stored by SQLite, which has no limit of 255"""
    broker = rig.broker()
    names = ["n" * 255, "n" * 256]
    send(broker, generation(names, 1))
    check_stored(broker, names, 1)


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
