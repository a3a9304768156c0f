#!/usr/bin/env python3
"""The verbs of the command line against a running broker: what they print, and their exit codes."""

import json
import os
import pathlib
import pty
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from waiting import wait_until

SAMPLES = cases.DATA / "samples"
GOOD = next(SAMPLES.glob("04-*"))
FACTS = next(SAMPLES.glob("07-*"))
POISON = next(SAMPLES.glob("09-*"))


def at(broker, *words):
    """Flags of send and receive that lead to the broker."""
    return (*words, "--broker", f"tcp://127.0.0.1:{broker.port}")


def on(broker, *words):
    """Flags of the verbs that look at the broker or its database."""
    return (*words, "--data", broker.data)


def told(done):
    """What a verb said on standard error."""
    return done.stderr.decode()


def run_alone(rig, *words, stdin=b"", **environment):
    """A verb without a broker."""
    return subprocess.run([str(word) for word in (rig.exe, *words)], input=stdin, cwd=rig.folder,
                          capture_output=True, timeout=60, check=False,
                          env={**os.environ, **environment})


def as_json(done):
    return json.loads(done.stdout)


# send and receive

def case_body_of_an_argument(rig):
    """What send takes from an argument, a file or standard input, receive prints."""
    broker = rig.broker()
    story = rig.folder / "story"
    story.write_bytes(b"from a file")
    broker.run(*at(broker, "send", "work", "from an argument", "--receipt"))
    broker.run(*at(broker, "send", "work", "--file", story, "--receipt"))
    broker.run(*at(broker, "send", "/queue/work", "--receipt"), stdin=b"from standard input\n")
    done = broker.run(*at(broker, "receive", "work", "--count", "3", "--timeout", "20s"))
    assert done.stdout == b"from an argument\nfrom a file\nfrom standard input\n", done
    assert broker.backlog("work") == 0


def case_headers_travel(rig):
    """Headers and content type that send is given stand in what receive --headers prints."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "work", "x", "--header", "colour:a:b", "--header", "shape:round",
                   "--content-type", "text/plain"))
    done = broker.run(*at(broker, "receive", "work", "--headers", "--timeout", "20s"))
    lines = done.stdout.decode().split("\n")
    for line in ("colour: a:b", "shape: round", "content-type: text/plain",
                 "destination: /queue/work", "", "x"):
        assert line in lines, (line, lines)


def case_receive_json(rig):
    """receive --json prints one object a line, bodies that are no text as base64."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "work", "--receipt"), stdin=b"text")
    broker.run(*at(broker, "send", "work", "--receipt"), stdin=b"\xff\x00")
    done = broker.run(*at(broker, "receive", "work", "--json", "--count", "2", "--timeout", "20s"))
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["body"] == "text", first
    assert second["body_base64"] == "/wA=", second
    assert ["destination", "/queue/work"] in first["headers"], first


@cases.each({"mode": "individual"}, {"mode": "client"}, {"mode": "auto"})
def case_count_takes_no_more(rig, mode):
    """receive --count 2 --ack {mode} leaves the other messages where they are, untouched."""
    broker = rig.broker()
    for body in ("one", "two", "three", "four"):
        broker.run(*at(broker, "send", "work", body, "--receipt"))
    done = broker.run(*at(broker, "receive", "work", "--count", "2", "--ack", mode, "--timeout",
                          "20s"))
    assert done.stdout == b"one\ntwo\n", done
    wait_until(lambda: broker.queue("work")["waiting"] == 2, "two messages wait", 20)
    rest = broker.run(*at(broker, "receive", "work", "--count", "2", "--headers", "--timeout",
                          "20s")).stdout
    assert b"three" in rest and b"four" in rest and b"redelivered" not in rest, rest


def case_receive_times_out(rig):
    """receive fails when fewer messages come than were asked for, and not with --follow."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "work", "only one", "--receipt"))
    done = broker.run(*at(broker, "receive", "work", "--count", "2", "--timeout", "100ms"),
                      check=False)
    assert (done.returncode, done.stdout) == (1, b"only one\n"), done
    assert "got 1 of 2" in told(done), done
    done = broker.run(*at(broker, "receive", "work", "--follow", "--timeout", "100ms"))
    assert done.stdout == b"", done


def case_dead_control_socket(rig):
    """a verb names the control socket that it was given and where nobody answers."""
    path = rig.folder / "nobody.sock"
    done = run_alone(rig, "queues", "--control-socket", path)
    assert done.returncode == 1, done
    assert f"no broker answers at the control socket {path}" in told(done), done
    assert "./var" not in told(done), done


def case_refused_send(rig):
    """A send to no destination fails with the broker's own sentence."""
    broker = rig.broker()
    done = broker.run(*at(broker, "send", "/nowhere/x", "body"), check=False)
    assert done.returncode == 1 and "the broker says" in told(done), done


