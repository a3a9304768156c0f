#!/usr/bin/env python3
"""The care of the catalog database: store check|repair|stats|backup|export|import, forget,
unexport; against a running broker, beside it and without one."""

import json
import os
import pathlib
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from mariadb import MariaDb
from waiting import wait_until

NODES = ("web1", "web2")


def on(broker, *words):
    """A verb that looks at the broker's folder."""
    return (*words, "--data", broker.data)


def tell(rig, *words, stdin=b""):
    """A verb, whatever its exit code."""
    return subprocess.run([str(word) for word in (rig.exe, *words)], input=stdin, cwd=rig.folder,
                          capture_output=True, timeout=60, check=False, env=dict(os.environ))


def as_json(done):
    return json.loads(done.stdout)


def send(broker, body, queue="catalog"):
    """Returns when the broker has promised to keep it."""
    broker.run("send", queue, "--receipt", "--broker", f"tcp://127.0.0.1:{broker.port}", stdin=body)


def site(node):
    """An Sshkey that is exported, and a file that is not."""
    key = catalogs.resource("Sshkey", node, ensure="present", key="AAAA")
    motd = dict(catalogs.resource("File", "/etc/motd", content="hello", owner="root"),
                exported=False)
    return [key, motd]


def fill(broker, nodes=NODES):
    for node in nodes:
        send(broker, catalogs.message(node, site(node)))
        facts = {"name": node, "values": {"ipaddress": "10.0.0.1", "os": "Debian"}}
        send(broker, json.dumps(facts).encode(), "facts")
    broker.wait_drained()


def change(broker, sql):
    """As a person would, beside the broker."""
    with sqlite3.connect(broker.database, timeout=10) as database:
        database.execute(sql)


def nodes_of(broker):
    return [node["name"] for node in as_json(broker.run(*on(broker, "nodes", "--json")))]


def parameter(broker, title, name):
    found = as_json(broker.run(*on(broker, "resources", "--title", title, "--json")))
    return {one["node"]: one["parameters"].get(name) for one in found}


# store check and store repair

def case_check_tells_what_is_broken(rig):
    """store check ends with 0 while all rules hold, with 1 and a rule's name when it is broken"""
    broker = rig.broker()
    fill(broker)
    clean = broker.run(*on(broker, "store", "check"))
    assert b"all rules hold" in clean.stdout, clean
    change(broker, "update resources set restype = 'sshkey' where title = 'web1'")
    done = tell(rig, *on(broker, "store", "check", "--json"))
    assert done.returncode == 1, done
    finding, = as_json(done)["findings"]
    assert finding["rule"] == "type-case" and finding["count"] == 1, finding
    assert finding["examples"] == ["web1: Sshkey[web1]"], finding


def case_repair_is_dry_first(rig):
    """store repair changes nothing without --apply, mends beside a running broker with it, and a
    second run finds nothing"""
    broker = rig.broker()
    fill(broker)
    change(broker, "update resources set restype = 'sshkey' where title = 'web1'")
    dry = broker.run(*on(broker, "store", "repair"))
    assert b"would be mended" in dry.stdout, dry
    assert tell(rig, *on(broker, "store", "check")).returncode == 1
    done = as_json(broker.run(*on(broker, "store", "repair", "--apply", "--json")))
    assert done["applied"] and done["rows"] == 1, done
    broker.run(*on(broker, "store", "check"))
    again = broker.run(*on(broker, "store", "repair", "--apply"))
    assert b"Nothing is to be mended" in again.stdout, again


def case_thin(rig):
    """store repair --thin deletes what is not exported, and the next catalog brings it back"""
    broker = rig.broker()
    fill(broker)
    done = as_json(broker.run(*on(broker, "store", "repair", "--thin", "--apply", "--json")))
    assert done["thinned"] == 2, done
    assert parameter(broker, "/etc/motd", "owner") == {}
    send(broker, catalogs.message("web1", site("web1")))
    broker.wait_drained()
    assert parameter(broker, "/etc/motd", "owner") == {"web1": ["root"]}


# store stats, backup, export and import

