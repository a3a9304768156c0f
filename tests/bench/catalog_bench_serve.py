#!/usr/bin/env python3
"""catalog_bench_serve.py STOMPBOX [--nodes N] FOLDER... [-- OPTION...]

Messages sent over STOMP into a real `stompbox serve`, until all of them are in its database: one
round a folder of messages (gen-catalogs.py), as many as there are files or N. OPTIONs are the
broker's own. Prints `name=value unit`: catalogs a second from the first byte sent to the last row
committed, CPU seconds of the broker, and the folder's size at the end. Of its memory: the peak so
far, as the kernel counts it (`memory_peak`), and of the parts in looks a few milliseconds apart:
what is its own (`anonymous`), and pages of files that it has mapped (`mapped`: the program, tables
of the queues, the database's index of its log), which the kernel takes back when it needs room.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from broker import Broker  # noqa: E402
from waiting import wait_until  # noqa: E402

STORED_SECONDS_MAX = 600.0
LOOK_SECONDS = 0.005


class MemoryWatch:
    """Looks at the parts of a process's memory while the block runs; peaks in KiB, by field."""

    FIELDS = ("RssAnon", "RssFile")

    def __init__(self, broker):
        self.broker = broker
        self.peaks = dict.fromkeys(self.FIELDS, 0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(LOOK_SECONDS):
            for field in self.FIELDS:
                self.peaks[field] = max(self.peaks[field], self.broker.memory_kib(field))


def cpu_seconds(pid):
    line = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = line.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def folder_bytes(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def send_all(broker, files):
    with broker.client() as client:
        for file in files:
            client.send("/queue/catalog", file.read_bytes(), persistent="true")
        client.send("/queue/catalog_bench_end", b"", receipt=True)


def measure(broker, name, files):
    began, cpu_began = time.monotonic(), cpu_seconds(broker.process.pid)
    with MemoryWatch(broker) as memory:
        send_all(broker, files)
        sent = time.monotonic()
        wait_until(lambda: broker.backlog("catalog") == 0, "all catalogs are stored",
                   STORED_SECONDS_MAX, every=0.02)
    seconds = time.monotonic() - began
    cpu = cpu_seconds(broker.process.pid) - cpu_began
    print(f"{name}_sent={len(files) / (sent - began):.0f} messages/s")
    print(f"{name}={len(files) / seconds:.1f} catalogs/s")
    print(f"{name}_cpu={cpu / len(files) * 1000:.2f} CPU-s/1000")
    print(f"{name}_memory_peak={broker.memory_kib('VmHWM') / 1024:.0f} MiB")
    print(f"{name}_memory_anonymous={memory.peaks['RssAnon'] / 1024:.0f} MiB")
    print(f"{name}_memory_mapped={memory.peaks['RssFile'] / 1024:.0f} MiB", flush=True)


def run(arguments, folder):
    broker = Broker(arguments.stompbox, folder, *arguments.options)
    broker.start()
    print(f"memory_idle={broker.memory_kib() / 1024:.0f} MiB", flush=True)
    try:
        for messages in arguments.folders:
            files = sorted(messages.glob("*.json"))[:arguments.nodes]
            measure(broker, messages.parent.name if messages.name == "pson" else messages.name,
                    files)
        nodes = len(list(broker.open_database().execute("SELECT id FROM hosts"))) \
            if broker.database.exists() else 0
        if nodes:
            print(f"nodes={nodes} nodes")
    finally:
        broker.stop()
    if broker.database.exists():
        print(f"disk_per_node={broker.database.stat().st_size / max(nodes, 1):.0f} bytes")
    print(f"data_folder={folder_bytes(broker.data) / 2**20:.0f} MiB")


def main():
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stompbox")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--nodes", type=int)
    arguments = parser.parse_args(words[:cut])
    arguments.options = words[cut + 1:]
    with tempfile.TemporaryDirectory(prefix="stompbox-bench-") as folder:
        run(arguments, pathlib.Path(folder) / "broker")


if __name__ == "__main__":
    main()