# login

def case_login(rig):
    """A broker with a users file lets in who passwd wrote into it, and nobody else."""
    users = rig.folder / "users"
    made = run_alone(rig, "passwd", "puppet", "--users", users, stdin=b"se:cret\n")
    assert made.returncode == 0, made
    assert users.stat().st_mode & 0o777 == 0o600
    broker = rig.broker("--users", users)
    send = at(broker, "send", "work", "x", "--receipt", "--user", "puppet")
    done = run_alone(rig, *send, STOMPBOX_PASSCODE="se:cret")
    assert done.returncode == 0, done
    passcode = rig.folder / "passcode"
    passcode.write_text("se:cret\n", encoding="utf-8")
    broker.run(*send, "--passcode-file", passcode)
    done = run_alone(rig, *send, STOMPBOX_PASSCODE="wrong")
    assert done.returncode == 1 and "check --user" in told(done), done
    done = broker.run(*at(broker, "send", "work", "x"), check=False)
    assert done.returncode == 1 and "--user" in told(done), done


def case_no_passcode(rig):
    """--user without a passcode says where to put one."""
    done = run_alone(rig, "send", "work", "x", "--user", "puppet")
    assert done.returncode == 2 and "STOMPBOX_PASSCODE" in told(done), done


def case_passwd_changes_and_deletes(rig):
    """passwd gives a user another hash and takes a user out; who is not there is told."""
    users = rig.folder / "users"
    passwd = ("passwd", "puppet", "--users", users)
    assert run_alone(rig, *passwd, stdin=b"one\n").returncode == 0
    before = users.read_text(encoding="utf-8")
    assert before.startswith("puppet:$y$"), before
    assert run_alone(rig, *passwd, stdin=b"two\n").returncode == 0
    after = users.read_text(encoding="utf-8")
    assert after != before and len(after.splitlines()) == 1, after
    assert run_alone(rig, *passwd, "--delete").returncode == 0
    assert "puppet" not in users.read_text(encoding="utf-8")
    done = run_alone(rig, *passwd, "--delete")
    assert done.returncode == 1 and "puppet" in told(done), done
    assert run_alone(rig, *passwd, stdin=b"\n").returncode == 2
    done = run_alone(rig, "passwd", "puppet", stdin=b"x\n")
    assert done.returncode == 2 and "--users" in told(done), done


def case_passwd_on_a_terminal(rig):
    """On a terminal passwd asks twice, without showing what is typed."""
    users = rig.folder / "users"
    process, terminal = pty.fork()
    if process == 0:
        os.execv(rig.exe, [str(rig.exe), "passwd", "puppet", "--users", str(users)])
    shown = b""

    def read_until(text):
        nonlocal shown
        while text not in shown:
            shown += os.read(terminal, 1024)

    read_until(b"Passcode for puppet: ")
    os.write(terminal, b"secret\n")
    read_until(b"The same again: ")
    os.write(terminal, b"secret\n")
    _, code = os.waitpid(process, 0)
    os.close(terminal)
    assert code == 0 and b"secret" not in shown, shown
    assert users.read_text(encoding="utf-8").startswith("puppet:$y$")


# looking at the broker

