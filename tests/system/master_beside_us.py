#!/usr/bin/env python3
"""master_beside_us.py DATABASE SECONDS MODE

Does to a storeconfigs SQLite file what old Puppet does, for SECONDS, and counts how often it
fails. Nobody waits for a lock: Puppet sets no busy timeout, and an error ends the request (a
master) or the message (puppetqd) that met it. Ruby takes its own time over each statement. Prints
one JSON object.

MODE master    a master that saves facts (facts 4.5: every value deleted and inserted again, a
               transaction each) and collects exported resources (facts 5.1), in turns
     puppetqd  the queue daemon that saves catalogs (facts 4.2: a transaction for each step)
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
NOW = "datetime('now', 'localtime')"


class RequestFailed(Exception):
    """What ActiveRecord raises, up to the whole request."""


class OldPuppet:
    """One process: a connection without a busy timeout, autocommit unless told otherwise."""

    def __init__(self, path, seed):
        self.db = sqlite3.connect(path, timeout=0, isolation_level=None)
        self.random = random.Random(seed)
        self.count = {"reads": 0, "read_errors": 0, "writes": 0, "write_errors": 0}
        self.first_error = None

    def begin(self, kind):
        self.count[kind] += 1
        time.sleep(RUBY_SECONDS)

    def failed(self, kind, error):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.count[kind] += 1
        self.first_error = self.first_error or str(error)
        raise RequestFailed from error

    def read(self, sql, values=()):
        self.begin("reads")
        try:
            return self.db.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            return self.failed("read_errors", error)

    def write(self, sql, values=()):
        """One saved record: BEGIN, a statement, COMMIT. Gives the id of an inserted row."""
        self.begin("writes")
        try:
            self.db.execute("BEGIN")
            row = self.db.execute(sql, values).lastrowid
            self.db.execute("COMMIT")
            return row
        except sqlite3.OperationalError as error:
            return self.failed("write_errors", error)

    def find_or_create(self, table, column, value):
        rows = self.read("SELECT id FROM %s WHERE %s = ? LIMIT 1" % (table, column), (value,))
        if rows:
            return rows[0][0]
        return self.write("INSERT INTO %s (%s, updated_at, created_at) VALUES (?, %s, %s)"
                          % (table, column, NOW, NOW), (value,))


class Master(OldPuppet):
    def step(self):
        node = "master%02d.site.example" % self.random.randrange(NODE_COUNT)
        self.save_facts(node)
        self.collect(node, self.random.choice(["Nagios_service", "Nagios_host", "Sshkey"]))

    def save_facts(self, node):
        host = self.find_or_create("hosts", "name", node)
        for (row,) in self.read("SELECT id FROM fact_values WHERE host_id = ?", (host,)):
            self.write("DELETE FROM fact_values WHERE id = ?", (row,))
        for i in range(FACT_COUNT):
            name = self.find_or_create("fact_names", "name", "master_fact_%d" % i)
            self.write("INSERT INTO fact_values (value, fact_name_id, host_id, updated_at,"
                       " created_at) VALUES (?, ?, ?, %s, %s)" % (NOW, NOW),
                       (str(self.random.random()), name, host))

    def collect(self, node, restype):
        host = self.read("SELECT id FROM hosts WHERE name = ? LIMIT 1", (node,))
        found = self.read("SELECT resources.* FROM resources WHERE ((exported='t' AND restype=?)"
                          " AND (host_id != ?))", (restype, host[0][0] if host else 0))
        for row in found[:20]:
            names = self.read("SELECT param_names.* FROM param_names INNER JOIN param_values ON"
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
        self.write("UPDATE hosts SET last_compile = %s, updated_at = %s WHERE id = ?"
                   % (NOW, NOW), (host,))

    def change_parameter(self, resource):
        rows = self.read("SELECT id, param_name_id FROM param_values WHERE resource_id = ? LIMIT 1",
                         (resource,))
        for row, name in rows:
            self.write("DELETE FROM param_values WHERE id = ?", (row,))
            self.write("INSERT INTO param_values (value, param_name_id, resource_id, updated_at,"
                       " created_at) VALUES (?, ?, ?, %s, %s)" % (NOW, NOW),
                       (str(self.random.random()), name, resource))

    def insert_resource(self, host, title):
        """The row and its children are one transaction (4.2, step 7)."""
        names = [self.find_or_create("param_names", "name", n) for n in ("ensure", "content")]
        tags = [self.find_or_create("puppet_tags", "name", t) for t in ("file", "queued", "class")]
        self.begin("writes")
        try:
            self.db.execute("BEGIN")
            row = self.db.execute("INSERT INTO resources (title, restype, host_id, exported)"
                                  " VALUES (?, 'File', ?, 'f')", (title, host)).lastrowid
            for name in names:
                self.db.execute("INSERT INTO param_values (value, param_name_id, resource_id)"
                                " VALUES (?, ?, ?)", ("x" * 200, name, row))
            for tag in tags:
                self.db.execute("INSERT INTO resource_tags (resource_id, puppet_tag_id)"
                                " VALUES (?, ?)", (row, tag))
            self.db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self.failed("write_errors", error)


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in ("master", "puppetqd"):
        sys.exit(__doc__)
    process = {"master": Master, "puppetqd": Puppetqd}[sys.argv[3]](sys.argv[1], 1)
    end = time.monotonic() + float(sys.argv[2])
    rounds = {"requests": 0, "failed_requests": 0}
    while time.monotonic() < end:
        rounds["requests"] += 1
        try:
            process.step()
        except RequestFailed:
            rounds["failed_requests"] += 1
    print(json.dumps(dict(process.count, **rounds, first_error=process.first_error)))


if __name__ == "__main__":
    main()
