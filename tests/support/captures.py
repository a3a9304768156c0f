"""The captured bytes of real clients, and the tools that judge a database by them."""

import json
import subprocess
import sys

from cases import DATA
from stomp_wire import FrameReader

FOLDER = DATA / "captures"
TOOLS = DATA / "tools"


def read(name):
    return (FOLDER / name).read_bytes()


def frames_of(data):
    """The whole frames of a captured client, CONNECT first."""
    reader = FrameReader()
    reader.feed(data)
    return list(iter(reader.next, None))


def frame_ends(data):
    """Where each frame of captured bytes ends: the position behind its NUL."""
    ends = []
    reader = FrameReader()
    for at in range(len(data)):
        reader.feed(data[at:at + 1])
        if reader.next() is not None:
            ends.append(at + 1)
    return ends


def nodes_of(data):
    """Names of the nodes whose catalogs or facts are sent, in order."""
    names = []
    for frame in frames_of(data)[1:]:
        document = json.loads(frame.body.decode("utf-8", "surrogateescape"))
        names.append(document.get("data", document)["name"])
    return names


def differences(golden, database, nodes):
    """The lines of compare-db.py, golden file against database; the closing line is left out."""
    command = [sys.executable, TOOLS / "compare-db.py", FOLDER / golden, database]
    for node in nodes:
        command += ["--node", node]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 1), done
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    return [line for line in lines if not line.startswith("same: ")]


def check_database(database, *captures):
    """Holds the database against the messages as a master reads it; raises on any difference."""
    command = [sys.executable, TOOLS / "check-db.py", database]
    done = subprocess.run(command + [FOLDER / name for name in captures], capture_output=True,
                          check=False)
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0 and text.endswith(" 0 differences\n"), text + done.stderr.decode()