def case_status_and_queues(rig):
    """status and queues tell of a running broker, for people and as JSON."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "work", "x" * 2000, "--receipt"))
    text = broker.run(*on(broker, "status")).stdout.decode()
    assert f"tcp://127.0.0.1:{broker.port}" in text and "1 message" in text, text
    status = as_json(broker.run(*on(broker, "status", "--json")))
    assert status["messages"] == 1 and status["drain"]["enabled"] is True, status
    text = broker.run(*on(broker, "queues")).stdout.decode()
    assert text.startswith("QUEUE") and "work" in text, text
    queues = as_json(broker.run(*on(broker, "queues", "--json")))["queues"]
    assert [queue["waiting"] for queue in queues if queue["name"] == "work"] == [1], queues


def case_lost(rig):
    """status, queues and the log tell how many messages policies have given up."""
    broker = rig.broker("--topic-when-slow", "drop-oldest", "--topic-backlog-count-max", "3",
                        "--queue-messages-max", "2", "--queue-when-full", "drop-oldest")
    assert "lost" not in broker.run(*on(broker, "status")).stdout.decode()
    with broker.client() as slow, broker.client() as sender:
        slow.subscribe("/topic/news", ack="client-individual", **{"prefetch-count": "1"})
        for number in range(10):  # one is with the subscriber, three wait
            sender.send("/topic/news", b"%d" % number, receipt=True)
            sender.send("/queue/work", b"%d" % number, receipt=True)
        first = slow.message()
        slow.ack(first)
        assert (first.body, slow.message().body) == (b"0", b"7")
    status = as_json(broker.run(*on(broker, "status", "--json")))
    assert status["routing"]["topic_dropped"] == 6 and status["messages_dropped"] == 8, status
    text = broker.run(*on(broker, "status")).stdout.decode()
    assert "6 messages to slow topic subscribers, 8 messages of full queues" in text, text
    assert broker.queue("work")["dropped"] == 8
    for event in ("topic-messages-lost", "queue-messages-lost"):
        wait_until(lambda: event in broker.log(), f"the log has a line of {event}")
        counts = re.findall(event + r" count=(\d+) since_start=(\d+)", broker.log())
        assert len(counts) == 1 and counts[0][0] == counts[0][1], counts
    broker.run(*on(broker, "queues", "delete", "work"))
    text = broker.run(*on(broker, "status")).stdout.decode()
    assert "8 messages of full queues" in text, text


def case_browse(rig):
    """browse shows messages, goes on where it ended, and takes nothing."""
    broker = rig.broker()
    for number in range(5):
        broker.run(*at(broker, "send", "work", f"message {number}", "--receipt"))
    text = broker.run(*on(broker, "browse", "work", "--count", "3")).stdout.decode()
    assert "message 0" in text and "message 2" in text and "message 3" not in text, text
    place = text.rpartition("--from ")[2].strip()
    rest = as_json(broker.run(*on(broker, "browse", "/queue/work", "--json", "--from", place)))
    assert [message["body"] for message in rest["messages"]] == ["message 3", "message 4"], rest
    assert broker.queue("work")["waiting"] == 5
    done = broker.run(*on(broker, "browse", "wrok"), check=False)
    assert done.returncode == 1 and "wrok" in told(done), done


def case_no_broker(rig):
    """Who asks where no broker runs is told how to start one; for Nagios that is CRITICAL."""
    for words in (("status",), ("queues",), ("browse", "x"), ("dead-letters", "list")):
        done = run_alone(rig, *words, "--data", rig.folder / "nothing")
        assert done.returncode == 1 and "no broker runs on" in told(done), done
        assert "stompbox serve --data" in told(done), done
    done = run_alone(rig, "send", "work", "x", "--broker", "tcp://127.0.0.1:1")
    assert done.returncode == 1 and "stompbox serve" in told(done), done
    done = run_alone(rig, "status", "--check", "--data", rig.folder / "nothing")
    assert done.returncode == 2 and done.stdout.startswith(b"STOMPBOX CRITICAL - "), done


def case_broker_gone(rig):
    """A broker that was killed leaves a socket that nobody mistakes for it."""
    broker = rig.broker()
    broker.kill()
    assert (broker.data / "control.sock").exists()
    done = broker.run(*on(broker, "status"), check=False)
    assert done.returncode == 1 and "no broker runs on" in told(done), done


def case_nagios(rig):
    """status --check has the exit codes of Nagios and meets its thresholds."""
    broker = rig.broker("--catalog-store", "none")
    check = on(broker, "status", "--check")
    done = broker.run(*check)
    assert done.stdout.startswith(b"STOMPBOX OK - "), done
    for _ in range(3):
        broker.run(*at(broker, "send", "catalog", "--file", GOOD, "--receipt"))
    done = broker.run(*check, "--warn-depth", "3", check=False)
    assert done.returncode == 1 and done.stdout.startswith(b"STOMPBOX WARNING - 3 cat"), done
    done = broker.run(*check, "--crit-depth", "3", check=False)
    assert done.returncode == 2 and done.stdout.startswith(b"STOMPBOX CRITICAL - 3 cat"), done
    assert done.stdout.count(b"\n") == 1 and b" | unstored=3;" in done.stdout, done
    done = broker.run(*check, "--warn-age", "0", check=False)
    assert done.returncode == 1 and b"oldest" in done.stdout, done


# dead letters

def case_dead_letters(rig):
    """A poison catalog is listed with its reason, replayed, and dropped."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "catalog", "--file", POISON, "--receipt"))
    wait_until(lambda: broker.backlog("dead-letter") == 1, "the letter is there", 20)
    text = broker.run(*on(broker, "dead-letters", "list")).stdout.decode()
    assert "unreadable" in text and "/queue/catalog" in text, text
    letters = as_json(broker.run(*on(broker, "dead-letters", "list", "--json")))["messages"]
    assert letters[0]["body_bytes"] == POISON.stat().st_size, letters
    first = letters[0]["id"]
    done = broker.run(*on(broker, "dead-letters", "replay", first))
    assert done.stdout == b"1 letter replayed\n", done
    # It dies again: the same message, behind the letters that came meanwhile.
    wait_until(lambda: broker.backlog("dead-letter") == 1, "the letter is back", 20)
    again = as_json(broker.run(*on(broker, "dead-letters", "list", "--json")))["messages"]
    assert again[0]["id"] == first and again[0]["place"] != letters[0]["place"], again
    assert again[0]["body_bytes"] == letters[0]["body_bytes"], again
    done = broker.run(*on(broker, "dead-letters", "drop", "1-999"), check=False)
    assert done.returncode == 1 and "1-999" in told(done), done
    done = broker.run(*on(broker, "dead-letters", "drop", "--all"))
    assert done.stdout == b"1 letter dropped\n", done
    assert broker.backlog("dead-letter") == 0
    done = broker.run(*on(broker, "dead-letters", "drop"), check=False)
    assert done.returncode == 2 and "--all" in told(done), done


