#!/usr/bin/env python3
"""What real Puppet sent, played to the broker: the database is what it ought to be, whole."""

import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captures
import cases
import play
from waiting import wait_until

NODES = ("app03.stage.example.com", "db02.example.com", "web01.example.com")

# hosts.environment of the golden files is puppetqd's own look-up. Ours is the message's, if any.
STAGING = {"host app03.stage.example.com: environment: A 'production', B 'staging'"}
UNSAID = {f"host {node}: environment: A 'production', B None" for node in NODES}
# The main class is stored as later versions write it, whatever the version.
MAIN_CLASS = ({f"{node}: Class[main]: only in A" for node in NODES} |
              {f"{node}: Class[Main]: only in B" for node in NODES})

# Where the golden files show Puppet's accidents (captures/README.md), and what is there instead.
LOOKS = r"""parameter looks: A ['--- not yaml'], B ['--- "--- not yaml"']"""
LIST = ("""parameter list: A ['one', 'two', '["three", "four"]'],"""
        """ B ['one', 'two', '--- ["three", "four"]']""")
NESTED = ("""parameter nested:"""
          """ A ['{"ports"=>["80", "443", ["8080", "8081"]], "opts"=>{"a"=>"b", "t"=>true}}'],"""
          """ B ['--- {"ports": ["80", "443", ["8080", "8081"]],"""
          """ "opts": {"a": "b", "t": true}}']""")
NESTED_LATER = (r"""parameter nested: A ['--- \n  ports: \n    - "80"\n    - "443"\n"""
                r"""    - - "8080"\n      - "8081"\n  opts: \n    a: c'],"""
                """ B ['--- {"ports": ["80", "443", ["8080", "8081"]], "opts": {"a": "c"}}']""")


# param_values.line: Puppet sets it in an update, we never do.
UPDATED_LINE = re.compile(r": paramline: A \['\d+'(, '\d+')*\], B \[None(, None)*\]$")


def of_each_member(*texts):
    return {f"{node}: Cluster::Member[member {node}]: {text}" for node in NODES for text in texts}


def expect_differences(golden, broker, wanted, nodes=NODES):
    found = set(captures.differences(golden, broker.database, nodes))
    found = {line for line in found if not UPDATED_LINE.search(line)}
    assert found == wanted, f"unexpected {found - wanted}\nmissing {wanted - found}"
    with broker.open_database() as database:
        assert database.execute("select max(line) from param_values").fetchone() == (None,)


def store(broker, name, way):
    """Plays a capture and waits until all of it is stored."""
    queue = "facts" if name.startswith("facts") else "catalog"
    count = len(captures.nodes_of(captures.read(name)))
    before = broker.queue(queue).get("enqueued", 0)
    way(broker.port, captures.read(name))
    wait_until(lambda: broker.queue(queue).get("enqueued", 0) >= before + count,
               f"{count} messages of {name} have come in")
    broker.wait_drained()


EACH_WAY = cases.each(*({"way": way} for way in play.WAYS))


@EACH_WAY
def case_catalogs_of_3_8_7(rig, way):
    """catalogs of Puppet 3.8.7, sent {way}, are stored as golden, but for Puppet's accidents."""
    broker = rig.broker()
    store(broker, "facts-3.8.7.bin", way)
    store(broker, "catalog-3.8.7.bin", way)
    expect_differences("golden-catalog-3.8.7.json", broker,
                       of_each_member(LOOKS, LIST, NESTED) | STAGING)
    captures.check_database(broker.database, "catalog-3.8.7.bin")


@EACH_WAY
def case_next_day_of_3_8_7(rig, way):
    """catalogs of Puppet 3.8.7 and then those of the next day, sent {way}, are stored as golden."""
    broker = rig.broker()
    store(broker, "facts-3.8.7.bin", way)
    store(broker, "catalog-3.8.7.bin", way)
    store(broker, "catalog2-3.8.7.bin", way)
    expect_differences("golden-catalog-then-catalog2-3.8.7.json", broker,
                       of_each_member(NESTED_LATER) | STAGING)
    captures.check_database(broker.database, "catalog-3.8.7.bin", "catalog2-3.8.7.bin")


@EACH_WAY
def case_catalogs_of_2_7_26(rig, way):
    """catalogs of Puppet 2.7.26, sent {way}, are stored as golden, but for Puppet's accidents."""
    broker = rig.broker()
    store(broker, "facts-3.8.7.bin", way)
    store(broker, "catalog-2.7.26.bin", way)
    expect_differences("golden-catalog-2.7.26.json", broker,
                       of_each_member(LOOKS, LIST, NESTED) | UNSAID)
    captures.check_database(broker.database, "catalog-2.7.26.bin")


@EACH_WAY
def case_catalogs_of_0_25_5(rig, way):
    """catalogs of Puppet 0.25.5, sent {way}, are stored as golden, but for Puppet's accidents."""
    broker = rig.broker()
    store(broker, "facts-3.8.7.bin", way)
    store(broker, "catalog-0.25.5.bin", way)
    expect_differences("golden-catalog-0.25.5.json", broker,
                       of_each_member(LOOKS) | UNSAID | MAIN_CLASS)
    captures.check_database(broker.database, "catalog-0.25.5.bin")


