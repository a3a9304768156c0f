#!/usr/bin/env python3
"""`stompbox drain` and `puppetqd`: the drain stage as a client of a broker elsewhere."""

import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captures
import cases
import catalogs
import play
from certificates import make_authority, make_certificate
from drain_process import Drain
from peers import free_port
from waiting import let_pass, wait_until

NODES = [f"node{i}.example.com" for i in range(10)]


def source_of(*brokers, scheme="stomp", login="", destination="/queue/catalog"):
    hosts = ",".join(f"127.0.0.1:{broker.port}" for broker in brokers)
    return f"{scheme}://{login}{hosts}{destination}"


class Site:
    """A broker that drains nothing itself, and drains with one SQLite database."""

    def __init__(self, rig, *arguments):
        self.rig = rig
        self.broker = rig.broker("--catalog-store", "none", *arguments)
        self.database = rig.folder / "catalogs.sqlite3"

    def drain(self, *arguments, name="drain", source=None, start=True, **settings):
        drain = Drain(self.rig.exe, self.rig.folder / name, source or source_of(self.broker),
                      f"sqlite:{self.database}", *arguments, **settings)
        self.rig._brokers.append(drain)
        return drain.start() if start else drain

    def send(self, *bodies, queue="/queue/catalog", **headers):
        with self.broker.client() as master:
            for body in bodies:
                master.send(queue, body, receipt=True, **headers)

    def generation(self, generation):
        self.send(*(catalogs.generation_message(node, generation) for node in NODES),
                  producer_timestamp=str(1_700_000_000_000 + generation * 1000))

    def stored(self, node):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as database:
            return catalogs.stored_generation(database, node)

    def wait_stored(self, generation, seconds=30):
        for node in NODES:
            wait_until(lambda: self.stored(node) == generation,
                       f"{node} is in generation {generation}", seconds)
        wait_until(lambda: self.broker.backlog("catalog") == 0, "all is acknowledged", seconds)


def case_captures(rig):
    """catalogs and facts of a real master are stored as the broker itself would."""
    site = Site(rig)
    play.whole(site.broker.port, captures.read("facts-3.8.7.bin"))
    play.whole(site.broker.port, captures.read("catalog-3.8.7.bin"))
    drain = site.drain("--source-facts", "/queue/facts", "--forget-after", "90d")
    site.broker.wait_drained()
    captures.check_database(site.database, "catalog-3.8.7.bin")
    figures = drain.figures()
    assert figures["stored"] == 3 and figures["facts_stored"] > 0, figures
    status = rig.broker(name="unused", start=False).run("status", "--data", drain.data).stdout
    assert b", connected (stompbox" in status, status
    drain.stop()
    assert site.broker.status()["connections"] == 0


def case_dead_letter(rig):
    """what is no catalog becomes a dead letter of the broker, which can be replayed."""
    site = Site(rig)
    drain = site.drain()
    site.send(b"\x00\xff no catalog", catalogs.generation_message(NODES[0], 1), colour="blue")
    wait_until(lambda: site.broker.backlog("dead-letter") == 1, "the letter is there")
    listed = site.broker.run("dead-letters", "list", "--json", "--data", site.broker.data).stdout
    assert b'"unreadable"' in listed and b"/queue/catalog" in listed, listed
    wait_until(lambda: site.broker.backlog("catalog") == 0, "all is acknowledged")
    site.broker.run("dead-letters", "replay", "--all", "--data", site.broker.data, check=False)
    drain.stop()


def case_order_of_two_drains(rig):
    """an older catalog that comes late, by its producer's time, does not win."""
    site = Site(rig)
    drains = [site.drain(name=f"drain{i}") for i in range(2)]
    site.send(catalogs.generation_message(NODES[0], 2), producer_timestamp="1700000002000")
    wait_until(lambda: site.database.exists() and site.stored(NODES[0]) == 2, "it is stored")
    site.send(catalogs.generation_message(NODES[0], 1), producer_timestamp="1700000001000")
    wait_until(lambda: site.broker.backlog("catalog") == 0, "the older one is acknowledged")
    assert site.stored(NODES[0]) == 2
    assert sum(drain.figures()["superseded"] for drain in drains) == 1


