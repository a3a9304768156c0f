#!/usr/bin/env python3
"""A real MCollective: Debian's mcollectived and mco, three nodes and a client, on the broker."""

import json
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from certificates import make_authority, make_certificate
from waiting import wait_until

NODES = ("node1.example", "node2.example", "node3.example")
CLIENT = "admin.example"
RULES = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "rules" / "mcollective.toml"
SERVERS, ADMINS = "mcollective-servers", "mcollective-admins"
RABBITMQ = ("--profile", "rabbitmq")


class Mcollective:
    """Daemons and client of one broker. `settings` go to all of them, `pool` to the first (and
    only) host of their connector."""

    def __init__(self, broker, folder, connector="activemq", port=None, settings=(), pool=None):
        self.broker = broker
        self.folder = folder
        self.connector = connector
        self.port = port or broker.port
        self.settings = dict(settings)
        self.pool = pool or (lambda identity: {})
        self._daemons = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for daemon in self._daemons:
            daemon.send_signal(signal.SIGTERM)
        for daemon in self._daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def configure(self, identity, **settings):
        """Writes the configuration of one identity and returns its file."""
        classes = self.folder / f"{identity}.classes"
        classes.write_text("country::uk\n" if identity == NODES[0] else "country::fr\n",
                           encoding="ascii")
        plugin = f"plugin.{self.connector}."
        pool = {"host": "localhost", "port": self.port, **self.pool(identity)}
        lines = {
            "main_collective": "mcollective", "collectives": "mcollective",
            "libdir": "/usr/share/mcollective/plugins", "identity": identity,
            "securityprovider": "psk", "plugin.psk": "secret", "connector": self.connector,
            "direct_addressing": 1, "classesfile": classes, plugin + "pool.size": 1,
            **{plugin + "pool.1." + name: value for name, value in pool.items()},
            **{name.replace("CONNECTOR.", plugin): value
               for name, value in self.settings.items()},
            **settings}
        path = self.folder / f"{identity}.cfg"
        path.write_text("".join(f"{name} = {value}\n" for name, value in lines.items()),
                        encoding="utf-8")
        return path

    def start(self, *identities):
        for identity in identities:
            log = self.folder / f"{identity}.log"
            settings = {"logger_type": "file", "logfile": log, "loglevel": "info", "daemonize": 0}
            command = ["mcollectived", "--no-daemonize", "--config",
                       str(self.configure(identity, **settings))]
            with (self.folder / f"{identity}.out").open("ab") as output:
                self._daemons.append(subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output))
        return self

    def wait_ready(self, count=len(NODES)):
        """Until so many take directed requests, which they subscribe to last."""
        def ready():
            ended = [daemon.poll() for daemon in self._daemons if daemon.poll() is not None]
            assert not ended, f"daemons ended: {ended}\n{self.logs()}"
            return self.broker.queue("mcollective.nodes")["consumers"] == count
        try:
            wait_until(ready, f"{count} daemons listen", 40)
        except AssertionError:
            print(self.logs())
            raise

    def logs(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
                       for path in sorted(self.folder.glob("node*.log"))
                       + sorted(self.folder.glob("node*.out")))

    def mco(self, application, *words, identity=CLIENT, settings=None):
        """Runs mco to its end; returns (exit code, all that it printed)."""
        config = self.configure(identity, logger_type="console", loglevel="warn", color=0,
                                **(settings or {}))
        done = subprocess.run(["mco", application, "-c", str(config), *map(str, words)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def expect(self, wanted, application, *words, **how):
        """Exactly these identities have to be named by what mco prints."""
        code, text = self.mco(application, *words, **how)
        named = sorted(set(re.findall(r"[\w.-]+\.example", text)) - {CLIENT})
        assert (code, named) == (0, sorted(wanted)), f"{code} {named}\n{text}\n{self.logs()}"
        return text

    def answers(self, *words, **how):
        """Runs mco rpc and returns {sender: data}; every answer has to be good."""
        code, text = self.mco("rpc", "-j", *words, **how)
        start = text.find("[")
        assert code == 0 and start >= 0, f"{code}\n{text}\n{self.logs()}"
        parsed = json.loads(text[start:text.rindex("]") + 1])
        assert all(answer["statuscode"] == 0 for answer in parsed), parsed
        return {answer["sender"]: answer["data"] for answer in parsed}

    def ask_all_ways(self):
        """Broadcast, discovery with a filter, a request after it, and directed requests."""
        self.expect(NODES, "ping", "-t", "2")
        self.expect(NODES[:1], "find", "-C", "country::uk")
        everybody = self.answers("rpcutil", "get_config_item", "item=identity")
        assert {sender: data["value"] for sender, data in everybody.items()} == {
            node: node for node in NODES}, everybody
        assert list(self.answers("rpcutil", "ping", "-I", NODES[1])) == [NODES[1]]


def tls_broker(rig, name, users, *arguments):
    """A broker that lets in who shows a certificate, under its common name."""
    authority = make_authority(rig.folder)
    server = make_certificate(rig.folder, authority, "broker", kind="rsa")
    people = rig.folder / "users"
    people.write_text("".join(f"{user}:-:{group}\n" for user, group in users.items()),
                      encoding="ascii")
    people.chmod(0o600)
    broker = rig.broker(
        "--listen", "tls://127.0.0.1:0?clients=require", "--tls-certificate", server.certificate,
        "--tls-key", server.key, "--tls-authorities", authority.certificate,
        "--certificate-login", "cn", "--users", people, "--rules", RULES, *arguments, name=name)
    lines = (broker.folder / "ready").read_text(encoding="ascii").splitlines()

    def pool(identity):
        made = make_certificate(rig.folder, authority, identity, f"DNS:{identity}", kind="rsa")
        return {"ssl": 1, "ssl.ca": authority.certificate, "ssl.cert": made.certificate,
                "ssl.key": made.key}
    return broker, int(lines[1].rpartition(":")[2]), pool


def case_plain(rig):
    """plain STOMP 1.0: ping, find, rpc and directed requests reach whom they are for"""
    broker = rig.broker("--catalog-store", "none")
    with Mcollective(broker, rig.folder).start(*NODES) as site:
        site.wait_ready()
        site.ask_all_ways()
        by_broadcast = site.answers("rpcutil", "ping", settings={"direct_addressing_threshold": 0})
        assert sorted(by_broadcast) == sorted(NODES), by_broadcast
        broker.kill()
        broker.wanted_port = broker.port
        broker.start()
        site.wait_ready()
        site.expect(NODES[2:], "rpc", "rpcutil", "ping", "-I", NODES[2])


def case_absent_nodes(rig):
    """300 requests that wait for absent nodes delay nobody else's, and a late node gets its own"""
    broker = rig.broker("--catalog-store", "none")
    absent = rig.folder / "absent.txt"
    absent.write_text("".join(f"absent{number}.example\n" for number in range(299))
                      + NODES[2] + "\n", encoding="ascii")
    with Mcollective(broker, rig.folder).start(*NODES[:2]) as site:
        site.wait_ready(2)
        code, text = site.mco("rpc", "--no-results", "rpcutil", "ping", "--nodes", absent)
        assert code == 0, text
        wait_until(lambda: broker.backlog("mcollective.nodes") == 300, "all of them wait")
        text = site.expect(NODES[1:2], "rpc", "rpcutil", "ping", "-I", NODES[1])
        milliseconds = float(re.search(r"1 / 1 hosts in ([\d.]+) ms", text)[1])
        assert milliseconds < 1500, text
        site.start(NODES[2])
        wait_until(lambda: broker.backlog("mcollective.nodes") == 299, "the late node has its own")


def case_heart_beats(rig):
    """STOMP 1.1 with heart-beats: ping, find, rpc and directed requests do as in 1.0"""
    broker = rig.broker("--catalog-store", "none")
    settings = {"CONNECTOR.heartbeat_interval": 30, "CONNECTOR.stomp_1_0_fallback": 0}
    with Mcollective(broker, rig.folder, settings=settings).start(*NODES) as site:
        site.wait_ready()
        site.ask_all_ways()


def case_tls_and_split_rules(rig):
    """client certificates and the split rules: staff ask, nodes answer, and no node asks"""
    users = {CLIENT: ADMINS, **{node: SERVERS for node in NODES}}
    broker, port, pool = tls_broker(rig, "broker", users, "--catalog-store", "none")
    with Mcollective(broker, rig.folder, port=port, pool=pool).start(*NODES) as site:
        site.wait_ready()
        site.ask_all_ways()
        broadcasts = broker.status()["connections_total"]
        code, text = site.mco("ping", "-t", "2", identity=NODES[0])
        assert not re.search(r"time=[\d.]+ ms", text), (code, text)
        assert broker.status()["connections_total"] - broadcasts == 1, broker.log()


def case_denied_user(rig):
    """a denied user's mco makes one connection and says why it may not"""
    users = {"nobody.example": "visitors"}
    broker, port, pool = tls_broker(rig, "broker", users, "--catalog-store", "none")
    with Mcollective(broker, rig.folder, port=port, pool=pool) as site:
        code, text = site.mco("ping", "-t", "2", identity="nobody.example")
        assert code != 0 and text.count("Access denied") == 1, (code, text)
        assert "you may not read" in text and "mcollective.reply.nobody.example_" in text, text
    wait_until(lambda: broker.status()["connections"] == 0, "it is gone")
    assert broker.status()["connections_total"] == 1, broker.log()
    denials = re.findall(r" denied .* user=nobody\.example operation=read "
                         r"destination=/queue/mcollective\.reply\.nobody\.example_", broker.log())
    assert len(denials) == 1, broker.log()


def case_rabbitmq_connector(rig):
    """the rabbitmq connector: broadcast, directed requests, and replies to temporary queues"""
    broker = rig.broker("--catalog-store", "none", *RABBITMQ)
    settings = {"CONNECTOR.vhost": "/mcollective"}
    with Mcollective(broker, rig.folder, "rabbitmq", settings=settings).start(*NODES) as site:
        # Each listens for broadcasts of two agents, and for what is directed to it.
        wait_until(lambda: broker.status()["routing"]["subscriptions"] == 3 * len(NODES),
                   "they listen")
        site.ask_all_ways()


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
