"""The layer table (layers.txt) and the includes that it allows."""

import fnmatch
import pathlib
import re
from typing import NamedTuple

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# The first path component of an include, or the whole of it, says which library it is of.
LIBRARY_OF = {
    "asio": "asio", "asio.hpp": "asio", "leveldb": "leveldb", "sqlite3.h": "sqlite3",
    "mysql": "mysql", "mysql.h": "mysql", "mariadb": "mysql", "rapidjson": "rapidjson",
    "spdlog": "spdlog", "fmt": "spdlog", "openssl": "openssl", "wslay": "wslay", "crypt.h": "crypt",
    "CLI": "CLI", "toml++": "toml++", "yaml-cpp": "yaml-cpp", "httplib.h": "cpp-httplib",
    "doctest": "doctest", "benchmark": "benchmark",
}

# Made by meson in the build folder, of no room.
GENERATED = {"stompbox_version.h"}

THREAD_HEADERS = {"thread", "mutex", "shared_mutex", "condition_variable", "atomic", "future",
                  "semaphore", "latch", "barrier", "stop_token", "pthread.h"}

# What a pure room has no use for: sockets, files, clocks' system calls, terminals.
IMPURE_HEADERS = re.compile(
    r"^(sys/.*|netinet/.*|arpa/.*|unistd\.h|fcntl\.h|poll\.h|signal\.h|time\.h|stdio\.h|"
    r"ctime|csignal|cstdio|fstream|iostream|filesystem)$")


class Room(NamedTuple):
    """One row of the table."""

    name: str
    rooms: tuple
    libraries: tuple  # of (library, file pattern)


class Layers(NamedTuple):
    """The whole table."""

    rooms: dict
    pure: frozenset
    thread_files: tuple

    def room_of(self, path):
        """The room of a file or folder, or None."""
        parts = pathlib.PurePosixPath(path).parent.parts
        for length in range(len(parts), 0, -1):
            name = "/".join(parts[:length])
            if name in self.rooms:
                return self.rooms[name]
        return None

    def may_thread(self, path):
        name = pathlib.PurePosixPath(path).name
        return any(fnmatch.fnmatch(path if "/" in p else name, p) for p in self.thread_files)


def parse(text):
    """Reads layers.txt. Two blanks or more part the columns, single ones the names in one."""
    rooms, settings = {}, {"pure": (), "threads": ()}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if line.startswith("@"):
            key, *values = line[1:].split()
            settings[key] = tuple(values)
        elif line:
            columns = re.split(r"\s{2,}", line)
            if len(columns) != 3:
                raise ValueError(f"layers.txt:{number}: needs three columns, two blanks apart")
            name, may, libraries = (tuple(c.split()) for c in columns)
            pairs = tuple((lib.split("@") + ["*"])[:2] for lib in libraries if lib != "-")
            rooms[name[0]] = Room(name[0], tuple(r for r in may if r != "-"), pairs)
    return Layers(rooms, frozenset(settings["pure"]), settings["threads"])


def includes(lines):
    """The include directives of a file: (line number, is quoted, path)."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == '"', match[2]


def _library(include):
    return LIBRARY_OF.get(include) or LIBRARY_OF.get(include.split("/")[0])


def _check_quoted(layers, room, include):
    if include in GENERATED:
        return None
    other = layers.room_of(include)
    if other is None:
        return f'"{include}" is in no room: include by the path from the repository root'
    if other.name != room.name and "*" not in room.rooms and other.name not in room.rooms:
        return f"{room.name} may not include {other.name}: see tests/tidy/layers.txt"
    return None


def _check_angled(layers, room, path, include):
    library = _library(include)
    name = pathlib.PurePosixPath(path).name
    if library:
        patterns = [p for lib, p in room.libraries if lib in (library, "*")]
        if not any(fnmatch.fnmatch(name, p) for p in patterns):
            where = f"only in {' '.join(patterns)}" if patterns else "not at all"
            return f"{room.name} may use {library} {where}: see tests/tidy/layers.txt"
    elif include in THREAD_HEADERS and not layers.may_thread(path):
        return f"<{include}> here: threads live in {' '.join(layers.thread_files)} only"
    elif room.name in layers.pure and IMPURE_HEADERS.match(include):
        return f"<{include}> here: {room.name} is pure, it takes bytes and the time as arguments"
    return None


def check(layers, path, lines):
    """Every include of a C++ file that the table forbids: (line, message)."""
    room = layers.room_of(path)
    if room is None:
        return [(1, "this file is in no room: give its folder a row in tests/tidy/layers.txt")]
    found = []
    for number, quoted, include in includes(lines):
        if quoted:
            message = _check_quoted(layers, room, include)
        else:
            message = _check_angled(layers, room, path, include)
        if message:
            found.append((number, message))
    return found