def case_order_without_time(rig):
    """at a Stompbox an older catalog that comes again late, of which nobody said a time, loses."""
    site = Site(rig)
    hanging = site.drain("--drain-window-count", "1", name="hanging")
    wait_until(lambda: site.broker.queue("catalog")["consumers"] == 1, "it has subscribed")
    os.kill(hanging.process.pid, signal.SIGSTOP)
    site.send(catalogs.generation_message(NODES[0], 1))
    wait_until(lambda: site.broker.queue("catalog")["in_flight"] == 1, "one is under way")
    other = site.drain(name="other")
    site.send(catalogs.generation_message(NODES[0], 2))
    wait_until(lambda: site.database.exists() and site.stored(NODES[0]) == 2, "it is stored")
    hanging.kill()
    wait_until(lambda: site.broker.backlog("catalog") == 0, "the older one is acknowledged")
    assert site.stored(NODES[0]) == 2
    assert other.figures()["superseded"] == 1


def case_killed(rig):
    """three drains at one queue, one of them killed at any moment: nothing is lost or half."""
    site = Site(rig)
    drains = [site.drain("--drain-window-count", "6", name=f"drain{i}") for i in range(3)]
    for generation in range(1, 13):
        site.generation(generation)
        let_pass(0.02 * (generation % 4))
        drains[generation % 3].kill()
        drains[generation % 3].start()
    site.wait_stored(12)
    for drain in drains:
        drain.stop()


def case_stopped_under_load(rig):
    """SIGTERM under load ends it in order: what it took is stored and acknowledged, or waits."""
    site = Site(rig)
    site.generation(1)
    for generation in range(2, 6):
        drain = site.drain("--drain-window-count", "4")
        site.generation(generation)
        drain.stop()
        assert site.broker.queue("catalog")["in_flight"] == 0
        assert "source-gives-no-farewell" not in drain.log(), drain.log_tail()
    site.drain()
    site.wait_stored(5)


def case_failover(rig):
    """brokers are tried in their order, and the first is preferred when a connection ends."""
    first = Site(rig)
    second = rig.broker("--catalog-store", "none", name="second")
    first.broker.stop()
    source = f"stomp://127.0.0.1:{first.broker.port},127.0.0.1:{second.port}/queue/catalog"
    drain = first.drain("--source-retry-max", "300ms", source=source)
    with second.client() as master:
        master.send("/queue/catalog", catalogs.generation_message(NODES[0], 1), receipt=True)
    wait_until(lambda: second.backlog("catalog") == 0, "the second is drained")
    first.broker.wanted_port = first.broker.port
    first.broker.start()
    second.stop()
    first.send(catalogs.generation_message(NODES[0], 2))
    wait_until(lambda: first.broker.backlog("catalog") == 0, "the first is drained")
    assert first.stored(NODES[0]) == 2
    drain.stop()


def case_silent_broker(rig):
    """a broker that hangs is left for the next one when its heart-beats stay away."""
    site = Site(rig)
    second = rig.broker("--catalog-store", "none", name="second")
    source = f"stomp://127.0.0.1:{site.broker.port},127.0.0.1:{second.port}/queue/catalog"
    drain = site.drain("--source-heart-beat", "200ms", "--source-retry-max", "300ms",
                       source=source)
    wait_until(lambda: site.broker.queue("catalog")["consumers"] == 1, "it has subscribed")
    os.kill(site.broker.process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: second.queue("catalog")["consumers"] == 1, "it is at the second", 30)
        wait_until(lambda: "has been silent" in drain.log(), "the log says why")
    finally:
        os.kill(site.broker.process.pid, signal.SIGCONT)
    drain.stop()


def case_database_in_trouble(rig):
    """while the database is in trouble nothing is acknowledged, and others may take it soon."""
    site = Site(rig)
    drain = site.drain("--source-hold-max", "300ms", "--catalog-busy-timeout", "100ms",
                       "--drain-retry-max", "1s")
    site.generation(1)
    site.wait_stored(1)
    master = sqlite3.connect(site.database, timeout=10, isolation_level=None)
    master.execute("begin exclusive")
    site.generation(2)
    wait_until(lambda: "source-handed-back" in drain.log(), "it has given them back", 30)
    waiting = site.broker.queue("catalog")
    assert waiting["waiting"] + waiting["in_flight"] == len(NODES), waiting
    assert drain.figures()["database_in_trouble"]
    master.execute("rollback")
    site.wait_stored(2)
    wait_until(lambda: not drain.figures()["database_in_trouble"], "the trouble is over")
    drain.stop()


