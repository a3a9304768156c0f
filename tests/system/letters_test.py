#!/usr/bin/env python3
"""Dead letters that are replayed, and messages that are moved, are what they were before: a catalog
that is older than the stored one, or than a `forget`, stays older."""

import json
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


def let_die(broker, queue, body):
    with broker.client() as client:
        client.subscribe(f"/queue/{queue}", ack="client-individual")
        client.send(f"/queue/{queue}", body)
        message = client.message()
        client.frame("NACK", {"id": message["ack"], "requeue": "false"}, receipt=True)


def letters(broker, *words):
    done = broker.run("dead-letters", "list", "--json", *words, "--data", broker.data)
    return json.loads(done.stdout)["messages"]


def case_letters_of_all_queues(rig):
    """the verbs reach every dead-letter queue of the broker, or the one that is named."""
    config = rig.folder / "letters.toml"
    config.write_text('[[policy]]\npattern = "/queue/shop.>"\ndead_letter_queue = "*.dead"\n')
    broker = rig.broker("--config", str(config))
    for queue in ("work", "shop.a", "shop.a", "shop.b"):
        let_die(broker, queue, b"x")
    assert broker.status()["dead_letters"] == 4
    found = [letter["queue"] for letter in letters(broker)]
    assert found == ["dead-letter", "shop.a.dead", "shop.a.dead", "shop.b.dead"], found
    table = broker.run("dead-letters", "list", "--data", broker.data).stdout.decode()
    assert "QUEUE" in table and "shop.b.dead" in table, table
    of_b = letters(broker, "--queue", "/queue/shop.b.dead")
    assert len(of_b) == 1, of_b
    done = broker.run("dead-letters", "replay", of_b[0]["id"], "--data", broker.data)
    assert done.stdout == b"1 letter replayed\n", done
    assert broker.backlog("shop.b") == 1
    done = broker.run("dead-letters", "drop", "--all", "--queue", "shop.a.dead",
                      "--data", broker.data)
    assert done.stdout == b"2 letters dropped\n", done
    done = broker.run("dead-letters", "drop", "--all", "--queue", "shop.b", "--data", broker.data,
                      check=False)
    assert done.returncode == 1 and b"takes no dead letters" in done.stderr, done
    done = broker.run("dead-letters", "replay", "--all", "--data", broker.data)
    assert done.stdout == b"1 letter replayed\n", done
    assert broker.status()["dead_letters"] == 0


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
