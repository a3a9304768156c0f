#!/usr/bin/env python3
"""Users, groups, rules and bounds at the door, tried against the real program."""

import pathlib
import signal
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from cases import each
from drain_process import Drain
from stomp_wire import Client, Closed, Refused
from waiting import wait_until

RULES = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "rules"
NODE, OTHER_NODE = "node1.example.com", "node2.example.com"
ADMIN, NOC = "admin.example.com", "noc.example.com"
GROUPS = {NODE: "mcollective-servers", OTHER_NODE: "mcollective-servers",
          ADMIN: "mcollective-admins", NOC: "mcollective-noc"}
PASSCODE = "secret"
# Holds that last as long as a test can wait for.
QUICK_HOLDS = ("--error-hold", "100ms", "--failure-hold-max", "100ms")

NODES = "/queue/mcollective.nodes"
AGENTS = "/topic/mcollective.agents"


def replies_to(identity, process=14505, request=1):
    return f"/queue/mcollective.reply.{identity}_{process}.{request}"


def broadcast(agent):
    return f"/topic/mcollective.{agent}.agent"


def make_user(rig, users, name, *more):
    rig.broker(start=False, name="tool").run("passwd", name, "--users", users, *more,
                                             stdin=PASSCODE.encode() + b"\n")


def broker_with(rig, rules, groups, *arguments):
    """A broker with users of these groups, who all have the one passcode."""
    users = rig.folder / "users"
    for name, group in groups.items():
        make_user(rig, users, name, *(("--group", group) if group else ()))
    return rig.broker("--users", users, "--rules", rules, "--catalog-store", "none", *QUICK_HOLDS,
                      *arguments)


def mcollective(rig, *arguments):
    return broker_with(rig, RULES / "mcollective.toml", GROUPS, *arguments)


def log_in(broker, name, version="1.1"):
    return Client(broker.port, version=version, login=name, passcode=PASSCODE)


def subscribe(client, destination, **headers):
    client.frame("SUBSCRIBE", {"destination": destination, "id": destination, **headers},
                 receipt=True)


def send(client, destination, body, **headers):
    client.frame("SEND", {"destination": destination, **headers}, body)


def expect_refused(client, operation, destination):
    """One ERROR, and then the end of the connection; what the ERROR says."""
    frame = client.expect("ERROR")
    assert operation in frame.text() or operation in frame["message"], frame
    frames = []
    try:
        while True:
            frames.append(client.expect("ERROR", 10))
    except Closed:
        pass
    assert not frames, frames
    assert destination in frame.text() or destination in frame["message"], frame
    return frame


# MCollective ---------------------------------------------------------------------------------


def case_normal_flow(rig):
    """under the shipped rules MCollective's requests, directed requests and replies flow."""
    broker = mcollective(rig)
    nodes = {}
    for identity in (NODE, OTHER_NODE):
        node = nodes[identity] = log_in(broker, identity)
        subscribe(node, broadcast("discovery"))
        subscribe(node, AGENTS)
        subscribe(node, NODES, selector=f"mc_identity = '{identity}'")
        send(node, broadcast("registration"), b"here I am", mc_sender=identity)
    admin = log_in(broker, ADMIN)
    subscribe(admin, replies_to(ADMIN))
    send(admin, broadcast("discovery"), b"who is there?", mc_sender=ADMIN,
         **{"reply-to": replies_to(ADMIN)})
    for identity, node in nodes.items():
        request = node.message()
        assert request["reply-to"] == replies_to(ADMIN), request
        send(node, request["reply-to"], identity.encode(), mc_sender=identity)
    answers = {message.text() for message in admin.messages(2)}
    assert answers == set(nodes), answers

    for identity in (OTHER_NODE, NODE):
        send(admin, NODES, b"only you", mc_identity=identity, mc_sender=ADMIN)
        assert nodes[identity].message()["mc_identity"] == identity
    send(admin, AGENTS, b"multiplexed", mc_sender=ADMIN)
    for node in nodes.values():
        assert node.message().text() == "multiplexed"
    for client in (admin, *nodes.values()):
        client.frame("DISCONNECT", {}, receipt=True)