def case_long_trouble(rig):
    """an outage of the database costs no message its deliveries, however often it is tried."""
    site = Site(rig, "--queue-redeliveries-max", "2")
    drain = site.drain("--source-hold-max", "100ms", "--catalog-busy-timeout", "50ms",
                       "--drain-retry-max", "300ms", "--source-retry-max", "100ms")
    site.generation(1)
    site.wait_stored(1)
    master = sqlite3.connect(site.database, timeout=10, isolation_level=None)
    master.execute("begin immediate")
    site.generation(2)
    wait_until(lambda: "source-handed-back" in drain.log(), "it has given them back", 30)
    failed = set()
    wait_until(lambda: failed.add(drain.figures()["last_error_ms"]) or len(failed) > 6,
               "the database was tried again and again")
    waiting = site.broker.queue("catalog")
    assert waiting["waiting"] == len(NODES) and waiting["consumers"] == 0, waiting
    assert site.broker.backlog("dead-letter") == 0
    master.execute("rollback")
    site.wait_stored(2)
    drain.stop()


def case_login(rig):
    """user and passcode are taken from URL, file and environment; a refusal is told."""
    users = rig.folder / "users"
    passcode = "p@ss:w/rd"
    words = [rig.exe, "passwd", "puppet", "--users", users]
    subprocess.run([str(word) for word in words], input=passcode.encode() + b"\n", check=True,
                   capture_output=True, timeout=20)
    site = Site(rig, "--users", users)
    secret = rig.folder / "passcode"
    secret.write_text(passcode + "\n", encoding="ascii")
    ways = {"url": dict(source=source_of(site.broker, login="puppet:p%40ss%3aw%2Frd@")),
            "environment": dict(source=source_of(site.broker, login="puppet@"), passcode=passcode)}
    for name, settings in ways.items():
        drain = site.drain(name=name, **settings)
        wait_until(lambda: "source-connected" in drain.log(), f"it is let in by {name}")
        drain.stop()
    drain = site.drain("--source-user", "puppet", "--source-passcode-file", secret, name="file")
    wait_until(lambda: "source-connected" in drain.log(), "it is let in by the file")
    drain.stop()
    drain = site.drain(name="nobody", source=source_of(site.broker))
    wait_until(lambda: "the broker says" in drain.log(), "the refusal is told")
    drain.stop()


def case_tls(rig):
    """with stomps:// both sides show certificates, and a stranger's broker is not trusted."""
    ours = make_authority(rig.folder, "ours")
    strange = make_authority(rig.folder, "strange")
    server = make_certificate(rig.folder, ours, "server")
    client = make_certificate(rig.folder, ours, "drain")
    port = free_port()
    site = Site(rig, "--listen", f"tls://127.0.0.1:{port}", "--tls-certificate",
                server.certificate, "--tls-key", server.key, "--tls-authorities",
                ours.certificate, "--tls-clients", "require")
    site.send(catalogs.generation_message(NODES[0], 1))
    source = f"stomps://127.0.0.1:{port}/queue/catalog"
    doubtful = site.drain("--source-tls-authorities", strange.certificate, name="doubtful",
                          source=source)
    wait_until(lambda: "is not trusted" in doubtful.log(), "the certificate is not trusted")
    doubtful.stop()
    drain = site.drain("--source-tls-authorities", ours.certificate, "--source-tls-certificate",
                       client.certificate, "--source-tls-key", client.key, source=source)
    wait_until(lambda: site.broker.backlog("catalog") == 0, "it is stored")
    drain.stop()


