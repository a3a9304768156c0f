#!/usr/bin/env python3
"""master_beside_us.py DATABASE SECONDS MODE [RATE]

Does to a storeconfigs database what old Puppet does, for SECONDS, and counts how often it fails.
DATABASE is an SQLite file, or mysql: and the path of a socket, where root may enter the database
puppet. Nobody waits for a lock of SQLite: Puppet sets no busy timeout, and an error ends the
request (a master) or the message (puppetqd) that met it. Ruby takes its own time over each
statement. RATE: at most so many requests or messages a second. Prints one JSON object.

MODE master    a master that saves facts (facts 4.5: every value deleted and inserted again, a
               transaction each) and collects exported resources (facts 5.1), in turns
     puppetqd  the queue daemon that saves catalogs (facts 4.2: a transaction for each step)
     patient   the same, but a step that fails is done again: no catalog is lost, as with us
"""
import json
import random
import sqlite3
import sys
import time

FACT_COUNT = 30
NODE_COUNT = 20
RESOURCE_COUNT = 60
RUBY_SECONDS = 0.001  # what ActiveRecord spends on a statement


class RequestFailed(Exception):
    """What ActiveRecord raises, up to the whole request."""


class Sqlite:
    now = "datetime('now', 'localtime')"
    yes = "'t'"
    no = "'f'"

    def __init__(self, path):
        self.db = sqlite3.connect(path, timeout=0, isolation_level=None)
        self.error = sqlite3.OperationalError

    def run(self, sql, values=()):
        return self.db.execute(sql, values)

    def give_up(self):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")


class Mysql:
    now = "NOW()"
    yes = "1"
    no = "0"

    def __init__(self, socket):
        import pymysql  # not where only SQLite is looked at
        self.db = pymysql.connect(unix_socket=socket, user="root", database="puppet",
                                  autocommit=True, charset="utf8")
        self.error = pymysql.err.MySQLError

    def run(self, sql, values=()):
        cursor = self.db.cursor()
        cursor.execute(sql.replace("?", "%s"), values)
        return cursor

    def give_up(self):
        self.db.rollback()


def open_database(name):
    return Mysql(name.removeprefix("mysql:")) if name.startswith("mysql:") else Sqlite(name)


class OldPuppet:
    """One process: a connection without a busy timeout, autocommit unless told otherwise."""

    def __init__(self, database, seed):
        self.db = open_database(database)
        self.random = random.Random(seed)
        self.count = {"reads": 0, "read_errors": 0, "writes": 0, "write_errors": 0,
                      "longest_ms": 0.0}
        self.first_error = None

    def begin(self, kind):
        self.count[kind] += 1
        time.sleep(RUBY_SECONDS)
        self.began = time.monotonic()

    def took(self):
        passed_ms = 1000 * (time.monotonic() - self.began)
        self.count["longest_ms"] = max(self.count["longest_ms"], round(passed_ms, 1))

    def failed(self, kind, error):
        self.db.give_up()
        self.count[kind] += 1
        self.first_error = self.first_error or str(error)
        raise RequestFailed from error

    def read(self, sql, values=()):
        self.begin("reads")
        try:
            return self.db.run(sql, values).fetchall()
        except self.db.error as error:
            return self.failed("read_errors", error)
        finally:
            self.took()

    def write(self, *statements):
        """One saved record: BEGIN, statements (text, values), COMMIT. Gives the last row's id."""
        self.begin("writes")
        try:
            self.db.run("BEGIN")
            for sql, values in statements:
                row = self.db.run(sql, values).lastrowid
            self.db.run("COMMIT")
            return row
        except self.db.error as error:
            return self.failed("write_errors", error)
        finally:
            self.took()

    def insert(self, table, **values):
        """A row with its timestamps."""
        names = ", ".join([*values, "updated_at", "created_at"])
        marks = ", ".join(["?"] * len(values) + [self.db.now] * 2)
        return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())

    def find_or_create(self, table, column, value):
        rows = self.read("SELECT id FROM %s WHERE %s = ? LIMIT 1" % (table, column), (value,))
        return rows[0][0] if rows else self.write(self.insert(table, **{column: value}))