def case_limited_staff(rig):
    """staff with limited rights ask the agents that they may ask, and get their replies."""
    broker = mcollective(rig)
    node, noc = log_in(broker, NODE), log_in(broker, NOC)
    subscribe(node, broadcast("rpcutil"))
    subscribe(noc, replies_to(NOC))
    send(noc, broadcast("rpcutil"), b"ping", mc_sender=NOC, **{"reply-to": replies_to(NOC)})
    send(node, node.message()["reply-to"], b"pong", mc_sender=NODE)
    assert noc.message().text() == "pong"


@each(
    dict(what="another node's directed requests", destination=NODES,
         selector=f"mc_identity = '{OTHER_NODE}'"),
    dict(what="directed requests without a selector", destination=NODES),
    dict(what="directed requests with a selector that says more", destination=NODES,
         selector=f"mc_identity = '{NODE}' OR mc_identity LIKE '%'"),
    dict(what="directed requests by a pattern", destination="/queue/mcollective.>",
         selector=f"mc_identity = '{NODE}'"),
    dict(what="replies to a person", destination=replies_to(ADMIN)),
    dict(what="all replies by a pattern", destination="/queue/mcollective.reply.>"),
    dict(what="everything", destination="/queue/>"),
    dict(what="topics of others by a pattern", destination="/topic/mcollective.>"),
)
def case_node_reads(rig, what, destination, selector=None):
    """a node cannot read {what}."""
    broker = mcollective(rig)
    node = log_in(broker, NODE)
    headers = {"selector": selector} if selector else {}
    node.frame("SUBSCRIBE", {"destination": destination, "id": "1", **headers})
    expect_refused(node, "read", destination)


@each(
    dict(what="a directed request", destination=NODES,
         headers={"mc_identity": OTHER_NODE, "mc_sender": NODE}),
    dict(what="a broadcast", destination=broadcast("rpcutil"), headers={"mc_sender": NODE}),
    dict(what="a multiplexed broadcast", destination=AGENTS, headers={"mc_sender": NODE}),
    dict(what="a reply in another node's name", destination=replies_to(ADMIN),
         headers={"mc_sender": OTHER_NODE}),
    dict(what="a reply in nobody's name", destination=replies_to(ADMIN), headers={}),
    dict(what="a reply in two names", destination=replies_to(ADMIN),
         headers=[("mc_sender", OTHER_NODE), ("mc_sender", NODE)]),
)
def case_node_sends(rig, what, destination, headers):
    """a node cannot send {what}."""
    broker = mcollective(rig)
    admin, node = log_in(broker, ADMIN), log_in(broker, NODE)
    subscribe(admin, replies_to(ADMIN))
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    node.frame("SEND", [("destination", destination), *pairs], b"forged")
    expect_refused(node, "write", destination)
    # The rightful one gets nothing of it, and goes on.
    honest = log_in(broker, NODE)
    send(honest, replies_to(ADMIN), b"true", mc_sender=NODE)
    assert admin.message().text() == "true"


def case_reply_ahead(rig):
    """a node cannot lay a reply into a queue that nobody has asked for yet."""
    broker = mcollective(rig)
    node = log_in(broker, NODE)
    destination = replies_to(ADMIN, request=99)
    send(node, destination, b"ahead of time", mc_sender=NODE)
    expect_refused(node, "create", destination)


@each(
    dict(what="all replies by a pattern", destination="/queue/mcollective.reply.>"),
    dict(what="somebody else's replies", destination=replies_to(NOC)),
    dict(what="replies of a longer name", destination=replies_to(ADMIN + "_x.example.com")),
    dict(what="their own replies by a pattern that means more",
         destination=f"/queue/mcollective.reply.{ADMIN}*.*"),
    dict(what="somebody else's replies beside their own",
         destination=f"{replies_to(ADMIN)},{replies_to(NOC)}", denied=replies_to(NOC)),
    dict(what="directed requests", destination=NODES),
)
def case_admin_reads(rig, what, destination, denied=None):
    """administrators cannot read {what}."""
    broker = mcollective(rig)
    rightful = log_in(broker, NOC)
    subscribe(rightful, replies_to(NOC))
    admin = log_in(broker, ADMIN)
    admin.frame("SUBSCRIBE", {"destination": destination, "id": "1"})
    expect_refused(admin, "read", denied or destination)
    node = log_in(broker, NODE)
    send(node, replies_to(NOC), b"for you", mc_sender=NODE)
    assert rightful.message().text() == "for you"