def case_stats(rig):
    """store stats counts rows and bytes"""
    broker = rig.broker()
    fill(broker)
    told = as_json(broker.run(*on(broker, "store", "stats", "--json")))
    rows = {table["name"]: table["rows"] for table in told["tables"]}
    assert rows["hosts"] == 2 and rows["resources"] == 4 and told["nodes"] == 2, told
    assert told["bytes"] > 0 and told["biggest"][0]["resources"] == 2, told
    assert b"IN USE BY NOTHING" in broker.run(*on(broker, "store", "stats")).stdout


def case_backup(rig):
    """store backup copies a database in use, and replaces a file with --force only"""
    broker = rig.broker()
    fill(broker)
    copy = rig.folder / "copy.sqlite3"
    broker.run(*on(broker, "store", "backup", copy))
    refused = tell(rig, *on(broker, "store", "backup", copy))
    assert refused.returncode == 2 and b"--force" in refused.stderr, refused
    broker.run(*on(broker, "store", "backup", copy, "--force"))
    listed = as_json(tell(rig, "nodes", "--json", "--catalog-store", f"sqlite:{copy}"))
    assert [node["name"] for node in listed] == list(NODES), listed
    with sqlite3.connect(copy) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def case_export_and_import(rig):
    """What store export writes, store import stores; lines that are damaged are told by number"""
    broker = rig.broker()
    fill(broker)
    exported = broker.run(*on(broker, "store", "export"))
    lines = exported.stdout.splitlines()
    assert [json.loads(line)["node"] for line in lines] == list(NODES)
    other = rig.broker(name="other")
    done = tell(rig, *on(other, "store", "import", "--json"),
                stdin=b"\n".join([lines[0], b"{", lines[1]]))
    assert done.returncode == 1 and b"line 2 is refused" in done.stderr, done
    assert as_json(done)["stored"] == 2, done
    assert parameter(other, "/etc/motd", "owner") == {"web1": ["root"], "web2": ["root"]}
    again = as_json(broker.run(*on(other, "store", "import", "--json"), stdin=exported.stdout))
    assert again["unchanged"] == 2 and again["stored"] == 0, again


def case_from_sqlite_to_mariadb(rig):
    """store export into store import is the way from SQLite to MariaDB; what comes back is equal"""
    broker = rig.broker()
    fill(broker)
    before = broker.run(*on(broker, "store", "export")).stdout
    with MariaDb(rig.folder / "mariadb") as server:
        there = f"mysql://root@/puppet?socket={server.socket}"
        done = tell(rig, "store", "import", "--json", "--catalog-store", there, stdin=before)
        assert done.returncode == 0 and as_json(done)["stored"] == 2, done
        assert tell(rig, "store", "check", "--catalog-store", there).returncode == 0
        after = tell(rig, "store", "export", "--catalog-store", there).stdout
        backup = tell(rig, "store", "backup", "x", "--catalog-store", there)
        assert backup.returncode == 2 and b"mariadb-dump" in backup.stderr, backup
        forgotten = tell(rig, "forget", "web1", "--json", "--data", broker.data, "--catalog-store",
                         there)
        assert forgotten.returncode == 0 and as_json(forgotten)["nodes"][0]["found"], forgotten

    def comparable(line):
        node = json.loads(line)
        node["last_compile"] = node["last_compile"][:19]
        for one in node["resources"]:
            one["tags"].sort()
            one["parameters"].sort(key=lambda parameter: parameter["name"])
        node["resources"].sort(key=lambda one: (one["type"], one["title"]))
        node["facts"].sort(key=lambda fact: fact["name"])
        return node

    assert ([comparable(line) for line in before.splitlines()]
            == [comparable(line) for line in after.splitlines()])


# forget and unexport

