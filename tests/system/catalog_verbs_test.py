#!/usr/bin/env python3
"""The verbs that read and change the catalog database, as people and scripts see them: tables,
JSON, sentences, exit codes, and the bar that long work shows."""

import errno
import json
import os
import pathlib
import pty
import re
import select
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from waiting import let_pass, wait_until

OLD = "2001-02-03 04:05:06"
READING = (("nodes",), ("resources",), ("facts", "web1"), ("facts", "--find", "os"),
           ("diff", "web1"), ("store", "check"), ("store", "repair"), ("store", "stats"),
           ("store", "export"), ("store", "backup", "copy.sqlite3"))
WRITING = (("forget", "web1"), ("forget", "--all-silent-for", "30d"), ("unexport", "web1"),
           ("store", "repair", "--apply"))


def tell(rig, *words, stdin=b"", code=0):
    """A verb whose exit code is known; returns the completed process."""
    done = subprocess.run([str(word) for word in (rig.exe, *words)], input=stdin, cwd=rig.folder,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == code, done
    return done


def told(rig, *words, **settings):
    """What it prints."""
    return tell(rig, *words, **settings).stdout.decode()


def as_json(rig, *words, **settings):
    return json.loads(told(rig, *words, "--json", **settings))


def send(broker, body, queue="catalog"):
    """Returns when the broker has promised to keep it."""
    broker.run("send", queue, "--receipt", "--broker", f"tcp://127.0.0.1:{broker.port}", stdin=body)


def resources_of(node, version=1):
    key = catalogs.resource("Sshkey", node, ensure="present", key=f"AAAA{version}")
    host = catalogs.resource("Nagios_host", node, parents=["switch1", f"switch-{node}"])
    motd = dict(catalogs.resource("File", "/etc/motd", mode="0644", content="hello"),
                exported=False)
    vhost = dict(catalogs.resource("Apache::Vhost", f"v{version}.{node}", port="80"),
                 exported=False, tags=["apache::vhost", f"of-{node}"])
    return [key, host, motd, vhost]


def fill(broker):
    """web1 with two versions, web2 with one, and a fact of each."""
    for node, version in (("web1", 1), ("web2", 1), ("web1", 2)):
        send(broker, catalogs.message(node, resources_of(node, version), version))
        broker.wait_drained()
    for node, system in (("web1", "Debian"), ("web2", "CentOS")):
        facts = {"name": node, "values": {"os": system, "kernel": "Linux"}}
        send(broker, json.dumps(facts).encode(), "facts")
    broker.wait_drained()


def database(rig):
    """The flags that lead to a filled database, at which no broker is."""
    broker = rig.broker()
    fill(broker)
    broker.stop()
    return ("--data", broker.data)


def change(rig, sql):
    """As a person would."""
    with sqlite3.connect(rig.folder / "broker/data/storeconfigs.sqlite3", timeout=10) as rows:
        rows.executescript(sql)


# nodes

def case_nodes(rig):
    """nodes tells of each node its last catalog, the age and lag of that, and what it has"""
    at = database(rig)
    change(rig, f"update hosts set last_compile = '{OLD}' where name = 'web2';"
                "insert into hosts (name) values ('by-hand');")
    lines = told(rig, "nodes", *at).splitlines()
    titles = ("NODE", "ENVIRONMENT", "IP", "LAST CATALOG", "AGE", "LAG", "RESOURCES", "EXPORTED",
              "FACTS")
    assert re.fullmatch(" +".join(titles), lines[0]), lines
    assert re.fullmatch(r"by-hand +- +- +- +- +- +0 +0 +0", lines[1]), lines
    assert re.fullmatch(r"web1 +production +- +[-\d]+ [:\d]+ +\d+ s +\d+ m?s +4 +2 +2", lines[2])
    assert re.fullmatch(rf"web2 +production +- +{OLD} +\d+ d +\d+ m?s +4 +2 +2", lines[3]), lines
    assert len(lines) == 4, lines


def case_nodes_json(rig):
    """nodes --json has the same, with null for what is not known"""
    at = database(rig)
    change(rig, "insert into hosts (name) values ('by-hand');")
    by_hand, web1, web2 = as_json(rig, "nodes", *at)
    assert by_hand == {"name": "by-hand", "environment": "", "ip": "", "last_compile": "",
                       "age_ms": None, "lag_ms": None, "resources": 0, "exported": 0,
                       "facts": 0}, by_hand
    assert (web1["name"], web2["name"]) == ("web1", "web2")
    assert 0 <= web1["age_ms"] < 60_000 and 0 <= web1["lag_ms"] < 60_000, web1
    assert (web1["resources"], web1["exported"], web1["facts"]) == (4, 2, 2), web1


def case_nodes_waiting(rig):
    """nodes tells below its table what waits at the broker, and --json does not"""
    broker = rig.broker()
    fill(broker)
    at = ("--data", broker.data)
    assert "waits" not in told(rig, "nodes", *at)
    lock = sqlite3.connect(broker.database, timeout=10, isolation_level=None)
    lock.execute("begin immediate")  # the drain cannot store
    send(broker, catalogs.message("web3", resources_of("web3")))
    wait_until(lambda: re.search(r"\n1 catalog waits at the broker, the oldest for \d+ s\.\n",
                                 told(rig, "nodes", *at)), "it is told that one waits")
    assert len(as_json(rig, "nodes", *at)) == 2
    lock.execute("rollback")
    lock.close()
    broker.wait_drained()
    assert "waits" not in told(rig, "nodes", *at)


# resources

@cases.each(
    {"words": "sshkey", "found": "web1 Sshkey[web1], web2 Sshkey[web2]"},
    {"words": "apache::vhost --node web1", "found": "web1 Apache::Vhost[v2.web1]"},
    {"words": "nagios_* --exported", "found": "web1 Nagios_host[web1], web2 Nagios_host[web2]"},
    {"words": "--for web1", "found": "web2 Nagios_host[web2], web2 Sshkey[web2]"},
    {"words": "file --exported no --title /etc/motd --node web2", "found": "web2 File[/etc/motd]"},
    {"words": "--tag of-web2", "found": "web2 Apache::Vhost[v1.web2]"},
    {"words": "--param key=AAAA2", "found": "web1 Sshkey[web1]"},
    {"words": "--param key!=AAAA2", "found": "web2 Sshkey[web2]"},
    {"words": "--param parents=switch-web2", "found": "web2 Nagios_host[web2]"},
    {"words": "--param ensure=present --param key=AAAA1", "found": "web2 Sshkey[web2]"},
    {"words": "sshkey --param mode=0644", "found": ""})
def case_resources(rig, words, found):
    """resources {words} finds what a collector with these conditions would"""
    at = database(rig)
    rows = as_json(rig, "resources", *words.split(), *at)
    names = sorted(f"{row['node']} {row['type']}[{row['title']}]" for row in rows)
    assert ", ".join(names) == found, names
    text = told(rig, "resources", *words.split(), *at)
    if found:
        assert all(name.split()[1] in text for name in names), text
    else:
        assert text == "No resource is like that.\n", text


def case_resources_shown(rig):
    """resources has a line a resource, --json its parameters and tags, --count says what it cuts"""
    at = database(rig)
    lines = told(rig, "resources", "sshkey", "--node", "web1", *at).splitlines()
    assert lines[0].split() == ["NODE", "RESOURCE", "EXPORTED", "PLACE"], lines
    assert lines[1].split() == ["web1", "Sshkey[web1]", "yes", "/etc/puppet/site.pp:7"], lines
    row, = as_json(rig, "resources", "nagios_host", "--node", "web1", *at)
    assert row["parameters"] == {"parents": ["switch1", "switch-web1"]}, row
    assert sorted(row["tags"]) == ["made", "nagios_host", "web1"], row
    assert (row["exported"], row["file"], row["line"]) == (True, "/etc/puppet/site.pp", 7), row
    cut = tell(rig, "resources", "--count", "3", "--json", *at)
    assert len(json.loads(cut.stdout)) == 3 and b"only the first 3" in cut.stderr, cut


# facts and diff

def case_facts(rig):
    """facts shows a node's facts, facts --find who has a fact, or a value of it"""
    at = database(rig)
    assert as_json(rig, "facts", "web1", *at) == {"kernel": ["Linux"], "os": ["Debian"]}
    assert told(rig, "facts", "web1", *at).splitlines() == \
        ["FACT    VALUE", "kernel  Linux", "os      Debian"]
    assert as_json(rig, "facts", "--find", "os", *at) == {"web1": ["Debian"], "web2": ["CentOS"]}
    assert told(rig, "facts", "--find", "os=CentOS", *at).splitlines() == \
        ["NODE  VALUE", "web2  CentOS"]
    assert as_json(rig, "facts", "--find", "os=Solaris", *at) == {}
    assert told(rig, "facts", "--find", "os=Solaris", *at) == "No node has such a fact.\n"
    both = tell(rig, "facts", "web1", "--find", "os", *at, code=2)
    assert b"--find" in both.stderr, both
    assert b"--find" in tell(rig, "facts", *at, code=2).stderr


def case_diff(rig):
    """diff shows what the last catalog changed, of a first one how many resources there were"""
    at = database(rig)
    text = told(rig, "diff", "web1", *at)
    assert re.match(r"The last catalog of web1 \(.* ago\): 1 added, 1 removed, 1 changed\.\n\n",
                    text), text
    changes = {tuple(line.split()) for line in text.splitlines()[3:]}
    assert changes == {("added", "Apache::Vhost[v2.web1]"), ("removed", "Apache::Vhost[v1.web1]"),
                       ("changed", "Sshkey[web1]", "key")}, text
    first = told(rig, "diff", "web2", *at)
    assert "4 added, 0 removed, 0 changed" in first and "not kept by name" in first, first
    shown = as_json(rig, "diff", "web1", *at)
    assert (shown["added"], shown["removed"], shown["changed"]) == (1, 1, 1), shown
    assert shown["changed_by_last"] is True and shown["node"] == "web1", shown
    changed, = [one for one in shown["changes"] if one["kind"] == "changed"]
    assert (changed["title"], changed["parameters"]) == ("web1", ["key"]), changed


def case_diff_unchanged(rig):
    """diff tells when the last catalog has changed nothing, and what the one before changed"""
    broker = rig.broker()
    fill(broker)
    # The time of a catalog has no digits behind the second everywhere: another one is needed.
    last = as_json(rig, "diff", "web1", "--data", broker.data)["changed_at"]

    def unchanged_later():
        send(broker, catalogs.message("web1", resources_of("web1", 2), 2))
        broker.wait_drained()
        return as_json(rig, "diff", "web1", "--data", broker.data)["last_compile"] != last

    wait_until(unchanged_later, "a catalog has come at another time", every=0.2)
    text = told(rig, "diff", "web1", "--data", broker.data)
    assert "changed nothing; the last that did" in text and "1 added" in text, text
    assert as_json(rig, "diff", "web1", "--data", broker.data)["changed_by_last"] is False


# forget and unexport

def case_unexport_tells(rig):
    """unexport tells how much is absent now, and what has no ensure"""
    broker = rig.broker()
    fill(broker)
    backend = catalogs.resource("Site::Backend", "db", port="5432")
    send(broker, catalogs.message("db", [catalogs.resource("Sshkey", "db", key="AAAA"), backend]))
    broker.wait_drained()
    at = ("--data", broker.data)
    text = told(rig, "unexport", "web1", "DB", *at)
    assert text.splitlines() == [
        "web1: 2 exported resources absent now",
        "DB: 1 exported resource absent now, 1 left, whose types have no ensure"], text
    mixed = tell(rig, "unexport", "web2", "nosuch", *at, code=1)
    assert mixed.stdout == b"web2: 2 exported resources absent now\n", mixed
    assert mixed.stderr.startswith(b"stompbox: there is no node nosuch"), mixed


def case_forget_tells(rig):
    """forget tells what went with each node, and goes on behind one that is not there"""
    at = database(rig)
    done = tell(rig, "forget", "nosuch", "web1", *at, code=1)
    assert done.stdout == b"web1 forgotten: 4 resources, 2 facts\n", done
    assert done.stderr == (b"stompbox: there is no node nosuch in the catalog database: "
                           b"'stompbox nodes' lists them\n"), done
    assert as_json(rig, "forget", "web2", *at) == {
        "marked": True, "nodes": [{"name": "web2", "found": True, "resources": 4, "facts": 2}]}
    assert told(rig, "nodes", *at) == "There are no nodes yet.\n"


def case_forget_silent_tells(rig):
    """forget --all-silent-for names who goes, first with --dry-run"""
    at = database(rig)
    silent = ("forget", "--all-silent-for", "30d", *at)
    assert told(rig, *silent) == "No node has been silent for so long.\n"
    change(rig, f"update hosts set last_compile = '{OLD}' where name = 'web1';"
                f"update fact_values set updated_at = '{OLD}';"
                f"update stompbox_nodes set updated_at = '{OLD}' where name = 'web1';")
    table = f"NODE  LAST SEEN\nweb1  {OLD}\n1 node "
    assert told(rig, *silent, "--dry-run") == table + "would be forgotten\n"
    assert told(rig, *silent) == table + "forgotten\n"


# Trouble: one sentence that says what to do

def sentence_of(done):
    """The one line on standard error."""
    line, = done.stderr.decode().splitlines()
    assert line.startswith("stompbox: ") and not done.stdout, done
    return line


@cases.each({"state": "missing", "code": 1, "remedy": "--catalog-store"},
            {"state": "a folder", "code": 2, "remedy": "name the file"},
            {"state": "a text file", "code": 1, "remedy": "name another file"},
            {"state": "a stranger's", "code": 2, "remedy": "name another"},
            {"state": "none", "code": 2, "remedy": "--catalog-store"},
            {"state": "a server that is down", "code": 1, "remedy": "check that the server runs"})
def case_no_database(rig, state, code, remedy):
    """when the database is {state}, all verbs say so in one sentence with the way out"""
    path = rig.folder / "there"
    if state == "a folder":
        path.mkdir()
    elif state == "a text file":
        path.write_text("This is a text, and no database. " * 50, encoding="utf-8")
    elif state == "a stranger's":
        with sqlite3.connect(path) as rows:
            rows.executescript("create table people (name text); create table hosts (x text);")
    store = {"none": "none",
             "a server that is down": f"mysql://root@/puppet?socket={path}"}.get(state,
                                                                                f"sqlite:{path}")
    before = path.read_bytes() if path.is_file() else None
    for words in READING + WRITING:
        if words[1:2] == ("backup",) and state in ("a stranger's", "a server that is down"):
            continue  # a copy is a copy; a server has its own backups
        done = tell(rig, *words, "--catalog-store", store, code=code)
        assert remedy in sentence_of(done), (words, done)
        assert not (rig.folder / "copy.sqlite3").exists(), words
    assert before is None or path.read_bytes() == before
    assert path.exists() == (state in ("a folder", "a text file", "a stranger's"))


def case_unknown_node(rig):
    """a node that is not there is exit code 1 and a sentence that says where nodes are listed"""
    at = database(rig)
    for words in (("facts", "nosuch"), ("diff", "nosuch"), ("forget", "nosuch"),
                  ("unexport", "nosuch")):
        line = sentence_of(tell(rig, *words, *at, code=1))
        assert "no node nosuch" in line and "'stompbox nodes'" in line, (words, line)


def case_misuse(rig):
    """what makes no sense is exit code 2, and the sentence shows what would"""
    at = database(rig)
    for words, remedy in ((("resources", "--param", "key"), "ensure=present"),
                          (("resources", "--exported", "maybe"), "yes"),
                          (("resources", "--cuont", "1"), "did you mean '--count'"),
                          (("forget", "--all-silent-for", "ever"), "'ever'"),
                          (("forget", "web1", "--all-silent-for", "1d"), "--all-silent-for"),
                          (("nodes", "web1"), "one word too many"),
                          (("diff",), "node")):
        done = tell(rig, *words, *at, code=2)
        assert remedy in done.stderr.decode() and not done.stdout, (words, done)


# How far long work has come

class Watched:
    """A verb whose standard error is a terminal; its standard output is not."""

    def __init__(self, rig, *words):
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen([str(word) for word in (rig.exe, *words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=theirs)
        os.close(theirs)
        self.shown = b""

    def read(self):
        """More of what the terminal shows; False at the end."""
        try:
            more = os.read(self._terminal, 4096)
        except OSError as gone:  # what Linux says when nobody has the other side any more
            assert gone.errno == errno.EIO, gone
            more = b""
        self.shown += more
        return bool(more)

    def shows_something(self):
        """Does not wait for it."""
        return bool(select.select([self._terminal], [], [], 0)[0]) and self.read()

    def finish(self):
        """Returns what was printed."""
        self.process.stdin.close()
        while self.read():
            pass
        out = self.process.stdout.read()
        assert self.process.wait(60) == 0, (self.shown, out)
        os.close(self._terminal)
        return out


NODES_MAX = 120


def long_work(rig):
    """A verb that takes longer than half a second, and a lock that holds it up for so long."""
    at = database(rig)
    change(rig, "begin; with recursive n(i) as (select 1 union all select i + 1 from n where"
                f" i < {NODES_MAX}) insert into hosts (name, last_compile)"
                f" select 'old' || i, '{OLD}' from n; commit;")
    lock = sqlite3.connect(rig.folder / "broker/data/storeconfigs.sqlite3", timeout=10,
                           isolation_level=None)
    lock.execute("begin immediate")
    return ("forget", "--all-silent-for", "30d", *at), lock


def has_open(process, name):
    """Whether it has opened a file of that name."""
    links = pathlib.Path(f"/proc/{process.pid}/fd").iterdir()
    return any(os.path.basename(os.path.realpath(link)) == name for link in links)


def release(lock, process):
    """When the verb has been at its work for longer than the half second before a bar."""
    wait_until(lambda: has_open(process, "storeconfigs.sqlite3"), "the verb is at its work")
    let_pass(3)
    lock.execute("rollback")
    lock.close()


def case_bar(rig):
    """long work shows a bar on a terminal, which is gone at the end; nothing of it is printed"""
    words, lock = long_work(rig)
    verb = Watched(rig, *words)
    release(lock, verb.process)
    out = verb.finish()
    assert re.search(rb"\rforgetting  \[#*-*\]  \d+ %  \d+ of 120 nodes",
                     verb.shown.replace(b"\x1b[K", b"")), verb.shown[-300:]
    assert verb.shown.endswith(b"\r\x1b[K\r"), verb.shown[-100:]
    assert b"\n" not in verb.shown, verb.shown[-300:]
    assert out.endswith(b"120 nodes forgotten\n") and b"%" not in out and b"\x1b" not in out


def case_no_bar_in_a_file(rig):
    """long work shows no bar where standard error is no terminal"""
    words, lock = long_work(rig)
    with (rig.folder / "errors").open("wb") as errors:
        verb = subprocess.Popen([str(word) for word in (rig.exe, *words)], stderr=errors,
                                stdout=subprocess.PIPE)
    release(lock, verb)
    out, _ = verb.communicate(timeout=60)
    assert verb.returncode == 0 and out.endswith(b"120 nodes forgotten\n"), out
    assert b"%" not in out and not (rig.folder / "errors").read_bytes(), out


def case_no_bar_with_json(rig):
    """long work shows no bar with --json, on a terminal neither"""
    words, lock = long_work(rig)
    verb = Watched(rig, *words, "--json")
    release(lock, verb.process)
    assert len(json.loads(verb.finish())["nodes"]) == NODES_MAX
    assert not verb.shown, verb.shown


def case_no_bar_for_short_work(rig):
    """what takes no time shows no bar, in one run of three at least: a machine may be slow once"""
    at = database(rig)

    def shown(words):
        verb = Watched(rig, *words, *at)
        assert verb.finish(), words
        return verb.shown

    for words in (("store", "check"), ("store", "stats"), ("store", "repair"), ("store", "export")):
        assert any(not shown(words) for _ in range(3)), words


def case_lines_are_counted(rig):
    """store import counts lines on a terminal, for their end is not known"""
    at = database(rig)
    line = told(rig, "store", "export", *at).encode().splitlines(True)[0]
    verb = Watched(rig, "store", "import", *at)

    def counted():
        verb.process.stdin.write(line)
        verb.process.stdin.flush()
        return verb.shows_something()

    wait_until(counted, "lines are counted on the terminal", every=0.001)
    verb.finish()
    assert re.search(rb"storing  [\d,]+ lines", verb.shown), verb.shown
    assert verb.shown.endswith(b"\r\x1b[K\r"), verb.shown


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