class Master(OldPuppet):
    def step(self):
        node = "master%02d.site.example" % self.random.randrange(NODE_COUNT)
        self.save_facts(node)
        self.collect(node, self.random.choice(["Nagios_service", "Nagios_host", "Sshkey"]))

    def save_facts(self, node):
        host = self.find_or_create("hosts", "name", node)
        for (row,) in self.read("SELECT id FROM fact_values WHERE host_id = ?", (host,)):
            self.write(("DELETE FROM fact_values WHERE id = ?", (row,)))
        for i in range(FACT_COUNT):
            name = self.find_or_create("fact_names", "name", "master_fact_%d" % i)
            self.write(self.insert("fact_values", value=str(self.random.random()),
                                   fact_name_id=name, host_id=host))

    def collect(self, node, restype):
        host = self.read("SELECT id FROM hosts WHERE name = ? LIMIT 1", (node,))
        found = self.read("SELECT resources.id FROM resources WHERE ((exported=%s AND restype=?)"
                          " AND (host_id != ?))" % self.db.yes,
                          (restype, host[0][0] if host else 0))
        for row in found[:20]:
            names = self.read("SELECT param_names.id FROM param_names INNER JOIN param_values ON"
                              " param_names.id = param_values.param_name_id WHERE"
                              " param_values.resource_id = ?", (row[0],))
            for name in {name[0] for name in names}:
                self.read("SELECT param_values.* FROM param_values WHERE resource_id = ? AND"
                          " (param_name_id = ?)", (row[0], name))


class Puppetqd(OldPuppet):
    def step(self):
        node = "queued%02d.site.example" % self.random.randrange(NODE_COUNT)
        host = self.find_or_create("hosts", "name", node)
        stored = self.read("SELECT id, title FROM resources WHERE host_id = ?", (host,))
        self.read("SELECT v.* FROM param_values v INNER JOIN resources r ON r.id = v.resource_id"
                  " WHERE r.host_id = ?", (host,))
        self.read("SELECT t.* FROM resource_tags t INNER JOIN resources r ON r.id = t.resource_id"
                  " WHERE r.host_id = ?", (host,))
        for row, _ in stored:
            self.change_parameter(row)
        titles = {title for _, title in stored}
        for i in range(RESOURCE_COUNT):
            title = "/etc/queued/%d" % i
            if title not in titles:
                self.insert_resource(host, title)
        self.write(("UPDATE hosts SET last_compile = %s, updated_at = %s WHERE id = ?"
                    % (self.db.now, self.db.now), (host,)))

    def change_parameter(self, resource):
        rows = self.read("SELECT id, param_name_id FROM param_values WHERE resource_id = ? LIMIT 1",
                         (resource,))
        for row, name in rows:
            self.write(("DELETE FROM param_values WHERE id = ?", (row,)))
            self.write(self.insert("param_values", value=str(self.random.random()),
                                   param_name_id=name, resource_id=resource))

    def insert_resource(self, host, title):
        """The row and its children are one transaction (4.2, step 7)."""
        names = [self.find_or_create("param_names", "name", n) for n in ("ensure", "content")]
        tags = [self.find_or_create("puppet_tags", "name", t) for t in ("file", "queued", "class")]
        self.begin("writes")
        try:
            self.db.run("BEGIN")
            row = self.db.run("INSERT INTO resources (title, restype, host_id, exported)"
                              " VALUES (?, 'File', ?, %s)" % self.db.no, (title, host)).lastrowid
            for name in names:
                self.db.run("INSERT INTO param_values (value, param_name_id, resource_id)"
                            " VALUES (?, ?, ?)", ("x" * 200, name, row))
            for tag in tags:
                self.db.run("INSERT INTO resource_tags (resource_id, puppet_tag_id)"
                            " VALUES (?, ?)", (row, tag))
            self.db.run("COMMIT")
        except self.db.error as error:
            self.failed("write_errors", error)
        finally:
            self.took()


class PatientPuppetqd(Puppetqd):
    """Each step until it works."""

    def again(self, step):
        while True:
            try:
                return step()
            except RequestFailed:
                time.sleep(RUBY_SECONDS)

    def read(self, *query):
        return self.again(lambda: super(PatientPuppetqd, self).read(*query))

    def write(self, *statements):
        return self.again(lambda: super(PatientPuppetqd, self).write(*statements))

    def insert_resource(self, host, title):
        return self.again(lambda: super(PatientPuppetqd, self).insert_resource(host, title))


MODES = {"master": Master, "puppetqd": Puppetqd, "patient": PatientPuppetqd}


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[3] not in MODES:
        sys.exit(__doc__)
    process = MODES[sys.argv[3]](sys.argv[1], 1)
    pause = 1 / float(sys.argv[4]) if len(sys.argv) == 5 else 0
    begin = time.monotonic()
    end = begin + float(sys.argv[2])
    rounds = {"requests": 0, "failed_requests": 0}
    while time.monotonic() < end:
        rounds["requests"] += 1
        try:
            process.step()
        except RequestFailed:
            rounds["failed_requests"] += 1
        time.sleep(max(0, begin + rounds["requests"] * pause - time.monotonic()))
    print(json.dumps(dict(process.count, **rounds, first_error=process.first_error)))


if __name__ == "__main__":
    main()
