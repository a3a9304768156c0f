#!/usr/bin/env python3
"""The sample messages behave as their README says: stored by meaning, or kept with the reason."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captures
import cases
from catalogs import stored_rows
from stomp_wire import encode

SAMPLES = cases.DATA / "samples"


def sample(start):
    """The file whose name starts like this."""
    return next(SAMPLES.glob(start + "*"))


def store(rig, *starts, **headers):
    """A broker that has been sent these samples and is done with them."""
    broker = rig.broker()
    with broker.client(version="1.0") as client:
        for start in starts:
            queue = "facts" if "facts" in sample(start).name else "catalog"
            client.send(f"/queue/{queue}", sample(start).read_bytes(), receipt=True, **headers)
    broker.wait_drained()
    return broker


def values_of(broker, node, kind, title):
    """{parameter: [values]} of one stored resource."""
    with broker.open_database() as database:
        rows = [row for row in stored_rows(database, node) if row[:2] == (kind, title)]
    assert len(rows) == 1, (kind, title, rows)
    values = {}
    for name, value in rows[0][2]:
        values.setdefault(name, []).append(value)
    return values


def count_resources(broker, node):
    with broker.open_database() as database:
        return len(stored_rows(database, node))


@cases.each({"start": "02"}, {"start": "03"}, {"start": "04"})
def case_ordinary_catalogs(rig, start):
    """sample {start} reads back from the database as the values that it has."""
    broker = store(rig, start)
    body = sample(start).read_bytes()
    capture = rig.folder / "as-capture.bin"
    capture.write_bytes(encode("CONNECT", {}) + encode(
        "SEND", {"destination": "/queue/catalog", "content-length": len(body)}, body, "1.0"))
    captures.check_database(broker.database, capture)


def case_catalog_of_0_25_0(rig):
    """the 0.25.0 form, with strings of JSON inside, is stored."""
    broker = store(rig, "01")
    node = "old1.example.test"
    assert count_resources(broker, node) == 7
    assert values_of(broker, node, "File", "/etc/ntp.conf") == {
        "content": ["server 192.0.2.123\n"], "mode": ["644"],
        "notify": ["Exec[ntp-resync]", "Service[ntpd]"], "require": ["Package[ntp]"]}
    assert values_of(broker, node, "Service", "ntpd") == {"enable": ["true"], "ensure": ["running"]}


def case_latin1_bytes(rig):
    """bytes that are not UTF-8 are taken for Latin-1."""
    broker = store(rig, "05")
    node = "koeln1.example.test"
    motd = values_of(broker, node, "File", "/etc/motd")
    assert motd["content"] == ["Willkommen in Köln, grüßen Sie Herrn Müller\n"], motd
    assert values_of(broker, node, "Host", "koeln1")["comment"] == ["Büro"]


def case_catalog_of_8(rig):
    """a Puppet 8 catalog is stored without what is marked as sensitive."""
    broker = store(rig, "06")
    node = "db1.example.test"
    assert count_resources(broker, node) == 7
    assert "content" not in values_of(broker, node, "File", "/etc/db/pass")
    target = values_of(broker, node, "Backup::Target", "db1")
    assert sorted(target["paths"]) == ["/etc/db", "/var/lib/db"], target
    assert target["retention"] == ['--- {"daily": 7, "weekly": 4}'], target
    tuning = values_of(broker, node, "Db::Tuning", "main")
    assert (tuning["count"], tuning["ratio"], tuning["on"]) == (["3"], ["0.25"], ["true"]), tuning
    assert "off" not in tuning
    with broker.open_database() as database:
        text = "\n".join(database.iterdump())
    assert "not-a-real-secret" not in text


@cases.each({"start": "07", "node": "web1.example.test", "fact": "operatingsystemrelease",
             "value": "6.0.3"},
            {"start": "08", "node": "db1.example.test", "fact": "clientversion",
             "value": "8.10.0"})
def case_facts(rig, start, node, fact, value):
    """facts sample {start} is stored as facts."""
    broker = store(rig, start)
    with broker.open_database() as database:
        found = database.execute(
            "select v.value from fact_values v join fact_names n on n.id = v.fact_name_id"
            " join hosts h on h.id = v.host_id where h.name = ? and n.name = ?",
            (node, fact)).fetchall()
    assert found == [(value,)], found
    assert broker.backlog("dead-letter") == 0


def case_truncated(rig):
    """a truncated catalog becomes a dead letter with its reason, headers and bytes."""
    broker = store(rig, "09", x_trace="kept as it was", content_type="text/plain; charset=UTF-8")
    with broker.client() as client:
        client.subscribe("/queue/dead-letter", ack="client-individual")
        letter = client.message()
        assert letter.body == sample("09").read_bytes()
        assert letter["dead-letter-reason"] == "unreadable", letter
        assert letter["dead-letter-detail"], letter
        assert letter["original-destination"] == "/queue/catalog", letter
        assert letter["original-message-id"], letter
        assert letter["x-trace"] == "kept as it was", letter
        assert letter["content-type"] == "text/plain; charset=UTF-8", letter
        assert client.nothing_comes()
    with broker.open_database() as database:
        assert database.execute("select count(*) from resources").fetchone()[0] == 0
    assert broker.status()["drain"]["dead_lettered"] == 1


def case_semantic_faults(rig):
    """what is well defined of a catalog with a bad edge, tag, title and null is stored."""
    broker = store(rig, "10")
    node = "web1.example.test"
    assert count_resources(broker, node) == 9
    assert values_of(broker, node, "Notify", "bad") == {}
    assert values_of(broker, node, "Service", "ntpd") == {"enable": ["true"], "ensure": ["running"]}
    assert broker.backlog("dead-letter") == 0


def case_dead_letter_does_not_block(rig):
    """catalogs behind an unreadable one of the same node are stored."""
    broker = store(rig, "03", "09", "03", "09")
    assert count_resources(broker, "web1.example.test") == 8
    assert broker.backlog("dead-letter") == 2


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