# the database

def case_catalogs(rig):
    """nodes, resources and facts show what was stored, while the broker runs and after it."""
    broker = rig.broker()
    broker.run(*at(broker, "send", "catalog", "--file", GOOD, "--receipt"))
    broker.run(*at(broker, "send", "facts", "--file", FACTS, "--receipt"))
    broker.wait_drained()
    for running in (True, False):
        if not running:
            broker.stop()
        nodes = {row["name"]: row for row in as_json(broker.run(*on(broker, "nodes", "--json")))}
        name, node = max(nodes.items(), key=lambda item: item[1]["exported"])
        assert node["exported"] > 0, nodes
        rows = as_json(broker.run(*on(broker, "resources", "--exported", "yes", "--json")))
        assert len(rows) == sum(row["exported"] for row in nodes.values()), rows
        row = rows[0]
        same = as_json(broker.run(*on(broker, "resources", row["type"].lower(), "--json", "--title",
                                      row["title"], "--node", name, "--tag", row["tags"][0])))
        assert same == [row], same
        parameter, values = next(iter(row["parameters"].items()))
        found = as_json(broker.run(*on(broker, "resources", "--param", f"{parameter}={values[0]}",
                                       "--json")))
        assert row in found, found
        text = broker.run(*on(broker, "resources", "--node", name)).stdout.decode()
        assert f"{row['type']}[{row['title']}]" in text, text
        facts = as_json(broker.run(*on(broker, "facts", "web1.example.test", "--json")))
        assert facts["kernel"] == ["Linux"], facts
        text = broker.run(*on(broker, "facts", "web1.example.test")).stdout.decode()
        assert "kernel" in text, text
    done = broker.run(*on(broker, "facts", "web9.example.test"), check=False)
    assert done.returncode == 1 and "web9.example.test" in told(done), done


def case_no_database(rig):
    """Verbs that read the database say so when there is none."""
    done = run_alone(rig, "nodes", "--data", rig.folder / "nothing")
    assert done.returncode == 1 and "nothing" in told(done), done
    done = run_alone(rig, "nodes", "--catalog-store", "none")
    assert done.returncode == 2 and "--catalog-store" in told(done), done


# configuration and misuse