@each(
    dict(what="directed requests", destination=NODES, headers={"mc_identity": NODE}),
    dict(what="broadcasts to other agents", destination=broadcast("package"), headers={}),
    dict(what="multiplexed broadcasts", destination=AGENTS, headers={}),
    dict(what="requests in another's name", destination=broadcast("rpcutil"),
         headers={"mc_sender": ADMIN}),
)
def case_staff_sends(rig, what, destination, headers):
    """staff with limited rights cannot send {what}."""
    broker = mcollective(rig)
    noc = log_in(broker, NOC)
    send(noc, destination, b"not mine to say", **{"mc_sender": NOC, **headers})
    expect_refused(noc, "write", destination)


# Rules in general -----------------------------------------------------------------------------

OWN_QUEUES = """
[[rule]]
allow = "all"
destination = "/queue/home.%u.>"
users = "+"
"""


def write_rules(rig, text):
    path = rig.folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def case_name_like_a_pattern(rig):
    """a user who is called like a pattern reads nothing but their own."""
    broker = broker_with(rig, write_rules(rig, OWN_QUEUES), {"a.>": None, "*": None})
    for name in ("a.>", "*"):
        for destination in ("/queue/home.a.victim.x", f"/queue/home.{name}.>", "/queue/home.>"):
            client = log_in(broker, name)
            client.frame("SUBSCRIBE", {"destination": destination, "id": "1"})
            expect_refused(client, "read", destination)


def case_log_of_denial(rig):
    """the log names user, address, operation and destination of what was denied."""
    broker = broker_with(rig, write_rules(rig, OWN_QUEUES), {"bob": None})
    bob = log_in(broker, "bob")
    send(bob, "/queue/payroll", b"x")
    expect_refused(bob, "write", "/queue/payroll")
    line = next(line for line in broker.log().splitlines() if " denied " in line)
    for part in ("user=bob", "peer=127.0.0.1", "operation=write", "/queue/payroll"):
        assert part in line, line


def case_hold(rig):
    """whoever keeps being denied is held, and longer each time, instead of coming back at once."""
    users = rig.folder / "users"
    make_user(rig, users, "bob")
    broker = rig.broker("--users", users, "--rules", write_rules(rig, OWN_QUEUES),
                        "--error-hold", "200ms", "--failure-hold-max", "800ms")
    held = []
    for _ in range(4):
        bob = log_in(broker, "bob")
        send(bob, "/queue/payroll", b"x")
        began = time.monotonic()
        expect_refused(bob, "write", "/queue/payroll")
        held.append(time.monotonic() - began)
    for seconds, least in zip(held, (0.2, 0.4, 0.8, 0.8)):
        assert seconds > least * 0.9, held


def case_reload(rig):
    """rules and users are read again at SIGHUP without losing a connection; broken ones change
    nothing and are logged."""
    rules = write_rules(rig, OWN_QUEUES)
    broker = broker_with(rig, rules, {"bob": None})
    bob = log_in(broker, "bob", "1.2")
    bob.send("/queue/home.bob.a", b"1", receipt=True)

    write_rules(rig, "[[rule]]\nallow = \"reed\"\nx = 1\n")
    broker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "rules-not-reloaded" in broker.log(), "the broken rules are logged", 10)
    assert "rules.toml:2: " in broker.log() and "rules.toml:3: " in broker.log(), broker.log_tail()
    bob.send("/queue/home.bob.a", b"2", receipt=True)

    before = broker.log().count("rules-loaded")
    write_rules(rig, OWN_QUEUES.replace("home", "office"))
    make_user(rig, rig.folder / "users", "eve")
    broker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: broker.log().count("rules-loaded") > before, "the rules are read again", 10)
    bob.send("/queue/office.bob.a", b"3", receipt=True)
    log_in(broker, "eve")
    bob.send("/queue/home.bob.a", b"4")
    expect_refused(bob, "write", "/queue/home.bob.a")


