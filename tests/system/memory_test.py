#!/usr/bin/env python3
"""Memory and start-up do not grow with the backlog; a stop is quick, whatever is going on."""

import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs

MESSAGE = b"m" * 4096
BACKLOG = 30_000
MIB = 1024
# LevelDB's two write buffers of 64 MiB, what waits for the disk, the windows, caches.
MEMORY_MIB_MAX = 250
# What twice the backlog may cost more: the noise of buffers that happen to be full or empty.
GROWTH_MIB_MAX = 80
READY_SECONDS_MAX = 1.0
STARTS = 5


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


def start_seconds(broker, times=STARTS):
    """Median time until it is ready, over stops and starts of the same data."""
    taken = []
    for _ in range(times):
        broker.stop()
        broker.start()
        taken.append(broker.ready_seconds)
    return statistics.median(taken)


def case_backlog(rig):
    """memory and start-up time stay bounded while the backlog grows, and while it is consumed."""
    broker = rig.broker()
    empty_mib = memory_mib(broker)
    empty_seconds = start_seconds(broker)
    publish(broker, BACKLOG)
    once_mib = memory_mib(broker)
    once_seconds = start_seconds(broker)
    publish(broker, BACKLOG)
    twice_mib = memory_mib(broker)
    twice_seconds = start_seconds(broker)
    assert broker.backlog("q") == 2 * BACKLOG
    consume(broker, 2 * BACKLOG)
    consumed_mib = memory_mib(broker)
    for name, value in (("empty", empty_mib), ("backlog", once_mib), ("twice", twice_mib),
                        ("consumed", consumed_mib)):
        print(f"     memory_{name}={value:.0f} MiB")
    for name, value in (("empty", empty_seconds), ("backlog", once_seconds),
                        ("twice", twice_seconds)):
        print(f"     start_{name}={value * 1000:.0f} ms")
    assert max(once_mib, twice_mib, consumed_mib) < MEMORY_MIB_MAX
    assert twice_mib - once_mib < GROWTH_MIB_MAX
    assert twice_seconds < 2 * once_seconds + 0.2, "start-up grows with the backlog"
    assert max(once_seconds, twice_seconds) < READY_SECONDS_MAX


def consume(broker, count):
    with broker.client() as client:
        client.subscribe("/queue/q", ack="client")
        for number in range(1, count + 1):
            message = client.message()
            assert message.body == MESSAGE
            if number % 100 == 0:
                client.ack(message)
        client.ack(message, receipt=True)
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


def case_idle_stop(rig):
    """an idle broker stops at once."""
    broker = rig.broker()
    seconds = broker.stop()
    print(f"     stop_idle={seconds * 1000:.0f} ms")
    assert seconds < 1.0, seconds


def case_start_up_time(rig):
    """it is ready in a fraction of a second, whether it makes store and schema or finds them."""
    fresh = [rig.broker(name=f"fresh-{i}") for i in range(STARTS)]
    made = statistics.median(broker.ready_seconds for broker in fresh)
    existing = start_seconds(fresh[0])
    for broker in fresh[1:]:
        broker.stop()
    print(f"     start_new={made * 1000:.0f} ms\n     start_existing={existing * 1000:.0f} ms")
    assert made < READY_SECONDS_MAX and existing < READY_SECONDS_MAX


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