@EACH_WAY
def case_edge_values(rig, way):
    """values that are easily stored wrongly, sent {way}, read back as they were."""
    broker = rig.broker()
    store(broker, "facts-3.8.7.bin", way)
    store(broker, "edge-3.8.7.bin", way)
    expect_differences("golden-edge-3.8.7.json", broker, {
        "web01.example.com: Edge::Box[deep]: parameter v:"
        """ A ['{"a"=>{"b"=>{"c"=>["1", "two", true]}}}'],"""
        """ B ['--- {"a": {"b": {"c": ["1", "two", true]}}}']""",
        "web01.example.com: Edge::Box[hash in array]: parameter v:"
        """ A ['{"k"=>["v1", "v2"]}', 'tail'], B ['--- {"k": ["v1", "v2"]}', 'tail']""",
        "web01.example.com: Edge::Box[yaml start]: parameter w:"
        r""" A ['--- \n- a\n- b\n'], B ['--- "--- \\n- a\\n- b\\n"']""",
    }, nodes=["web01.example.com"])
    captures.check_database(broker.database, "edge-3.8.7.bin")


@cases.each(*({"where": where} for where in play.CUTS))
def case_cut_connection(rig, where):
    """a connection that ends {where} loses that message only."""
    for name in ("catalog-0.25.5.bin", "catalog-2.7.26.bin", "catalog-3.8.7.bin",
                 "catalog2-3.8.7.bin"):
        broker = rig.subfolder(name).broker()
        data = captures.read(name)
        nodes = captures.nodes_of(data)
        play.and_close_at_once(broker.port, data[:play.cut_in_last_frame(data, where)])
        wait_until(lambda: broker.queue("catalog").get("enqueued", 0) >= len(nodes) - 1,
                   "the whole messages have come in")
        wait_until(lambda: broker.status()["connections"] == 0, "the connection is gone")
        broker.wait_drained()
        with broker.open_database() as database:
            hosts = [row[0] for row in database.execute("select name from hosts order by id")]
        assert hosts == nodes[:-1], hosts
        assert broker.queue("catalog")["enqueued"] == len(nodes) - 1, broker.queue("catalog")
        assert broker.backlog("dead-letter") == 0


def case_unread_connected(rig):
    """a publisher that never reads and resets its connection after the last byte loses nothing."""
    broker = rig.broker()
    data = captures.read("catalog-3.8.7.bin")
    for _ in range(10):
        with broker.socket() as peer:
            peer.sendall(data)
            wait_until(lambda: peer.recv(1, socket.MSG_PEEK), "CONNECTED lies there unread")
    wait_until(lambda: broker.queue("catalog").get("enqueued", 0) >= 30, "all 30 have come in")
    broker.wait_drained()
    captures.check_database(broker.database, "catalog-3.8.7.bin")


USERS = "puppet:$y$j9T$qmKTtWKGV1GgGQJ0Vn8eD0$ZHonzCC4WfFiBuWr7aqxA5YGUUviXs.FUNqTjSTmZDD\n"


def case_login(rig):
    """a master with a passcode is let in, and its catalog is stored."""
    users = rig.folder / "users"
    users.write_text(USERS, encoding="ascii")
    users.chmod(0o600)
    broker = rig.broker("--users", users)
    store(broker, "login-3.8.7.bin", play.whole)
    captures.check_database(broker.database, "login-3.8.7.bin")


def case_wrong_passcode(rig):
    """a master with a wrong passcode or none gets an ERROR, and nothing of it is stored."""
    users = rig.folder / "users"
    users.write_text(USERS, encoding="ascii")
    users.chmod(0o600)
    for name, wrong in (
            ("wrong", captures.read("login-3.8.7.bin").replace(b"secret", b"wrong", 1)),
            ("none", captures.read("catalog-3.8.7.bin"))):
        broker = rig.broker("--users", users, name=name)
        with broker.socket() as peer:
            peer.sendall(wrong)
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        assert answer.startswith(b"ERROR\n") and answer.count(b"\0") == 1, answer
        assert broker.queue("catalog").get("enqueued", 0) == 0
        with broker.open_database() as database:
            assert database.execute("select count(*) from hosts").fetchone()[0] == 0


def case_puppetqd(rig):
    """a real puppetqd takes catalogs from us when nobody drains, and its ACKs count."""
    broker = rig.broker("--catalog-store", "none")
    play.whole(broker.port, captures.read("catalog-3.8.7.bin"))
    wait_until(lambda: broker.backlog("catalog") == 3, "three catalogs wait")
    bodies = [frame.body for frame in captures.frames_of(captures.read("catalog-3.8.7.bin"))[1:]]
    with play.Puppetqd(broker.port) as consumer:
        first = consumer.take()
        assert first.body == bodies[0]
        consumer.acknowledge(first)
        wait_until(lambda: broker.backlog("catalog") == 2, "the first ACK counts")
    wait_until(lambda: broker.queue("catalog")["in_flight"] == 0, "what it had has come back")
    with play.Puppetqd(broker.port) as consumer:
        for body in bodies[1:]:
            message = consumer.take()
            assert message.body == body and message["redelivered"] == "true", message
            consumer.acknowledge(message)
    wait_until(lambda: broker.backlog("catalog") == 0, "all ACKs count")
    broker.stop()
    broker.start()
    assert broker.backlog("catalog") == 0


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