def case_forget_with_a_running_broker(rig):
    """A catalog that waits in the queue of the running broker does not bring a forgotten node back,
    a later one does"""
    broker = rig.broker()
    fill(broker)
    lock = sqlite3.connect(broker.database, timeout=10, isolation_level=None)
    lock.execute("begin immediate")  # the drain cannot store
    send(broker, catalogs.message("web1", site("web1"), version=2))
    assert broker.backlog("catalog") == 1
    forgetting = subprocess.Popen([str(word) for word in (
        rig.exe, *on(broker, "forget", "WEB1", "--json"))], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    assert forgetting.poll() is None
    lock.execute("rollback")
    lock.close()
    out, err = forgetting.communicate(timeout=60)
    assert forgetting.returncode == 0, err
    told = json.loads(out)
    assert told["marked"] and told["nodes"][0]["found"], told
    broker.wait_drained()
    # It may have been stored before the verb had its turn, and was forgotten with the node then.
    assert nodes_of(broker) == ["web2"]
    send(broker, catalogs.message("web1", site("web1"), version=3))
    broker.wait_drained()
    assert nodes_of(broker) == ["web1", "web2"]


def case_forget_without_a_broker(rig):
    """A catalog that waits in the queues of a broker that does not run does not bring a forgotten
    node back, a later one does"""
    broker = rig.broker()
    fill(broker)
    broker.stop()
    broker.arguments = ("--catalog-store", "none")
    broker.start()
    send(broker, catalogs.message("web1", site("web1"), version=2))
    assert broker.backlog("catalog") == 1
    broker.stop()
    told = as_json(broker.run(*on(broker, "forget", "web1", "--json")))
    assert told["marked"], told
    broker.arguments = ()
    broker.start()
    broker.wait_drained()
    assert nodes_of(broker) == ["web2"]
    assert broker.status()["drain"]["superseded"] == 1, broker.status()
    send(broker, catalogs.message("web1", site("web1"), version=3))
    broker.wait_drained()
    assert nodes_of(broker) == ["web1", "web2"]


def case_forget_tells_what_it_cannot(rig):
    """Without a broker or its queues, forget works and says that what waits cannot be told; a node
    that is not there is exit code 1"""
    broker = rig.broker()
    fill(broker)
    broker.stop()
    words = ("--data", rig.folder / "nowhere", "--catalog-store", f"sqlite:{broker.database}")
    done = tell(rig, "forget", "web1", *words)
    assert done.returncode == 0 and b"brings its node back" in done.stderr, done
    missing = tell(rig, "forget", "web1", *words)
    assert missing.returncode == 1 and b"there is no node web1" in missing.stderr, missing
    assert not (rig.folder / "nowhere").exists()


def case_forget_the_silent(rig):
    """forget --all-silent-for takes nodes of which nothing has come, --dry-run only names them"""
    broker = rig.broker()
    fill(broker)
    old = "'2001-02-03 04:05:06'"
    change(broker, f"update hosts set last_compile = {old} where name = 'web1'")
    change(broker, f"update fact_values set updated_at = {old}")
    change(broker, f"update stompbox_nodes set updated_at = {old} where name = 'web1'")
    words = on(broker, "forget", "--all-silent-for", "30d", "--json")
    shown = as_json(broker.run(*words, "--dry-run"))
    assert [node["name"] for node in shown["nodes"]] == ["web1"] and not shown["forgotten"], shown
    assert nodes_of(broker) == list(NODES)
    assert as_json(broker.run(*words))["forgotten"]
    assert nodes_of(broker) == ["web2"]


def case_unexport(rig):
    """unexport makes what a node exports absent until its next catalog"""
    broker = rig.broker()
    fill(broker)
    told = as_json(broker.run(*on(broker, "unexport", "web1", "--json")))
    assert told["nodes"] == [{"name": "web1", "found": True, "absent": 1, "left": 0}], told
    assert parameter(broker, "web1", "ensure") == {"web1": ["absent"]}
    assert parameter(broker, "web2", "ensure") == {"web2": ["present"]}
    send(broker, catalogs.message("web1", site("web1"), version=2))
    broker.wait_drained()
    wait_until(lambda: parameter(broker, "web1", "ensure") == {"web1": ["present"]},
               "the next catalog exports again")


def case_misuse(rig):
    """Misuse is exit code 2 and one sentence with the way out"""
    broker = rig.broker()
    fill(broker, ("web1",))
    for words, text in ((("forget",), b"--all-silent-for"),
                        (("store", "repair", "--widen", "--apply"), b"MySQL"),
                        (("store", "export", broker.database), b"exists"),
                        (("store", "chekc"), b"did you mean 'check'")):
        done = tell(rig, *on(broker, *words))
        assert done.returncode == 2 and text in done.stderr, (words, done)
    none = tell(rig, "store", "check", "--catalog-store", "none")
    assert none.returncode == 2 and b"--catalog-store" in none.stderr, none
    lost = tell(rig, "store", "check", "--catalog-store", "sqlite:/nowhere/x")
    assert lost.returncode == 1, lost


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
