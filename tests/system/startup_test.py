#!/usr/bin/env python3
"""What the broker says when it cannot start or work, and how it goes on after the trouble."""

import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import catalogs
from own_process import StartFailed
from waiting import let_pass, wait_until

NODE = "web.example.test"


def expect_refusal(broker, *words, code=1):
    """It does not start, and says why in one sentence that has all these words."""
    before = broker.log()
    try:
        broker.start()
    except StartFailed as failed:
        assert failed.code == code, failed
        told = broker.log()[len(before):]
        sentences = [line for line in told.splitlines() if line.startswith("stompbox: ")]
        assert len(sentences) == 1, told
        for word in words:
            assert str(word) in sentences[0], f"no '{word}' in: {sentences[0]}"
        return
    raise AssertionError("it started")


def case_port_in_use(rig):
    """a port in use is one sentence that names it, and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        expect_refusal(rig.broker(port=port, start=False), f"127.0.0.1:{port}", "in use")


def case_folder_is_a_file(rig):
    """a data folder that is a file is one sentence that names it."""
    broker = rig.broker(start=False)
    broker.data.write_text("no folder")
    expect_refusal(broker, broker.data)
    assert broker.data.read_text() == "no folder"


def case_folder_cannot_be_made(rig):
    """a data folder where nothing can be written is one sentence that names it."""
    broker = rig.broker(start=False)
    broker.data = pathlib.Path("/proc/stompbox")
    expect_refusal(broker, "/proc/stompbox")


def case_second_process(rig):
    """a second process on the same data is refused with a sentence that names the first."""
    first = rig.broker()
    second = rig.broker(name="second", start=False)
    second.data = first.data
    expect_refusal(second, first.process.pid)
    with first.client() as client:
        client.send("/queue/q", b"x", receipt=True)
    assert first.backlog("q") == 1


def case_ready_file_of_another(rig):
    """a start that fails leaves the ready file of the running broker alone."""
    first = rig.broker()
    ready = first.folder / "ready"
    refused = subprocess.run(
        [rig.exe, "serve", "--data", first.data, "--ready-file", ready, "--listen",
         "tcp://127.0.0.1:0"], check=False, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1, refused
    assert ready.read_text().startswith("tcp://"), "the ready file is another"
    first.stop()
    assert not ready.exists()


def case_control_socket_is_something_else(rig):
    """a control socket whose name a file has is refused with a sentence, and the file stays."""
    precious = rig.folder / "precious"
    precious.write_text("letters")
    broker = rig.broker("--control-socket", precious, start=False)
    expect_refusal(broker, precious, "something else")
    assert precious.read_text() == "letters"


def case_stop_in_mid_transfer(rig):
    """a SEND whose second half comes just after SIGTERM is stored, and one that stops is told."""
    broker = rig.broker()
    body = b"x" * 400_000
    head = b"SEND\ndestination:/queue/q\ncontent-length:400000\n\n"
    with broker.socket() as whole, broker.socket() as half:
        for peer in (whole, half):
            peer.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")
            assert peer.recv(4096).startswith(b"CONNECTED")
            peer.sendall(head + body[:200_000])
        broker.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in broker.log(), "the broker stops", 10, every=0.001)
        whole.sendall(body[200_000:] + b"\0")
        assert broker.process.wait(10) == 0
    ends = [line for line in broker.log().splitlines() if "connection-end" in line]
    assert sum("unread=" in line for line in ends) == 1, ends
    broker.start()
    assert broker.queue("q")["waiting"] == 1


def case_newer_store(rig):
    """a store of a newer format is refused with a sentence, and left as it is."""
    broker = rig.broker()
    with broker.client() as client:
        client.send("/queue/q", b"kept", receipt=True)
    broker.stop()
    set_format = [rig.options.store_format, broker.data / "queue"]
    subprocess.run([*set_format, "99"], check=True)
    expect_refusal(rig.broker(start=False), "99", "newer")
    subprocess.run([*set_format, "2"], check=True)
    broker.start()
    assert broker.backlog("q") == 1


def case_unknown_config_key(rig):
    """an unknown key in the configuration names line, key and the nearest valid one."""
    config = rig.folder / "stompbox.toml"
    config.write_text('[queue]\nlingr = "10ms"\n')
    expect_refusal(rig.broker("--config", config, start=False), config, "lingr", "linger", 2,
                   code=2)


@cases.each({"what": "a misspelt flag", "words": ["serve", "--lisen", "tcp://127.0.0.1:0"],
             "nearest": "--listen"},
            {"what": "a misspelt verb", "words": ["serv"], "nearest": "serve"},
            {"what": "a bad value", "words": ["serve", "--sync", "alwys"], "nearest": "batch"},
            {"what": "a bad listener", "words": ["serve", "--listen", "localhost"],
             "nearest": "tcp://"})
def case_misuse(rig, what, words, nearest):
    """{what} is misuse, exit code 2, and the sentence helps."""
    done = rig.broker(start=False).run(*words, check=False)
    assert done.returncode == 2, done
    assert nearest in done.stderr.decode(), done
    assert not done.stdout, done


def case_open_listener(rig):
    """a listener that other machines can reach is refused without users, unless asked for."""
    done = rig.broker(start=False).run("serve", "--data", rig.folder / "d", "--listen",
                                       "tcp://0.0.0.0:0", check=False)
    assert done.returncode in (1, 2), done
    assert "--users" in done.stderr.decode(), done


def send_catalog(broker, generation):
    with broker.client() as client:
        client.send("/queue/catalog", catalogs.generation_message(NODE, generation), receipt=True)


def stored(broker):
    with broker.open_database() as database:
        return catalogs.stored_generation(database, NODE)


def case_not_a_database(rig):
    """with a database file that is none the broker is up, tells, and stores when it is replaced."""
    broker = rig.broker("--drain-retry-max", "500ms", start=False)
    broker.data.mkdir()
    broker.database.write_text("this is no database " * 1000)
    broker.start()
    send_catalog(broker, 1)
    wait_until(lambda: broker.status()["drain"]["database_in_trouble"], "the status tells")
    told = broker.status()["drain"]["last_error"]
    assert str(broker.database) in told and "not a database" in told, told
    assert broker.backlog("catalog") == 1 and broker.backlog("dead-letter") == 0
    wait_until(lambda: str(broker.database) in broker.log(), "the log tells")
    os.replace(broker.database, rig.folder / "aside")
    broker.wait_drained()
    assert stored(broker) == 1
    assert (rig.folder / "aside").read_text().startswith("this is no database")
    assert not broker.status()["drain"]["database_in_trouble"]


def case_locked_database(rig):
    """a database that is locked for seconds delays catalogs and loses none."""
    broker = rig.broker("--catalog-busy-timeout", "200ms", "--drain-retry-max", "500ms")
    holder = sqlite3.connect(broker.database, isolation_level=None)
    holder.execute("begin immediate")
    for generation in (1, 2, 3):
        send_catalog(broker, generation)
    wait_until(lambda: broker.status()["drain"]["database_in_trouble"], "the status tells")
    let_pass(2.0)
    assert broker.backlog("catalog") == 3 and broker.backlog("dead-letter") == 0
    assert stored(broker) == 0
    holder.close()
    broker.wait_drained()
    assert stored(broker) == 3


def case_deleted_database(rig):
    """a database that is deleted underneath is made anew for the next catalog."""
    broker = rig.broker()
    send_catalog(broker, 1)
    broker.wait_drained()
    for path in broker.data.glob("storeconfigs.sqlite3*"):
        path.unlink()
    send_catalog(broker, 2)
    broker.wait_drained()
    assert stored(broker) == 2


def case_no_catalog_store_folder(rig):
    """a catalog store in a folder that is not there yet is waited for, or refused in a sentence."""
    missing = rig.folder / "not-there" / "catalogs.sqlite3"
    broker = rig.broker("--catalog-store", f"sqlite:{missing}", start=False)
    try:
        broker.start()
    except StartFailed as failed:
        assert failed.code == 1 and str(missing) in failed.log, failed
        return
    send_catalog(broker, 1)
    wait_until(lambda: broker.status()["drain"]["database_in_trouble"], "the status tells")
    missing.parent.mkdir()
    broker.database = missing
    broker.wait_drained(60)
    assert stored(broker) == 1


def case_store_copied_while_stopped(rig):
    """a data folder that is copied elsewhere is the same broker there."""
    broker = rig.broker()
    with broker.client() as client:
        client.send("/queue/q", b"kept", receipt=True)
    broker.stop()
    copy = rig.broker(name="copy", start=False)
    shutil.copytree(broker.data, copy.data)
    copy.start()
    with copy.client() as client:
        client.subscribe("/queue/q")
        assert client.message().body == b"kept"


if __name__ == "__main__":
    parser = cases.parser(__doc__)
    parser.add_argument("--store-format", required=True, metavar="PROGRAM",
                        help="the program made of tests/fault/store_format.cc")
    sys.exit(cases.run(globals(), parser.parse_args()))