def case_config(rig):
    """config show prints a file that config check takes; a wrong key is named with its nearest."""
    shown = run_alone(rig, "config", "show", "--data", "/srv/box")
    assert shown.returncode == 0 and b"/srv/box" in shown.stdout, shown
    for name in ("show", "sample"):
        file = rig.folder / f"{name}.toml"
        file.write_bytes(run_alone(rig, "config", name).stdout)
        done = run_alone(rig, "config", "check", "--config", file)
        assert done.returncode == 0 and b"is right" in done.stdout, done
    wrong = rig.folder / "wrong.toml"
    wrong.write_text("[data]\nfoldre = 'x'\n", encoding="utf-8")
    done = run_alone(rig, "config", "check", "--config", wrong)
    assert done.returncode == 2 and "folder" in told(done), done


@cases.each({"words": "sned work", "near": "send"},
            {"words": "dead-leters list", "near": "dead-letters"},
            {"words": "dead-letters repaly x", "near": "replay"},
            {"words": "send work x --recipt", "near": "--receipt"},
            {"words": "status --jsno", "near": "--json"},
            {"words": "serve --lisen=tcp://x", "near": "--listen"},
            {"words": "--dta x", "near": "--data"})
def case_misspelt(rig, words, near):
    """'{words}' is misuse, and {near} is named"""
    done = run_alone(rig, *words.split())
    assert done.returncode == 2, done
    assert f"did you mean '{near}'?" in told(done) and done.stdout == b"", done


@cases.each({"words": "send"}, {"words": "receive work --count 0"}, {"words": "dead-letters"},
            {"words": "receive work --ack maybe"}, {"words": "receive work --timeout soon"},
            {"words": "send work x --file y"}, {"words": "queues work"}, {"words": "config"},
            {"words": "status --warn-depth 3"}, {"words": "send work x --header nocolon"},
            {"words": "resources --param nothing"}, {"words": "nodes --catalog-store mysql2:x"})
def case_misuse(rig, words):
    """'{words}' is misuse: a sentence and exit code 2"""
    done = run_alone(rig, *words.split())
    assert done.returncode == 2 and told(done).startswith("stompbox: "), done
    assert done.stdout == b"", done


def verbs_of(rig, *words):
    """The verbs that a help text lists."""
    text = run_alone(rig, *words, "--help").stdout.decode()
    _, _, listed = text.partition("Subcommands:\n")
    names = []
    for line in listed.splitlines():
        if not line.strip():
            break
        if line.startswith("  ") and line[2] != " ":
            names.append((*words, line.split()[0]))
    return names


def case_help(rig):
    """Every verb has a help text with an example, or is of a noun that has one."""
    verbs = verbs_of(rig)
    assert len(verbs) >= 12, verbs
    for verb in verbs:
        done = run_alone(rig, *verb, "--help")
        assert done.returncode == 0 and b"Example" in done.stdout and not done.stderr, verb
        for inner in verbs_of(rig, *verb):
            done = run_alone(rig, *inner, "--help")
            assert done.returncode == 0 and b"--" in done.stdout, inner
    done = run_alone(rig, "--version")
    assert done.returncode == 0 and done.stdout.startswith(b"stompbox "), done


def case_queue_orders(rig):
    """queues purge, move and delete, and reset do what they say, and say what they did."""
    broker = rig.broker()
    with broker.client() as client:
        for name in ("work.a", "work.a", "work.a", "work.b", "rest"):
            client.send(f"/queue/{name}", b"x", receipt=True)

    def told(*words, code=0):
        done = broker.run(*on(broker, *words), check=False)
        assert done.returncode == code, done
        return (done.stdout or done.stderr).decode().strip()

    assert told("queues", "move", "work.a", "later", "--count", "2") == \
        "2 messages moved from work.a to later"
    assert json.loads(told("queues", "purge", "later", "--json"))["messages"] == 2
    assert told("queues", "purge", "--all-matching", "work.>") == "2 messages purged from 2 queues"
    assert told("queues", "delete", "work.a") == "queue work.a deleted, with 0 messages"
    assert "no queue 'nosuch'" in told("queues", "purge", "nosuch", code=1)
    assert "--yes" in told("reset", code=2)
    assert told("reset", "--yes") == "the broker is empty: 1 message deleted"
    assert "rest" not in told("queues")


def case_check_misused(rig):
    """status --check says UNKNOWN, 3, when it is misused: Nagios would take 2 for CRITICAL."""
    done = rig.broker().run("status", "--check", "--warn-depth", "many", check=False)
    assert done.returncode == 3 and done.stdout.startswith(b"STOMPBOX UNKNOWN - "), done
    assert b"--warn-depth takes a number, not 'many'" in done.stdout, done


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
