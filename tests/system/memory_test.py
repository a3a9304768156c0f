#!/usr/bin/env python3
"""Memory and start-up do not grow with the backlog; a stop is quick, and idling free."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from waiting import let_pass

MESSAGE = b"m" * 4096
BACKLOG = 30_000
MIB = 1024
# LevelDB's two write buffers of 14 MiB, 64 MiB of messages, what waits for the disk, caches.
MEMORY_MIB_MAX = 150
# What twice the backlog may cost more: the noise of buffers that happen to be full or empty.
GROWTH_MIB_MAX = 30
READY_SECONDS_MAX = 1.0
# LevelDB's log: 14 MiB read and written again.
REPLAY_SECONDS_MAX = 1.0
START_MARGIN_SECONDS = 0.2
STARTS = 5
# A broker that never slept would take a whole second in a second.
IDLE_CPU_SECONDS_MAX = 0.1


def publish(broker, count, queue="q"):
    """Sends with receipts, some hundreds under way."""
    with broker.client() as client:
        waiting = 0
        for number in range(count):
            client.send(f"/queue/{queue}", MESSAGE, receipt=f"r{number}")
            waiting += 1
            while waiting >= 512:
                waiting -= len(client.wait_any_receipt())
        while waiting:
            waiting -= len(client.wait_any_receipt())


def memory_mib(broker):
    """Anonymous memory: what is not the system's cache of files."""
    return broker.memory_kib("RssAnon") / MIB


def restart_seconds(broker):
    """Time until it is ready again after a stop."""
    broker.stop()
    broker.start()
    return broker.ready_seconds


def quickest_restart_seconds(broker):
    """The quickest of a few: the others say how busy the machine and its disk are just now."""
    return min(restart_seconds(broker) for _ in range(STARTS))


def case_backlog(rig):
    """memory and start-up time stay bounded while the backlog grows, and while it is consumed."""
    broker = rig.broker()
    memory = {"empty": memory_mib(broker)}
    # The first start after a load has at most a write buffer of LevelDB's log to replay. It can be
    # measured but once, so that it has an absolute bound; the others are compared.
    first = {}
    later = {"empty": quickest_restart_seconds(broker)}
    for name in ("once", "twice"):
        publish(broker, BACKLOG)
        memory[name] = memory_mib(broker)
        first[name] = restart_seconds(broker)
        later[name] = quickest_restart_seconds(broker)
    assert broker.backlog("q") == 2 * BACKLOG
    consume(broker, 2 * BACKLOG)
    memory["consumed"] = memory_mib(broker)
    print("".join(f"     memory_{name}={value:.0f} MiB\n" for name, value in memory.items()) +
          "".join(f"     start_first_{name}={value * 1000:.0f} ms\n"
                  for name, value in first.items()) +
          "".join(f"     start_{name}={value * 1000:.0f} ms\n" for name, value in later.items()),
          end="")
    assert max(memory.values()) < MEMORY_MIB_MAX
    assert memory["twice"] - memory["once"] < GROWTH_MIB_MAX
    assert max(first.values()) < REPLAY_SECONDS_MAX
    assert max(later["once"], later["twice"]) < 2 * later["empty"] + START_MARGIN_SECONDS


def consume(broker, count):
    with broker.client() as client:
        client.subscribe("/queue/q", ack="client")
        for number in range(1, count + 1):
            message = client.message()
            assert message.body == MESSAGE
            if number % 100 == 0:
                client.ack(message, receipt=True if number == count else None)
    assert broker.backlog("q") == 0


def case_many_queues_and_large_messages(rig):
    """memory stays bounded with large messages in many queues."""
    broker = rig.broker()
    body = b"L" * (1 << 20)
    with broker.client() as client:
        for number in range(200):
            client.send(f"/queue/large-{number % 40}", body, receipt=True)
    print(f"     memory_large={memory_mib(broker):.0f} MiB")
    assert memory_mib(broker) < MEMORY_MIB_MAX


def case_clean_stop(rig):
    """SIGTERM ends it within five seconds with connections open, backlog and work under way."""
    broker = rig.broker()
    publish(broker, 2000)
    for number in range(20):
        with broker.client() as client:
            client.send("/queue/catalog", catalogs.generation_message(f"n{number}.test", 1, 300))
    idle = [broker.client() for _ in range(20)]
    silent = [broker.socket() for _ in range(20)]
    holder = broker.client()
    holder.subscribe("/queue/q", ack="client-individual")
    taken = holder.messages(100)
    with broker.client() as busy:
        for number in range(500):
            busy.send("/queue/q", MESSAGE, receipt=f"r{number}")
        seconds = broker.stop()
        print(f"     stop={seconds:.2f} s")
        receipted = read_receipts(busy)
    for client in idle + [holder]:
        client.wait_closed()
        client.close()
    for peer in silent:
        assert peer.recv(1) == b""
        peer.close()
    broker.start()
    assert 2000 + len(receipted) <= broker.backlog("q") <= 2500, broker.queue("q")
    with broker.client() as client:
        client.subscribe("/queue/q", ack="client-individual")
        again = client.messages(100)
    assert [m["message-id"] for m in again] == [m["message-id"] for m in taken]
    assert all(m["redelivered"] == "true" for m in again)
    broker.wait_drained()
    with broker.open_database() as database:
        assert catalogs.counts(database)["hosts"] == 20


def read_receipts(client):
    """All that still came before the end of the connection."""
    client.wait_closed()
    return client.receipts


@cases.each({"how": "awake in short rests", "flags": []},
            {"how": "asleep in all", "flags": ["--sleeps-at-once"]})
def case_idle(rig, how, flags):
    """a broker that was {how} while it was busy takes no processor when it is idle."""
    broker = rig.broker(*flags)
    publish(broker, 3000)
    with broker.client() as client:
        client.subscribe("/queue/q")
        client.messages(3000)
        let_pass(1.0)
        before = broker.cpu_seconds()
        let_pass(1.0)
        took = broker.cpu_seconds() - before
    assert took <= IDLE_CPU_SECONDS_MAX, f"{took} s of a second; {how}"


def case_idle_stop(rig):
    """an idle broker stops at once."""
    broker = rig.broker()
    seconds = broker.stop()
    print(f"     stop_idle={seconds * 1000:.0f} ms")
    assert seconds < 1.0, seconds


def case_start_up_time(rig):
    """it is ready, with one line that says where, in less than a second, data new or found."""
    fresh = [rig.broker(name=f"fresh-{i}") for i in range(STARTS)]
    made = min(broker.ready_seconds for broker in fresh)
    existing = quickest_restart_seconds(fresh[0])
    for broker in fresh[1:]:
        broker.stop()
    lines = fresh[1].output_path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1, lines
    for part in (f"127.0.0.1:{fresh[1].port}", fresh[1].data / "queue", fresh[1].database):
        assert str(part) in lines[0], lines
    print(f"     start_new={made * 1000:.0f} ms\n     start_existing={existing * 1000:.0f} ms")
    assert made < READY_SECONDS_MAX and existing < READY_SECONDS_MAX


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
