#!/usr/bin/env python3
"""The drain on a real MariaDB: several workers and processes, and a server in trouble."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import pymysql

import cases
import catalogs
import storeconfigs_rules
from mariadb import MariaDb
from waiting import let_pass, wait_until

WORKERS = ("--drain-workers", "4")
KILLS = 6
LARGE = 200  # resources
QUICK = ("--drain-retry-first", "20ms", "--drain-retry-max", "200ms")


class Place:
    """A server that ends with the case, and brokers on it."""

    def __init__(self, rig, *options):
        self.rig = rig
        self.server = MariaDb(rig.folder / "mariadb", *options)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.end()

    def broker(self, *arguments, **settings):
        return self.rig.broker("--catalog-store", self.server.url(), *WORKERS, *QUICK, *arguments,
                               **settings)

    def generation(self, node, count=20):
        return catalogs.stored_generation(Reading(self.server), node, count)

    def check(self):
        assert storeconfigs_rules.faults(self.server.rows) == {}


class Reading:
    """What catalogs.py takes for a database: one transaction, question marks."""

    def __init__(self, server):
        self.connection = server.connect(autocommit=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.rollback()

    def execute(self, sql, values=()):
        cursor = self.connection.cursor()
        cursor.execute(sql.replace("?", "%s"), values)
        return cursor


def send(broker, nodes, generation, count=20):
    with broker.client() as client:
        for node in nodes:
            client.send("/queue/catalog", catalogs.generation_message(node, generation, count),
                        receipt=node)
        for node in nodes:
            client.wait_receipt(node)


def drain_of(broker):
    return broker.status()["drain"]


def wait_trouble(broker):
    """Until the status says that the database is in trouble; its drain part."""
    return wait_until(lambda: (drain := drain_of(broker))["database_in_trouble"] and drain,
                      "the database is in trouble")


def nodes_of(count):
    return [f"node{i:03}.site.example" for i in range(count)]


def case_stopped(rig):
    """a server that is stopped and started again costs time, and the status tells all about it"""
    nodes = nodes_of(40)
    with Place(rig) as place:
        broker = place.broker()
        send(broker, nodes, 1)
        broker.wait_drained()
        assert drain_of(broker)["last_lag_ms"] >= 0
        place.server.stop()
        send(broker, nodes, 2)
        drain = wait_trouble(broker)
        assert drain["retries"] > 0 and str(place.server.socket) in drain["last_error"], drain
        status = broker.status()
        assert status["catalogs_unstored"] == len(nodes)
        assert status["oldest_unstored_ms"] <= drain["trouble_since_ms"], status
        shown = broker.run("status", "--data", broker.data).stdout.decode()
        for word in ("TROUBLE", "retries", "not stored yet, the oldest for"):
            assert word in shown, shown
        place.server.start()
        broker.wait_drained()
        after = drain_of(broker)
        assert not after["database_in_trouble"] and after["trouble_since_ms"] is None, after
        assert after["last_lag_ms"] > 0 and after["last_error"], after
        assert broker.status()["dead_letters"] == 0
        assert {place.generation(node) for node in nodes} == {2}
        place.check()


def case_killed(rig):
    """a server that dies under load and comes back has every catalog, each whole"""
    nodes = nodes_of(60)
    with Place(rig) as place:
        broker = place.broker()
        for generation in range(1, 4):
            send(broker, nodes, generation)
            place.server.kill()
            place.server.start()
        broker.wait_drained()
        assert {place.generation(node) for node in nodes} == {3}
        assert broker.status()["dead_letters"] == 0
        place.check()


def case_absent(rig):
    """a broker starts without its server, keeps what comes, and stores it when the server comes"""
    nodes = nodes_of(5)
    place = Place(rig)
    broker = place.broker()
    send(broker, nodes, 1)
    wait_trouble(broker)
    with place:
        broker.wait_drained()
        assert {place.generation(node) for node in nodes} == {1}


def case_connections_killed(rig):
    """connections that are killed in the middle of transactions leave no half catalog"""
    nodes = nodes_of(30)
    with Place(rig) as place:
        broker = place.broker()
        killed = generation = 0
        with place.server.connect() as admin, admin.cursor() as cursor:
            while killed < KILLS:
                generation += 1
                send(broker, nodes, generation, LARGE)
                while killed < KILLS and broker.backlog("catalog") > 0:
                    killed += kill_one(cursor)
                    let_pass(0.02)
        broker.wait_drained()
        print(f"     {killed} killed, {drain_of(broker)['retries']} messages retried")
        assert drain_of(broker)["retries"] > 0
        assert {place.generation(node, LARGE) for node in nodes} == {generation}
        assert broker.status()["dead_letters"] == 0
        place.check()


def kill_one(cursor):
    """Kills a connection that works on a statement; whether there was one."""
    cursor.execute("SELECT id FROM information_schema.processlist WHERE db = 'puppet' AND"
                   " command = 'Query' AND id <> CONNECTION_ID()")
    found = cursor.fetchall()
    if not found:
        return 0
    try:
        cursor.execute(f"KILL {found[0][0]}")
    except pymysql.err.MySQLError:
        return 0  # it was quicker
    return 1


def case_full(rig):
    """a database without room is waited for, and nothing is lost"""
    tablespace = ("--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend")
    nodes = nodes_of(40)
    with Place(rig, tablespace[0], tablespace[1] + ":max:20M") as place:
        broker = place.broker()
        with place.server.connect() as other, other.cursor() as cursor:
            cursor.execute("CREATE TABLE ballast (filling LONGBLOB)")
            try:
                for _ in range(100):
                    cursor.execute("INSERT INTO ballast VALUES (REPEAT('x', 500000))")
            except pymysql.err.MySQLError as error:
                assert "full" in str(error), error
        send(broker, nodes, 1, LARGE)
        drain = wait_trouble(broker)
        assert "no room left" in drain["last_error"], drain
        place.server.stop()
        place.server.options = tablespace
        place.server.start()
        broker.wait_drained()
        assert {place.generation(node, LARGE) for node in nodes} == {1}
        assert broker.status()["dead_letters"] == 0
        place.check()


def all_stand_still(pid):
    """Whether each thread of a process is stopped: the signal reaches a busy one later."""
    stats = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def case_hung(rig):
    """a server that hangs does not keep the broker from stopping, and nothing is lost"""
    nodes = nodes_of(10)
    with Place(rig) as place:
        broker = place.broker()
        send(broker, nodes, 1)
        broker.wait_drained()
        place.server.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: all_stand_still(place.server.process.pid), "the server hangs")
        send(broker, nodes, 2)
        wait_until(lambda: drain_of(broker)["storing_since_ms"], "a round is under way")
        seconds = broker.stop()
        place.server.process.send_signal(signal.SIGCONT)
        print(f"     stopped within {seconds:.1f} s")
        assert "worker-left-behind" in broker.log()
        broker.start()
        broker.wait_drained()
        assert {place.generation(node) for node in nodes} == {2}
        place.check()


def case_stranger(rig):
    """the schema of a stranger is refused with a sentence; when it is gone all is stored"""
    with Place(rig) as place:
        with place.server.connect() as other, other.cursor() as cursor:
            cursor.execute("CREATE TABLE resources (id INT PRIMARY KEY, colour TEXT)")
        broker = place.broker()
        send(broker, nodes_of(3), 1)
        drain = wait_trouble(broker)
        assert "resources" in drain["last_error"], drain
        assert place.server.rows("SHOW TABLES") == (("resources",),)
        with place.server.connect() as other, other.cursor() as cursor:
            cursor.execute("DROP TABLE resources")
        broker.wait_drained()
        assert {place.generation(node) for node in nodes_of(3)} == {1}


def case_lengths(rig):
    """a node of 255 characters is stored, one of 256 is a dead letter that says why"""
    with Place(rig) as place:
        broker = place.broker()
        fits, too_long = "n" * 255, "n" * 256
        send(broker, [fits, too_long], 1)
        broker.wait_drained()
        assert place.generation(fits) == 1
        assert place.server.value("SELECT COUNT(*) FROM hosts") == 1
        assert broker.status()["dead_letters"] == 1
        reason = drain_of(broker)["last_error"]
        assert "255" in reason, reason
        print(f"     {reason}")


def case_two_processes(rig):
    """two brokers with four workers each make each new shared name once, and meet no deadlock"""
    with Place(rig) as place:
        brokers = [place.broker(name=name) for name in ("one", "two")]
        for generation in range(1, 6):
            for which, broker in enumerate(brokers):
                with broker.client() as client:
                    for i in range(16):
                        body = named_catalog(f"node{which}-{i}.site.example", generation, i)
                        client.send("/queue/catalog", body, receipt=str(i))
                    for i in range(16):
                        client.wait_receipt(str(i))
        for broker in brokers:
            broker.wait_drained()
            assert broker.status()["dead_letters"] == 0
            assert drain_of(broker)["retries"] == 0, drain_of(broker)
            assert "database-trouble" not in broker.log()
        assert place.server.value("SELECT COUNT(*) FROM hosts") == 32
        place.check()


NAMES = {"param_names": ("name", "raced_name"), "puppet_tags": ("name", "raced_tag"),
         "source_files": ("filename", "/raced/file"), "hosts": ("name", "raced.site.example")}


def raced_catalog(generation):
    made = catalogs.resource("Notify", "n", raced_name=f"generation {generation}")
    made["tags"] = ["raced_tag"]
    made["file"] = "/raced/file"
    return catalogs.message("raced.site.example", [made], generation)


def case_host_race_won_by_master(rig):
    """a host that a master has made and not committed is waited for, and used"""
    with Place(rig) as place:
        broker = place.broker()
        store(broker, catalogs.generation_message("other", 1))
        with place.server.connect(autocommit=False) as master, master.cursor() as cursor:
            insert_as_master(cursor, "hosts")
            with broker.client() as client:
                client.send("/queue/catalog", raced_catalog(1), receipt=True)
            # The server looks anew only when nobody has asked for a tenth of a second.
            wait_until(lambda: waits_for_lock(place.server), "our save waits for the master's lock",
                       every=0.2)
            assert broker.backlog("catalog") == 1
            master.commit()
        broker.wait_drained()
        assert drain_of(broker)["retries"] == 0, drain_of(broker)
        assert used_ids(place.server, "hosts") == rows_of(place.server, "hosts")
        place.check()


def case_name_race_won_by_master(rig):
    """names that a master makes at the same moment become twins; our next save takes the oldest"""
    tables = [table for table in NAMES if table != "hosts"]
    with Place(rig) as place:
        broker = place.broker()
        store(broker, catalogs.generation_message("other", 1))
        with place.server.connect(autocommit=False) as master, master.cursor() as cursor:
            for table in tables:
                insert_as_master(cursor, table)
            store(broker, raced_catalog(1))
            master.commit()
        for table in tables:
            assert used_ids(place.server, table) == rows_of(place.server, table)[1:], table
        store(broker, raced_catalog(2))
        for table in tables:
            assert used_ids(place.server, table) == rows_of(place.server, table)[:1], table


def case_race_lost_by_master(rig):
    """a master that looked before us and inserts after us leaves twins; the oldest row stands"""
    with Place(rig) as place:
        broker = place.broker()
        store(broker, raced_catalog(1))
        with place.server.connect() as master, master.cursor() as cursor:
            for table in NAMES:
                insert_as_master(cursor, table)
        twins = storeconfigs_rules.faults(place.server.rows)
        print(f"     {', '.join(twins)}")
        assert len(twins) == len(NAMES), twins
        store(broker, raced_catalog(2))
        for table in NAMES:
            rows = rows_of(place.server, table)
            assert len(rows) == 2, "both rows stay: masters have them in memory"
            assert used_ids(place.server, table) == rows[:1], table
        # What a master has stored under its own row moves with the next catalog that changes.
        younger = {table: rows_of(place.server, table)[1][0] for table in NAMES}
        with place.server.connect() as master, master.cursor() as cursor:
            cursor.execute("UPDATE param_values SET param_name_id = %s WHERE param_name_id = %s",
                           (younger["param_names"], rows_of(place.server, "param_names")[0][0]))
        store(broker, raced_catalog(3))
        assert used_ids(place.server, "param_names") == rows_of(place.server, "param_names")[:1]


def insert_as_master(cursor, table):
    column, value = NAMES[table]
    cursor.execute(f"INSERT INTO {table} ({column}, created_at, updated_at)"
                   " VALUES (%s, NOW(), NOW())", (value,))


def rows_of(server, table):
    """Ids of the raced rows, the oldest first."""
    column, value = NAMES[table]
    return server.rows(f"SELECT id FROM {table} WHERE {column} = %s ORDER BY id", (value,))


def waits_for_lock(server):
    return server.rows("SELECT trx_id FROM information_schema.innodb_trx"
                       " WHERE trx_state = 'LOCK WAIT'")


def store(broker, body):
    with broker.client() as client:
        client.send("/queue/catalog", body, receipt=True)
    broker.wait_drained()
    assert broker.status()["dead_letters"] == 0
    assert drain_of(broker)["retries"] == 0, drain_of(broker)


def used_ids(server, table):
    """Which of the raced rows the raced catalog's rows refer to."""
    column, of = {"param_names": ("v.param_name_id", "v.value LIKE 'generation%'"),
                  "puppet_tags": ("t.puppet_tag_id", "p.name = 'raced_tag'"),
                  "source_files": ("r.source_file_id", "r.title = 'n'"),
                  "hosts": ("r.host_id", "r.title = 'n'")}[table]
    return server.rows(f"SELECT DISTINCT {column} FROM resources r"
                       " JOIN param_values v ON v.resource_id = r.id"
                       " JOIN resource_tags t ON t.resource_id = r.id"
                       " JOIN puppet_tags p ON p.id = t.puppet_tag_id"
                       f" WHERE r.title = 'n' AND {of}")


def named_catalog(node, generation, shift):
    """Forty parameter names, tags and files that all nodes of the generation share."""
    order = [(shift * 7 + i) % 40 for i in range(40)]
    resources = []
    for i in order:
        made = catalogs.resource("Notify", f"n{i}", **{f"name_{generation}_{i}": "v"})
        made["tags"] = [f"tag_{generation}_{i}"]
        made["file"] = f"/file/{generation}/{i}"
        resources.append(made)
    return catalogs.message(node, resources, generation)


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
