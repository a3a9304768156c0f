"""Real mariadbd processes on folders of their own: one by itself, or two that are a cluster.

They listen on UNIX sockets, a cluster on loopback besides, and end by their own process ids.
"""

import os
import pathlib
import shutil
import signal
import subprocess

import pymysql

from peers import free_port
from waiting import wait_until

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
START_SECONDS_MAX = 40.0


class Server:
    """One mariadbd; user root without a password, a database named puppet."""

    user = "root"  # of the process, when root starts it

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.data = self.folder / "data"
        self.socket = self.folder / "s"
        self.process = None
        self._options = []

    def make_data(self):
        """The tables of the server itself, and the database."""
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={self.data}",
             "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
             "--innodb-log-file-size=16M", *self._user()], check=True, capture_output=True)

    def _user(self):
        return [f"--user={self.user}"] if os.geteuid() == 0 else []

    def start(self):
        """Starts it and waits until it takes queries; returns self."""
        self._launch()
        wait_until(self._is_ready, "the server takes queries", START_SECONDS_MAX, every=0.05)
        return self

    def _launch(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
                 f"--pid-file={self.folder / 'pid'}", f"--tmpdir={self.folder}",
                 "--skip-networking", "--skip-name-resolve", "--innodb-log-file-size=16M",
                 "--innodb-buffer-pool-size=64M", "--performance-schema=OFF", *self._user(),
                 *self._options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _is_ready(self):
        assert self.runs(), self.log()
        try:
            self.connect(None).close()
        except pymysql.err.MySQLError:
            return False
        return True

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """As an administrator does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_SECONDS_MAX)

    def kill(self):
        """As a power failure does."""
        if self.runs():
            self.process.kill()
            self.process.wait()

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def store(self):
        """For --catalog-store."""
        return f"mysql://root@localhost/puppet?socket={self.socket}"

    def connect(self, database="puppet"):
        """A connection of somebody else."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=database,
                               charset="utf8mb4", autocommit=True, connect_timeout=10,
                               read_timeout=30)


class Single(Server):
    """A server by itself, ready in a `with`."""

    def __enter__(self):
        self.make_data()
        self.start()
        with self.connect(None) as server:
            server.cursor().execute("create database puppet")
        return self

    def __exit__(self, *_):
        self.kill()


class Node(Server):
    """One node of a cluster; `weight` says which side of a broken one goes on.

    It does not run as root: what root's rsync receives belongs to nobody.
    """

    user = "mysql"

    def __init__(self, folder, name, weight):
        super().__init__(folder)
        self.name = name
        self.port = free_port()
        self._false_starts = 0
        self._provider_options = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{self.port};pc.weight={weight};"
            f"ist.recv_addr=127.0.0.1:{free_port()};gcache.size=64M;gcache.recover=yes;"
            "evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.5S;"
            "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S")

    def join(self, *others):
        """Starts it beside others, or as the first one; waits until it takes queries."""
        address = ",".join(f"127.0.0.1:{other.port}" for other in others)
        self._options = [
            "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", "--wsrep-cluster-name=stompbox",
            f"--wsrep-cluster-address=gcomm://{address}", f"--wsrep-node-name={self.name}",
            "--wsrep-node-address=127.0.0.1", f"--wsrep-provider-options={self._provider_options}",
            "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
            "--binlog-format=ROW", "--default-storage-engine=InnoDB",
            "--innodb-autoinc-lock-mode=2"]
        self.own()
        return self.start()

    def own(self):
        """Gives all of the folder to whom the process runs as, and lets them come there."""
        if os.geteuid() != 0:
            return
        for above in (self.folder.parent, self.folder.parent.parent):
            above.chmod(above.stat().st_mode | 0o011)
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, self.user, self.user)

    def _is_ready(self):
        if not self.runs():
            # Galera sets the priority of its thread, and gives up when that has not begun yet.
            starts = self.log().count("Failed to set thread schedparams")
            assert starts > self._false_starts, self.log()
            self._false_starts = starts
            self._launch()
        return self.state("wsrep_ready") == "ON"

    def state(self, name):
        """A variable of `show status`; None when nobody answers."""
        try:
            with self.connect(None) as server, server.cursor() as cursor:
                cursor.execute("show status like %s", (name,))
                return cursor.fetchone()[1]
        except pymysql.err.MySQLError:
            return None


class Galera:
    """Nodes a and b; a goes on alone when b is gone. b begins with a copy of a's data."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        self.a = Node(folder / "a", "a", weight=2)
        self.b = Node(folder / "b", "b", weight=1)

    def __enter__(self):
        try:
            self.a.own()
            self.a.make_data()
            self.a.join()
            with self.a.connect(None) as server:
                server.cursor().execute("create database puppet")
            self.a.stop()
            shutil.copytree(self.a.data, self.b.data,
                            ignore=shutil.ignore_patterns("gvwstate.dat"))
            self.a.join()
            self.b.join(self.a)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.b.kill()
        self.a.kill()

    def size(self):
        return int(self.a.state("wsrep_cluster_size") or 0)