def case_misuse(rig):
    """what cannot be is said in one sentence, with exit code 2."""
    broker = rig.broker(start=False)

    def refused(words, *arguments):
        done = broker.run("drain", "--data", rig.folder / "d", *arguments, check=False)
        assert done.returncode == 2 and words in done.stderr.decode(), done
    refused("needs a broker: --source stomp://")
    refused("begins with stomp://", "--source", "http://localhost/queue/catalog")
    refused("bad %-escape", "--source", "stomp://a%zz@localhost/queue/catalog")
    refused("needs a database", "--source", "stomp://localhost", "--catalog-store", "none")
    refused("name the same queue", "--source", "stomp://localhost/queue/a", "--source-facts",
            "/queue/a")
    refused("cannot be used", "--source", "stomps://localhost/queue/a",
            "--source-tls-authorities", rig.folder / "nothing")
    refused("there is no flag --sauce", "--sauce", "x")


def case_one_folder_each(rig):
    """two drains do not share a data folder, nor does a drain with a broker."""
    site = Site(rig)
    drain = site.drain()
    for folder in (drain.data, site.broker.data):
        done = site.broker.run("drain", "--source", source_of(site.broker), "--data", folder,
                               check=False)
        assert done.returncode == 1 and b"another stompbox works on" in done.stderr, done
    drain.stop()


def run_puppetqd(rig, *arguments, check=True):
    """Under its own name, by a link."""
    link = rig.folder / "puppetqd"
    if not link.is_symlink():
        link.symlink_to(rig.exe)
    done = subprocess.run([str(word) for word in (link, *arguments)], capture_output=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, done
    return done


def write_conf(rig, broker, main="", more=""):
    var = rig.folder / "var"
    var.mkdir()
    conf = rig.folder / "puppet.conf"
    conf.write_text(f"""
# as on a master
[main]
    vardir = {var}
    logdir = $vardir/log   {{ mode = 750 }}
    rundir = ${{vardir}}/run
    queue_source = stomp://127.0.0.1:{broker.port}/
    dblocation = $statedir/nodes.sqlite3
    {main}
{more}
""", encoding="ascii")
    return conf, var


def case_puppetqd_daemon(rig):
    """under the name puppetqd it reads puppet.conf, goes to the background, and stores."""
    site = Site(rig)
    conf, var = write_conf(rig, site.broker, more="[master]\n  dbadapter = mysql\n")
    play.whole(site.broker.port, captures.read("catalog-3.8.7.bin"))
    run_puppetqd(rig, "--config", conf, "--logdest", var / "puppetqd.log")
    pid = int((var / "run" / "puppetqd.pid").read_text(encoding="ascii"))
    try:
        wait_until(lambda: site.broker.backlog("catalog") == 0, "all is stored")
        captures.check_database(var / "state" / "nodes.sqlite3", "catalog-3.8.7.bin")
        log = (var / "puppetqd.log").read_text(encoding="utf-8")
        assert "does not read [master]" in log and "dbadapter" in log, log
        assert pathlib.Path(f"/proc/{pid}/cwd").resolve() == pathlib.Path("/")
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or ended(pid), "it has ended")
    wait_until(lambda: not (var / "run" / "puppetqd.pid").exists(), "the pid file is gone")


def ended(pid):
    """Whether only its entry is left, which nobody collects where process 1 does not."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] == "Z"


def case_puppetqd_refuses(rig):
    """puppetqd says in one sentence what it cannot do."""
    site = Site(rig)
    conf, _ = write_conf(rig, site.broker)

    def refused(words, *arguments):
        done = run_puppetqd(rig, "--config", conf, "--no-daemonize", *arguments, check=False)
        assert done.returncode == 1 and words in done.stderr.decode(), done
        assert done.stderr.count(b"\n") == 1, done
    refused("dbadapter postgresql is not supported", "--dbadapter", "postgresql")
    refused("dbadapter oracle_enhanced is not", "--dbadapter=oracle_enhanced")
    refused("queue_source is no STOMP URL", "--queue_source", "tcp://localhost:61613")
    refused("queue_type amqp is not known", "--queue-type", "amqp")
    refused("unexpected argument", "start")
    assert run_puppetqd(rig, "--version").stdout.startswith(b"stompbox ")
    assert b"--no-daemonize" in run_puppetqd(rig, "-h").stdout


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
