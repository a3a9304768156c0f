"""A real mariadbd in a folder of its own, on a UNIX socket; user root has no password."""

import atexit
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import pymysql

from waiting import wait_until

# No test takes the power away, and many make tables.
_UNSYNCED = ("--debug-no-sync", "--innodb-flush-method=nosync", "--innodb-log-file-size=16M")
_PR_SET_PDEATHSIG = 1
START_SECONDS_MAX = 60.0

# What a master reads, with the columns that it knows.
_TABLES = {
    "hosts": "id name ip environment last_compile updated_at created_at",
    "resources": "id title restype host_id source_file_id exported line updated_at created_at",
    "source_files": "id filename path updated_at created_at",
    "param_names": "id name updated_at created_at",
    "param_values": "id value param_name_id line resource_id updated_at created_at",
    "puppet_tags": "id name updated_at created_at",
    "resource_tags": "id resource_id puppet_tag_id updated_at created_at",
    "fact_names": "id name updated_at created_at",
    "fact_values": "id value fact_name_id host_id updated_at created_at",
}
_NUMBERS = ("id", "line")  # and what ends in _id


def _end_with_parent():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _user():
    return ["--user=root"] if os.geteuid() == 0 else []


_tables = None  # a server's own tables, made once a process and copied


def _new_tables():
    global _tables
    if _tables is None:
        folder = tempfile.mkdtemp(prefix="stompbox-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _tables = pathlib.Path(folder) / "data"
        subprocess.run(["mariadb-install-db", "--no-defaults", *_user(), *_UNSYNCED,
                        f"--datadir={_tables}", "--skip-test-db",
                        "--auth-root-authentication-method=normal", "--skip-name-resolve"],
                       check=True, capture_output=True)
    return _tables


class MariaDb:
    """`folder` holds all: data/, socket, log. It has the empty database `puppet` once it runs."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True, parents=True)
        self.data = self.folder / "data"
        self.socket = self.folder / "socket"
        self.options = options
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()

    # Life

    def start(self):
        """Starts it and waits until it answers; returns self."""
        self.launch()
        wait_until(self._answers, "the database server answers", START_SECONDS_MAX)
        with self.connect(None) as server:
            server.cursor().execute("create database if not exists puppet")
        return self

    def launch(self):
        """Starts it, at the first time on new tables, and returns at once."""
        assert not self.runs(), "it runs already"
        if not self.data.exists():
            shutil.copytree(_new_tables(), self.data)
        listens = any(word.startswith("--port=") for word in self.options)
        command = ["mariadbd", "--no-defaults", *_user(), *_UNSYNCED, f"--datadir={self.data}",
                   f"--socket={self.socket}", f"--pid-file={self.folder}/pid",
                   f"--tmpdir={self.folder}", "--skip-name-resolve",
                   "--innodb-buffer-pool-size=128M",
                   "--bind-address=127.0.0.1" if listens else "--skip-networking", *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=_end_with_parent)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def _answers(self):
        assert self.runs(), self.log()
        try:
            self.connect(None).close()
        except pymysql.err.MySQLError:
            return False
        return True

    def stop(self):
        """As an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self):
        """kill -9."""
        self._end(signal.SIGKILL)

    def end(self):
        """For the end of a case, whatever its state."""
        if self.runs():
            self.kill()

    def _end(self, with_signal):
        self.process.send_signal(with_signal)
        self.process.wait()

    def log(self):
        """Everything that it logged, of all its starts."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    # Doors

    def url(self, database="puppet"):
        """As --catalog-store takes it."""
        return f"mysql://root@/{database}?socket={self.socket}"

    def connect(self, database="puppet", autocommit=True):
        """Somebody else's connection; a context manager that closes it."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=database,
                               autocommit=autocommit, charset="utf8mb4", connect_timeout=20)

    def rows(self, sql, values=None, database="puppet"):
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def value(self, sql, values=None, database="puppet"):
        """The one cell."""
        ((cell,),) = self.rows(sql, values, database)
        return cell

    def make_database(self, name, declaration="character set utf8mb4"):
        """Returns its url()."""
        with self.connect(None) as connection, connection.cursor() as cursor:
            cursor.execute(f"create database {name} {declaration}")
        return self.url(name)

    def copy(self, database, path):
        """The tables as SQLite has them, for the tools that judge a database; returns a Copy."""
        path.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as copied:
            for table, names in _TABLES.items():
                names = names.split()
                copied.execute(f"create table {table} ({', '.join(names)})")
                cells = ", ".join(name if _is_number(name) else f"cast({name} as binary) {name}"
                                  for name in names)
                marks = ", ".join("?" * len(names))
                for row in self.rows(f"select {cells} from {table} order by id", None, database):
                    copied.execute(f"insert into {table} values ({marks})",
                                   [_value(name, cell) for name, cell in zip(names, row)])
            copied.commit()
        return Copy(path)


class Copy:
    """What the judges of a broker's own database ask for."""

    def __init__(self, path):
        self.database = path

    @contextlib.contextmanager
    def open_database(self):
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            yield database


def _is_number(name):
    return name in _NUMBERS or name.endswith("_id")


def _value(name, cell):
    if cell is None or _is_number(name):
        return cell
    text = cell.decode("utf-8", "surrogateescape")
    return {"1": "t", "0": "f"}[text] if name == "exported" else text


_shared = None


def shared():
    """The server that the cases of a suite share, a database each; it ends with the process."""
    global _shared
    if _shared is None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="stompbox-"))
        _shared = MariaDb(folder / "mariadb").start()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(_shared.end)
    return _shared
