#!/usr/bin/env python3
"""`stompbox bench` against a running broker: what it measures, and what it leaves behind."""

import json
import os
import pathlib
import pty
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from peers import ActiveMq, RabbitMq
from waiting import wait_until

MESSAGES = 2000


def words_of(broker, *words):
    return ["bench", *words, "--broker", f"tcp://127.0.0.1:{broker.port}"]


def bench(broker, *words, check=True):
    return broker.run(*words_of(broker, *words), check=check)


def measured(broker, *words):
    return json.loads(bench(broker, "--json", "--messages", MESSAGES, *words).stdout)


def started(rig, broker, *words, **settings):
    """One that runs; ended by the case."""
    return subprocess.Popen([str(word) for word in (rig.exe, *words_of(broker, *words))],
                            stdin=subprocess.DEVNULL, **settings)


def own_queues(broker):
    return [queue for queue in broker.ask("queues")["queues"]
            if queue["name"].startswith("stompbox-bench-")]


def case_everything_comes(rig):
    """all that producers send comes to the consumers once, and nothing is left"""
    broker = rig.broker()
    found = measured(broker, "--producers", "3", "--consumers", "2", "--persistent", "--size", "10")
    assert found["received"] == MESSAGES and found["persistent"] is True, found
    assert found["server"].startswith("stompbox"), found
    assert 0 < found["received_per_second"] <= 10_000_000, found
    latency = found["latency_us"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"] <= found["duration_us"], found
    queue, = own_queues(broker)
    assert queue["waiting"] + queue["in_flight"] + queue["consumers"] == 0, queue
    assert queue["enqueued"] == queue["acknowledged"] == MESSAGES, queue


def case_no_trace(rig):
    """a queue that had no persistent messages is gone when it ends"""
    broker = rig.broker()
    # Fewer than a queue keeps in memory: a slow consumer's are spilled, and then the disk knows it.
    bench(broker, "--messages", 900)
    assert own_queues(broker) == [], own_queues(broker)


def case_topic(rig):
    """of a topic each consumer gets each message"""
    found = measured(rig.broker(), "--destination", "/topic/t", "--consumers", "3", "--rate",
                     "5000")
    assert found["received"] == 3 * MESSAGES, found


def case_rate(rig):
    """--rate holds the producers back"""
    found = measured(rig.broker(), "--rate", "4000", "--producers", "2")
    assert 300_000 < found["duration_us"], found
    assert found["sent_per_second"] < 4400, found


def case_table(rig):
    """for people it prints a table, and no bar where there is no terminal"""
    done = bench(rig.broker(), "--messages", "100")
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == [
        "broker", "destination", "load", "clients", "sent", "received", "latency"], done
    assert "100 messages of 1024 bytes, not persistent" in lines[2], done
    assert done.stderr == b"", done


def case_bar(rig):
    """on a terminal a bar shows how far it is"""
    broker = rig.broker()
    terminal, other = pty.openpty()
    process = started(rig, broker, "--messages", "3000", "--rate", "2000", stdout=other,
                      stderr=other)
    os.close(other)
    seen = b""
    try:
        while chunk := os.read(terminal, 65536):
            seen += chunk
    except OSError:  # the other side is closed
        pass
    os.close(terminal)
    assert process.wait(20) == 0, seen
    assert b"measuring  [#" in seen and b"of 3,000 messages" in seen, seen


def case_foreign_messages(rig):
    """messages of somebody else are left where they are"""
    broker = rig.broker()
    with broker.client() as client:
        client.send("/queue/work", b"precious", receipt=True)
    done = bench(broker, "--destination", "work", "--messages", "10", check=False)
    assert done.returncode == 1 and b"/queue/work has messages that are not of this bench" in \
        done.stderr, done
    wait_until(lambda: broker.queue("work")["in_flight"] == 0, "it is back")
    assert b"precious" in broker.run("receive", "work", "--broker",
                                     f"tcp://127.0.0.1:{broker.port}").stdout


def case_interrupt(rig):
    """SIGINT ends it, its clients are gone, and nothing is left in its queue"""
    broker = rig.broker()
    process = started(rig, broker, "--messages", "1000000", "--rate", "20000", "--consumers", "2",
                      "--persistent", stderr=subprocess.PIPE)
    wait_until(lambda: any(queue["acknowledged"] > 100 for queue in own_queues(broker)),
               "messages flow")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1 and b"interrupted" in told, told
    wait_until(lambda: broker.status()["connections"] == 0, "its clients are gone")
    queue, = own_queues(broker)
    assert queue["waiting"] + queue["in_flight"] == 0, queue


def case_killed(rig):
    """when it is killed its clients end by themselves"""
    broker = rig.broker()
    process = started(rig, broker, "--messages", "1000000", "--rate", "20000")
    wait_until(lambda: any(queue["acknowledged"] > 100 for queue in own_queues(broker)),
               "messages flow")
    process.kill()
    process.wait()
    wait_until(lambda: broker.status()["connections"] == 0, "its clients are gone")


def case_broker_ends(rig):
    """it says so when the broker goes away, and ends"""
    broker = rig.broker()
    process = started(rig, broker, "--messages", "1000000", "--rate", "20000",
                      stderr=subprocess.PIPE)
    wait_until(lambda: any(queue["acknowledged"] > 100 for queue in own_queues(broker)),
               "messages flow")
    broker.kill()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1 and told.startswith(b"stompbox: the "), told


@cases.each({"peer": RabbitMq}, {"peer": ActiveMq})
def case_peers(rig, peer):
    """it measures {peer.__name__}, too, where send and receive work as well"""
    with peer(rig.folder / "peer") as other:
        login = ("--user", other.login) if other.login else ()
        words = (*login, "--broker", f"tcp://127.0.0.1:{other.port}")

        def run(*more):
            return run_at(rig, other, *more, *words)

        for more in ((), ("--persistent",), ("--destination", "/topic/t")):
            found = json.loads(run("bench", "--json", "--messages", "500", "--rate", "5000", *more))
            assert found["received"] == 500 and found["server"], found
        run("send", "/queue/work", "hello", "--receipt")
        assert run("receive", "/queue/work", "--timeout", "20s") == b"hello\n"
        run("bench", "--messages", "10", "--destination", "work")
        if peer is RabbitMq:
            # A queue of its own is gone, one that was named is not.
            wait_until(lambda: other.queues() == ["work"], "its own queues are gone")


def case_interrupt_at_rabbitmq(rig):
    """SIGINT leaves no queue of its own at RabbitMQ either"""
    with RabbitMq(rig.folder / "peer") as other:
        words = (rig.exe, "bench", "--messages", "1000000", "--rate", "5000", "--persistent",
                 "--user", other.login, "--broker", f"tcp://127.0.0.1:{other.port}")
        with subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE,
                              env={**os.environ, "STOMPBOX_PASSCODE": other.passcode}) as process:
            wait_until(other.queues, "its queue is there", 30)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
        assert process.returncode == 1 and b"interrupted" in told, told
        wait_until(lambda: other.queues() == [], "its own queue is gone", 30)


def run_at(rig, other, *words):
    """A verb at somebody else's broker: what it prints."""
    environment = {**os.environ, "STOMPBOX_PASSCODE": other.passcode or ""}
    done = subprocess.run([str(word) for word in (rig.exe, *words)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done
    return done.stdout


def case_nobody_there(rig):
    """without a broker, or with nonsense, it says what to do"""
    broker = rig.broker()
    port = broker.port
    done = bench(broker, "--destination", "/exchange/e/k", check=False)
    assert done.returncode == 2 and b"neither /queue/NAME nor /topic/NAME" in done.stderr, done
    done = bench(broker, "--producers", "0", check=False)
    assert done.returncode == 2, done
    broker.stop()
    done = bench(broker, check=False)
    assert done.returncode == 1 and f"no broker listens on tcp://127.0.0.1:{port}" in \
        done.stderr.decode(), done


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