def case_removed_user(rig):
    """a user who is taken out of the file stays in, without rights, and does not come in again."""
    users = rig.folder / "users"
    for name in ("bob", "eve"):
        make_user(rig, users, name)
    broker = rig.broker("--users", users, *QUICK_HOLDS)
    bob = log_in(broker, "bob", "1.2")
    bob.send("/queue/a", b"1", receipt=True)
    broker.run("passwd", "bob", "--delete", "--users", users)
    before = broker.log().count("users-loaded")
    broker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: broker.log().count("users-loaded") > before, "the users are read again", 10)
    bob.send("/queue/a", b"2")
    expect_refused(bob, "write", "/queue/a")
    try:
        log_in(broker, "bob")
        raise AssertionError("bob came in again")
    except Refused:
        pass


# Puppet's queues --------------------------------------------------------------------------------


def puppet_broker(rig):
    return broker_with(rig, RULES / "puppet.toml", {"puppet": "masters", "drain": "drains"})


def case_drain_under_rules(rig):
    """under the shipped rules a `stompbox drain` stores catalogs, and its letters are replayed."""
    broker = puppet_broker(rig)
    database = rig.folder / "catalogs.sqlite3"
    source = f"stomp://drain@127.0.0.1:{broker.port}/queue/catalog"
    drain = Drain(rig.exe, rig.folder / "drain", source, f"sqlite:{database}", "--source-facts",
                  "/queue/facts", passcode=PASSCODE)
    rig._brokers.append(drain)
    drain.start()
    master = log_in(broker, "puppet")
    for body in (b"no catalog", catalogs.generation_message("web1", 1)):
        master.send("/queue/catalog", body, receipt=True)
    wait_until(lambda: broker.backlog("dead-letter") == 1, "the letter is there", 20)
    wait_until(lambda: broker.backlog("catalog") == 0, "all is acknowledged", 20)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as stored:
        assert catalogs.stored_generation(stored, "web1") == 1
    drain.stop()
    replayed = broker.run("dead-letters", "replay", "--all", "--data", broker.data)
    assert replayed.stdout == b"1 letter replayed\n", replayed
    assert broker.backlog("catalog") == 1


@each({"operation": "write", "destination": "/queue/catalog"},
      {"operation": "write", "destination": "/queue/facts"},
      {"operation": "write", "destination": "/queue/work"},
      {"operation": "write", "destination": "/topic/news"},
      {"operation": "read", "destination": "/queue/dead-letter"},
      {"operation": "read", "destination": "/queue/>"},
      {"operation": "read", "destination": "/topic/news"})
def case_drain_may_nothing_else(rig, operation, destination):
    """under the shipped rules a drain may not {operation} {destination}."""
    client = log_in(puppet_broker(rig), "drain", "1.2")
    if operation == "write":
        send(client, destination, b"x")
    else:
        client.frame("SUBSCRIBE", {"destination": destination, "id": "0"})
    expect_refused(client, operation, destination)


# The door -------------------------------------------------------------------------------------


def case_connections_per_address(rig):
    """an address has so many connections at once, and the next one is told so."""
    broker = rig.broker("--connections-per-address-max", "2", "--loopback-is-bounded", *QUICK_HOLDS)
    first, _second = broker.client(), broker.client()
    third = Client(broker.port, connect=False)
    frame = third.expect("ERROR")
    assert "too many connections" in frame.text() + frame["message"], frame
    first.frame("DISCONNECT", {}, receipt=True)
    first.close()

    def comes_in():
        try:
            return broker.client()
        except (Refused, Closed, ConnectionError):
            return None
    assert wait_until(comes_in, "there is room again", 10)


