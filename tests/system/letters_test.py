#!/usr/bin/env python3
"""Dead letters that are replayed, and messages that are moved, are what they were before: a catalog
that is older than the stored one, or than a `forget`, stays older."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs

LIMIT = "4KiB"


def catalog(title, bytes_of_content=10):
    motd = catalogs.resource("File", title, content="x" * bytes_of_content)
    return catalogs.message("web1", [motd])


def send(broker, *bodies, queue="catalog"):
    with broker.client() as master:
        for body in bodies:
            master.send(f"/queue/{queue}", body, receipt=True)


def titles(broker):
    with broker.open_database() as database:
        return [title for title, in database.execute("select title from resources order by title")]


def old_letter_and_new_catalog(rig):
    """A broker whose dead letter is a large catalog, older than the one that is stored."""
    broker = rig.broker("--catalog-message-max", LIMIT)
    send(broker, catalog("/old", 10_000), catalog("/new"))
    broker.wait_drained()
    assert broker.status()["dead_letters"] == 1
    assert titles(broker) == ["/new"]
    broker.stop()
    return rig.broker()


def replay(broker):
    done = broker.run("dead-letters", "replay", "--all", "--data", broker.data)
    assert b"1 letter replayed" in done.stdout, done
    broker.wait_drained()
    assert broker.status()["dead_letters"] == 0


def case_replay_of_an_old_catalog(rig):
    """a replayed catalog that is older than the stored one does not take its place."""
    broker = old_letter_and_new_catalog(rig)
    replay(broker)
    assert titles(broker) == ["/new"]
    assert broker.status()["drain"]["superseded"] == 1


def case_replay_after_forget(rig):
    """a replayed catalog does not bring a node back that was forgotten after it came."""
    broker = old_letter_and_new_catalog(rig)
    broker.run("forget", "web1", "--data", broker.data)
    assert titles(broker) == []
    replay(broker)
    assert titles(broker) == []


def case_replay_of_the_only_catalog(rig):
    """a replayed catalog is stored where nothing newer has come."""
    broker = rig.broker("--catalog-message-max", LIMIT)
    send(broker, catalog("/old", 10_000))
    broker.wait_drained()
    broker.stop()
    broker = rig.broker()
    replay(broker)
    assert titles(broker) == ["/old"]


def case_move_of_an_old_catalog(rig):
    """a catalog that waited in another queue and is moved is as old as before."""
    broker = rig.broker()
    send(broker, catalog("/old"), queue="aside")
    send(broker, catalog("/new"))
    broker.wait_drained()
    broker.run("queues", "move", "aside", "catalog", "--data", broker.data)
    broker.wait_drained()
    assert titles(broker) == ["/new"]


def case_letters_of_a_reply_queue(rig):
    """a dead letter of a temporary queue outlives its owner and a restart."""
    broker = rig.broker("--queue-dead-letter-queue", "*.dead")
    with broker.client() as client:
        client.subscribe("/temp-queue/r", ack="client-individual")
        client.send("/temp-queue/r", b"important")
        message = client.message()
        client.frame("NACK", {"id": message["ack"], "requeue": "false"}, receipt=True)
    broker.stop()
    broker = rig.broker("--queue-dead-letter-queue", "*.dead")
    names = {queue["name"] for queue in broker.ask("queues")["queues"]}
    assert names == {"catalog", "dead-letter", "facts"}, names
    assert broker.backlog("dead-letter") == 1
    assert broker.status()["dead_letters"] == 1


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