def case_connection_rate(rig):
    """an address that comes too fast is told so."""
    broker = rig.broker("--connection-burst-max", "3", "--connection-rate-max", "1",
                        "--loopback-is-bounded")
    clients = [Client(broker.port, connect=False) for _ in range(20)]
    frame = clients[-1].expect("ERROR")
    assert "too many new connections" in frame.text() + frame["message"], frame


def case_connections_per_user(rig):
    """a user has so many connections at once."""
    users = rig.folder / "users"
    for name in ("bob", "eve"):
        make_user(rig, users, name)
    broker = rig.broker("--users", users, "--connections-per-user-max", "1", *QUICK_HOLDS)
    log_in(broker, "eve")
    bob = log_in(broker, "bob")
    try:
        log_in(broker, "bob")
        raise AssertionError("bob came in twice")
    except Refused:
        assert wait_until(lambda: "user-turned-away" in broker.log(), "the log says so", 10)
    bob.frame("DISCONNECT", {}, receipt=True)


def case_empty_users_file(rig):
    """a users file without users is refused at the start, with the way out."""
    users = rig.folder / "users"
    users.write_text("# none yet\n", encoding="utf-8")
    users.chmod(0o600)
    tool = rig.broker(start=False)
    done = tool.run("serve", "--ephemeral", "--listen", "tcp://0.0.0.0:0", "--users", users,
                    check=False)
    told = done.stderr.decode()
    assert done.returncode == 1 and "nobody could log in" in told, told
    assert f"stompbox passwd NAME --users {users}" in told, told


def case_config_check(rig):
    """config check tells every mistake of the configuration, the users and the rules at once."""
    users, rules, config = (rig.folder / name for name in ("users", "rules", "config"))
    users.write_text("nonsense\na:b\n", encoding="utf-8")
    rules.write_text("[[rule]]\nallow = \"reed\"\n", encoding="utf-8")
    config.write_text("[log]\nlevle = 1\n[session]\nerror_hold = \"soon\"\n", encoding="utf-8")
    tool = rig.broker(start=False)

    def check(*arguments):
        done = tool.run("config", "check", *arguments, check=False)
        assert done.returncode != 0, done
        return done.stderr.decode()

    told = check("--config", config)
    assert f"{config}:2: " in told and f"{config}:4: " in told, told
    told = check("--users", users, "--rules", rules, "--catalog-owner", "nobody at all")
    for part in (f"{users}:1: ", f"{users}:2: ", f"{rules}:2: ", "no user nobody at all"):
        assert part in told, (part, told)
    tool.run("config", "check", "--rules", RULES / "mcollective.toml")


def case_policies_shown(rig):
    """config show prints policies, and what it prints is the same configuration."""
    config = rig.folder / "config"
    config.write_text("[[policy]]\npattern = \"/queue/mcollective.reply.>\"\nage_max = \"70s\"\n",
                      encoding="utf-8")
    tool = rig.broker(start=False)
    shown = tool.run("config", "show", "--config", config).stdout
    assert b"[[policy]]\npattern = \"/queue/mcollective.reply.>\"\nage_max = \"70s\"\n" in shown
    config.write_bytes(shown)
    assert tool.run("config", "show", "--config", config).stdout == shown


def case_groups(rig):
    """passwd sets groups, keeps them, and changes them without asking for a passcode."""
    users = rig.folder / "users"
    tool = rig.broker(start=False)
    make_user(rig, users, "bob", "--group", "a", "--group", "b c")
    assert users.read_text(encoding="utf-8").endswith(":a,b c\n")
    make_user(rig, users, "bob")
    assert users.read_text(encoding="utf-8").endswith(":a,b c\n")
    before = users.read_text(encoding="utf-8").split(":")
    tool.run("passwd", "bob", "--users", users, "--group", "d", "--keep-passcode")
    assert users.read_text(encoding="utf-8").split(":") == [*before[:2], "d\n"]
    tool.run("passwd", "node1", "--users", users, "--group", "d", "--no-passcode")
    assert "node1:-:d\n" in users.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
