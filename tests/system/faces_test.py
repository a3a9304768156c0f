#!/usr/bin/env python3
"""The broker under the names stompserver, stompserver_ng and coilmq: what "drop-in" has to mean."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
from stomp_wire import Client, Closed, Refused, encode
from waiting import wait_until

READY = re.compile(r"stompbox ready: listening on tcp://[0-9.]+:(\d+)")
REPORT = re.compile(r"(?:Queue: (\S+)\nsize: (\d+)\nenqueued: (\d+)\ndequeued: (\d+)\n\n)+")


class OldServer:
    """The program under another name, in a folder of its own; ended by its own pid."""

    def __init__(self, rig, name="stompserver", folder="site"):
        self.folder = rig.folder / folder
        self.folder.mkdir(exist_ok=True)
        self.exe = self.folder / name
        if not self.exe.is_symlink():
            self.exe.symlink_to(rig.exe)
        self.log_path = self.folder / "output"
        self.process = None
        self.daemon = None  # the pid of a process in the background
        rig._brokers.append(self)

    def run(self, *words):
        """To its end; returns the completed process."""
        return subprocess.run([str(self.exe), *map(str, words)], cwd=self.folder, timeout=30,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def start(self, *words):
        """In the foreground, until it is ready."""
        self.log_path.unlink(missing_ok=True)
        with self.log_path.open("wb") as output:
            self.process = subprocess.Popen([str(self.exe), *map(str, words)], cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(lambda: READY.search(self.log_text()) or self.process.poll() is not None,
                   "the broker is ready")
        assert self.process.poll() is None, self.log_text()
        return self

    def start_daemon(self, pid_file, *words):
        """In the background; it has to be ready when the command returns."""
        done = self.run(*words)
        assert done.returncode == 0, done
        self.daemon = int(pathlib.Path(pid_file).read_text(encoding="ascii"))
        return done

    @property
    def port(self):
        wait_until(lambda: READY.search(self.log_text()), "the log tells the port")
        return int(READY.search(self.log_text())[1])

    def client(self, version="1.0", **settings):
        return Client(self.port, version=version, **settings)

    def runs(self):
        if self.daemon is None:
            return self.process is not None and self.process.poll() is None
        stat = pathlib.Path(f"/proc/{self.daemon}/stat")
        return stat.exists() and stat.read_text(encoding="ascii").split()[2] != "Z"

    def stop(self, number=signal.SIGTERM):
        if self.daemon is not None:
            os.kill(self.daemon, number)
            wait_until(lambda: not self.runs(), "the daemon has ended")
            self.daemon = None
            return
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert code == 0, f"exit code {code}\n{self.log_text()}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self, clean):
        """For the rig: whatever still runs."""
        if self.runs():
            os.kill(self.daemon or self.process.pid, signal.SIGTERM if clean else signal.SIGKILL)
            wait_until(lambda: not self.runs(), "the broker has ended")

    def log_text(self):
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self):
        return self.log_text()


def old_store(server, data, storage=".stompserver"):
    """A copy of a storage folder that StompServer left; returns it."""
    folder = server.folder / storage
    shutil.copytree(cases.DATA / "stompserver" / data, folder)
    return folder


def fingerprint(folder):
    """Every old file with its bytes and times."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*")
            if path.is_file() and "stompbox" not in path.relative_to(folder).parts}


def take(server, destination, count, **login):
    """So many messages of a queue, acknowledged one by one, by a client that comes for them."""
    with server.client(**login) as client:
        client.frame("SUBSCRIBE", {"destination": destination, "ack": "client"}, receipt=True)
        taken = []
        for _ in range(count):
            taken.append(client.message())
            client.ack(taken[-1], receipt=True)
    return taken


# 1: the command line

def case_command_line(rig):
    """3.8.1: letters, bundles, long names and their beginnings are understood as Ruby does."""
    server = OldServer(rig)
    work = rig.folder / "work"
    server.start("-dp0", "--work", work, "--storage=queues", "-qfile", "-c", "5", "start")
    assert (work / "queues" / "stompbox").is_dir(), list(work.rglob("*"))
    assert (work / "log" / "stompserver.pid").exists()
    assert "checkpoint" in server.log_text() and "'start'" in server.log_text()
    server.stop()


@cases.each(*({"words": words} for words in (
    "--nosuch", "-x", "-p high", "--por 70000", "-p", "--debug=1", "-axd")))
def case_misuse(rig, words):
    """3.8.1: '{words}' is one sentence and exit status 1."""
    done = OldServer(rig).run(*words.split())
    assert done.returncode == 1, done
    assert done.stderr.startswith("stompserver: ") and done.stderr.count("\n") == 1, done
    assert not done.stdout, done


def case_help(rig):
    """3.8.1: -h shows the usage on standard output, exit status 0."""
    done = OldServer(rig).run("-h")
    assert done.returncode == 0 and not done.stderr, done
    for name in ("config", "port", "host", "queuetype", "working_dir", "storage", "debug", "auth",
                 "checkpoint", "help"):
        assert "--" + name in done.stdout, (name, done.stdout)


# 2: the configuration file

def case_file(rig):
    """3.8.2: the YAML file counts, the command line beats it, unknown keys are told."""
    server = OldServer(rig)
    (server.folder / "stompserver.conf").write_text(
        "--- \n:daemon: no # not now\n:working_dir: 'deep'\n:storage: .queue\n:queue: file\n"
        ":group:\n:user:\n:host: 127.0.0.1\n:port: 1\n:debug: No\n:nosuch: 1\n", encoding="utf-8")
    server.start("-p", "0")
    assert (server.folder / "deep" / ".queue" / "stompbox").is_dir()
    assert "there is no key nosuch" in server.log_text()
    server.stop()


def case_bad_file(rig):
    """3.8.2: a value that cannot be is one sentence with file and line."""
    server = OldServer(rig)
    (server.folder / "x.conf").write_text("---\n:port: high\n", encoding="utf-8")
    done = server.run("-C", "x.conf")
    assert done.returncode == 1 and "x.conf line 2" in done.stderr, done


# 3: the process

def case_foreground(rig):
    """3.8.3: folders are made, the pid file has no line feed and is gone after INT and TERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        server = OldServer(rig, folder=f"site-{number.name}")
        server.start("-w", "work", "-q", "file", "-p", "0")
        for name in ("", "log", "etc", ".stompserver"):
            assert (server.folder / "work" / name).is_dir(), name
        pid_file = server.folder / "work" / "log" / "stompserver.pid"
        assert pid_file.read_bytes() == str(server.process.pid).encode()
        server.stop(number)
        assert not pid_file.exists(), number


def debian_like(rig, server, **more):
    """A file like Debian's, every path absolute; returns (file, pid file, log)."""
    root = rig.folder / "root"
    for name in ("lib", "log", "run", "etc"):
        (root / name).mkdir(parents=True, exist_ok=True)
    more.setdefault("queue", "memory")
    lines = [":daemon: true", f":working_dir: {root / 'lib'}", f":logdir: {root / 'log'}",
             f":pidfile: {root / 'run' / 'pid'}", f":storage: {root / 'lib' / 'storage'}",
             f":etcdir: {root / 'etc'}", ":auth: false", ":debug: false", ":host: 127.0.0.1",
             ":port: 0"]
    lines += [f":{name}: {value}" for name, value in more.items()]
    path = root / "etc" / "stompserver.conf"
    path.write_text("--- \n" + "\n".join(lines) + "\n", encoding="utf-8")
    server.log_path = root / "log" / "stompserver.log"
    return path, root / "run" / "pid", root


def case_daemon(rig):
    """3.8.3: Debian's file gives a daemon, ready when the command returns; its log is a file."""
    server = OldServer(rig)
    config, pid_file, root = debian_like(rig, server)
    done = server.start_daemon(pid_file, "-C", config)
    assert not done.stdout and not done.stderr, done
    with server.client() as client:
        client.send("/queue/a", "x", receipt=True)
    assert os.readlink(f"/proc/{server.daemon}/cwd") == str(root / "lib")
    assert os.getsid(server.daemon) != os.getsid(0)
    server.stop(signal.SIGTERM)
    assert not pid_file.exists()
    assert " stopped" in server.log_text()


def case_log_rotation(rig):
    """3.8.3: HUP opens the log anew and ends nothing."""
    server = OldServer(rig)
    config, pid_file, root = debian_like(rig, server)
    server.start_daemon(pid_file, "-C", config)
    port = server.port
    old = root / "log" / "stompserver.log.1"
    server.log_path.rename(old)
    os.kill(server.daemon, signal.SIGHUP)
    wait_until(lambda: "reloaded" in server.log_text(), "the new log is written")
    assert "reloaded" not in old.read_text(encoding="utf-8")
    Client(port, version="1.0").close()
    server.stop(signal.SIGINT)


def case_daemon_fails(rig):
    """3.8.3: a daemon that cannot start says so on the caller's terminal, exit status 1."""
    server = OldServer(rig)
    config, pid_file, _ = debian_like(rig, server)
    pid_file.write_text("4194304", encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = server.run("-C", config, "-p", port)
    assert done.returncode == 1 and str(port) in done.stderr, done
    assert pid_file.read_text(encoding="ascii") == "4194304"  # not ours


def case_other_user(rig):
    """3.8.3: group and user are switched before any file is made; who may not is told."""
    server = OldServer(rig)
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        rig.folder.chmod(0o755)
        work = rig.folder / "theirs"
        work.mkdir()
        os.chown(work, user.pw_uid, user.pw_gid)
        (server.folder / "x.conf").write_text(":user: nobody\n:group: nogroup\n", encoding="utf-8")
        server.start("-C", "x.conf", "-w", work, "-q", "file", "-p", "0")
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        assert f"Uid:\t{user.pw_uid}\t{user.pw_uid}\t" in status, status
        assert {path.stat().st_uid for path in work.rglob("*")} == {user.pw_uid}
        server.stop()
    else:
        (server.folder / "x.conf").write_text(":user: root\n", encoding="utf-8")
        done = server.run("-C", "x.conf")
        assert done.returncode == 1 and "FAILED to change user:group" in done.stderr, done


# 4: passwords

def refused(server, login, passcode):
    with server.client(connect=False) as client:
        try:
            client.connect(login, passcode)
        except (Refused, Closed):
            return True
    return False


def case_passwords(rig):
    """3.8.4: with -a the old .passwd counts as it is."""
    server = OldServer(rig)
    (server.folder / "etc").mkdir()
    (server.folder / "etc" / ".passwd").write_text(
        "# users\n  anna:secret  \nwith:colon:last\n", encoding="utf-8")
    server.start("-ap0")
    assert not refused(server, "anna", "secret")
    assert not refused(server, "with:colon", "last")
    assert refused(server, "anna", "wrong")
    assert refused(server, "with", "colon:last")
    server.stop()


def case_no_passwords(rig):
    """3.8.4: -a without that file lets nobody in, and the log warns."""
    server = OldServer(rig)
    server.start("-a", "-p", "0")
    assert refused(server, "anna", "secret")
    wait_until(lambda: ".passwd" in server.log_text(), "the log warns")
    server.stop()


# 5: destinations

def case_destinations(rig):
    """3.8.5: what begins with /queue is a queue, anything else a topic."""
    server = OldServer(rig)
    server.start("-p", "0")
    with server.client() as client:
        for name in ("/queue/a", "/queuefoo", "/queue/deep/er*"):
            client.send(name, name, receipt=True)
            assert take(server, name, 1)[0].text() == name
        for name in ("news", "/news", "/topic/news", "a,b", "/topic/a.>"):
            client.send(name, "too early", receipt=True)
            client.frame("SUBSCRIBE", {"destination": name}, receipt=True)
            client.send(name, "in time", receipt=True)
            message = client.message()
            assert (message.text(), message["destination"]) == ("in time", name), message
            client.frame("UNSUBSCRIBE", {"destination": name}, receipt=True)
    server.stop()


# 6: the monitor queue

def report(message):
    assert message["destination"] == "/queue/monitor", message
    assert int(message["content-length"]) == len(message.body), message
    assert message["message-id"], message
    assert REPORT.fullmatch(message.text()), message
    return {name: tuple(map(int, numbers)) for name, *numbers in re.findall(
        r"Queue: (\S+)\nsize: (\d+)\nenqueued: (\d+)\ndequeued: (\d+)\n", message.text())}


def case_monitor(rig):
    """3.8.6: each subscriber of /queue/monitor gets the report at once and every five seconds."""
    server = OldServer(rig)
    server.start("-p", "0")
    with server.client() as one, server.client() as two:
        one.send("/queue/a", "x", receipt=True)
        one.send("/queue/a", "y", receipt=True)
        take(server, "/queue/a", 1)
        one.frame("SUBSCRIBE", {"destination": "/queue/monitor"}, receipt=True)
        began = time.monotonic()
        first = report(one.message(3))
        assert first == {"/queue/a": (1, 2, 1)}, first
        two.frame("SUBSCRIBE", {"destination": "/queue/monitor"}, receipt=True)
        assert report(two.message(7)) == first
        assert report(one.message(7)) == first
        assert 4.0 < time.monotonic() - began < 7.5, time.monotonic() - began
        one.send("/queue/monitor", "by hand", receipt=True)
        assert one.message().text() == "by hand"
    server.stop()


def case_monitor_without_queues(rig):
    """3.8.6: without queues nothing is sent; a message's own queue is in the next report."""
    server = OldServer(rig)
    server.start("-p", "0")
    with server.client() as client:
        client.frame("SUBSCRIBE", {"destination": "/queue/monitor"}, receipt=True)
        client.send("/queue/b", "x", receipt=True)
        found = report(client.message(7))
        assert found == {"/queue/b": (1, 1, 0)}, found
    server.stop()


# 7: clients of 1.0

def case_old_client(rig):
    """3.8.7, 3.8.10: a session header, values with colons, no receipt that leaks, CR LF."""
    server = OldServer(rig)
    server.start("-p", "0")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        peer.sendall(b"CONNECT\r\nlogin: a \r\npasscode:b\r\n\r\n\0\n"
                     b"SUBSCRIBE\r\ndestination: /queue/a \r\nack:client\r\n\r\n\0\n"
                     b"SEND\ndestination:/queue/a\nreceipt: r 1 \nmine:x:y\n\nhello\0\n")
        text = b""
        while text.count(b"\0") < 3:
            piece = peer.recv(65536)
            assert piece, text
            text += piece
    frames = [frame.lstrip(b"\n") for frame in text.split(b"\0")]
    assert frames[0].startswith(b"CONNECTED\n") and b"\nsession:" in frames[0], frames
    assert any(b"receipt-id:r 1\n" in frame for frame in frames[1:]), frames
    message = next(frame for frame in frames[1:] if frame.startswith(b"MESSAGE\n"))
    assert b"\nmine:x:y\n" in message and b"\nmessage-id:" in message, message
    assert b"\nreceipt:" not in message and message.endswith(b"\n\nhello"), message
    server.stop()


def case_one_by_one(rig):
    """3.8.7: ack:client has one message at a time, in order; what comes back is the next one."""
    server = OldServer(rig)
    server.start("-p", "0")
    with server.client() as sender:
        for number in range(4):
            sender.send("/queue/a", str(number), receipt=True)
    first = server.client()
    first.frame("SUBSCRIBE", {"destination": "/queue/a", "ack": "client"}, receipt=True)
    assert first.message().text() == "0"
    first.send("/topic/nobody", "a round trip", receipt=True)
    first.poll()
    assert not first.take_kept(), "a second message without an ACK"
    first.close()
    assert [message.text() for message in take(server, "/queue/a", 4)] == list("0123")
    server.stop()


# 8, 9: stores

@cases.each({"store": "file"}, {"store": "dbm"}, {"store": "activerecord"})
def case_durable(rig, store):
    """3.8.8, 3.8.9: with -q {store} all queue messages survive kill -9, persistent or not."""
    server = OldServer(rig)
    server.start("-q", store, "-p", "0")
    with server.client() as client:
        client.send("/queue/a", "plain", receipt=True)
        client.send("/queue/a", "said no", receipt=True, persistent="false")
    server.kill()
    server.start("-q", store, "-p", "0")
    assert [m.text() for m in take(server, "/queue/a", 2)] == ["plain", "said no"]
    server.stop()


def case_memory(rig):
    """3.8.8: -q memory, the default, keeps nothing and leaves an old store alone."""
    server = OldServer(rig)
    storage = old_store(server, "ruby31")
    before = fingerprint(storage)
    server.start("-p", "0")
    server.stop()
    assert fingerprint(storage) == before and not (storage / "stompbox").exists()


@cases.each({"ruby": "ruby31"}, {"ruby": "ruby18"})
def case_import(rig, ruby):
    """3.8.8: an old file store of {ruby} is taken over once, in order, and is not touched."""
    server = OldServer(rig)
    storage = old_store(server, ruby)
    before = fingerprint(storage)
    server.start("-q", "file", "-p", "0")
    assert "old-queues-taken-over" in server.log_text() and "messages=5" in server.log_text()
    taken = take(server, "/queue/a", 2)
    assert [message.text() for message in taken] == ["message 1", "message 2"]
    assert taken[0]["x-number"] == "1" and "receipt" not in taken[0].headers, taken
    first, second = take(server, "/queue/b/c", 2)
    assert first.body == b"\0\xff\n\0" and first["content-length"] == "4", first
    assert second["colon"] == "a:b:c" and second.body == b"", second
    server.stop()
    server.start("-q", "file", "-p", "0")
    assert [message.text() for message in take(server, "/queue/a", 1)] == ["message 3"]
    with server.client() as client:
        client.frame("SUBSCRIBE", {"destination": "/queue/a", "ack": "client"}, receipt=True)
        client.send("/queue/a", "the next", receipt=True)
        assert client.message().text() == "the next"
    server.stop()
    assert fingerprint(storage) == before


def case_import_of_damage(rig):
    """3.8.8: damaged files of an old store are told, a line each; the others are taken over."""
    server = OldServer(rig)
    old_store(server, "damaged")
    server.start("-q", "file", "-p", "0")
    assert server.log_text().count("old-message-skipped") == 3, server.log_text()
    assert [m.text() for m in take(server, "/queue/d", 3)] == ["message 1", "message 4",
                                                               "message 6"]
    server.stop()


def case_import_of_dbm(rig):
    """3.8.8: an old dbm store is recognised, refused with the way out, and not touched."""
    server = OldServer(rig)
    storage = old_store(server, "dbm")
    before = fingerprint(storage)
    done = server.run("-q", "dbm", "-p", "0")
    assert done.returncode == 1, done
    assert "dbm" in done.stderr and "--storage" in done.stderr, done
    assert fingerprint(storage) == before and not (storage / "stompbox").exists()
    assert not (server.folder / "log" / "stompserver.pid").exists()


# 10: what is not kept

def case_no_crash(rig):
    """3.8.10: a consumer that goes with the queue's last message takes nothing along."""
    server = OldServer(rig)
    server.start("-q", "file", "-p", "0")
    client = server.client()
    client.frame("SUBSCRIBE", {"destination": "/queue/a", "ack": "client"}, receipt=True)
    client.send("/queue/a", "only one", receipt=True)
    assert client.message().text() == "only one"
    client.close()
    assert take(server, "/queue/a", 1)[0].text() == "only one"
    server.stop()


def case_receipts(rig):
    """3.8.10: one receipt for each frame that asks, in a transaction and for DISCONNECT too."""
    server = OldServer(rig)
    server.start("-p", "0")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        peer.sendall(b"".join([
            encode("CONNECT", {}, version="1.0"),
            encode("BEGIN", {"transaction": "t", "receipt": "begin"}, version="1.0"),
            encode("SEND", {"destination": "/queue/a", "transaction": "t", "receipt": "send"},
                   b"x", version="1.0"),
            encode("COMMIT", {"transaction": "t", "receipt": "commit"}, version="1.0"),
            encode("DISCONNECT", {"receipt": "bye"}, version="1.0")]))
        text = b"".join(iter(lambda: peer.recv(65536), b""))
    for name in (b"begin", b"send", b"commit", b"bye"):
        assert text.count(b"receipt-id:" + name + b"\n") == 1, (name, text)
    server.stop()


def case_automatic_messages_have_ids(rig):
    """3.8.10: a message to a waiting ack:auto consumer has an id and no receipt of its sender."""
    server = OldServer(rig)
    server.start("-p", "0")
    with server.client() as consumer, server.client() as sender:
        consumer.frame("SUBSCRIBE", {"destination": "/queue/a"}, receipt=True)
        sender.send("/queue/a", "x", receipt=True, time="12:30:15")
        message = consumer.message()
        assert message["message-id"] and message["time"] == "12:30:15", message
        assert "receipt" not in message.headers, message
    server.stop()


# The other names

def case_ng(rig):
    """stompserver_ng has its own flags, -z among them, and a fourth line in its reports."""
    server = OldServer(rig, "stompserver_ng")
    server.log_path = server.folder / "logs" / "ng.log"
    server.start_daemon(server.folder / "logs" / "ng.pid", "-zq", "file", "-p0", "-D", "logs",
                        "-L", "ng.log", "-P", "ng.pid", "-l", "info", "-S", "25")
    with server.client() as client:
        client.send("/queue/a", "x", receipt=True)
        client.frame("SUBSCRIBE", {"destination": "/queue/monitor"}, receipt=True)
        text = client.message(7).text()
        assert text == "Queue: /queue/a\nsize: 1\nenqueued: 1\ndequeued: 0\nexceptions: 0\n\n", text
    server.stop()
    assert not (server.folder / "logs" / "ng.pid").exists()


def case_coilmq(rig):
    """coilmq reads its INI file and its users; -d gives a daemon with pid file and mask."""
    server = OldServer(rig, "coilmq")
    (server.folder / "users.ini").write_text("[auth]\nscott = tiger\n", encoding="utf-8")
    (server.folder / "c.ini").write_text(
        "[coilmq]\nlisten_port = 0\nqstore.factory = coilmq.store.dbm.make_dbm\n"
        "qstore.dbm.data_dir = data\nauth.factory = coilmq.auth.simple:make_simple\n"
        "auth.simple.file = users.ini\n", encoding="utf-8")
    (server.folder / "data").mkdir()
    server.log_path = server.folder / "coil.log"
    pid_file = server.folder / "coil.pid"
    server.start_daemon(pid_file, "-d", "-c", "c.ini", "-l", "coil.log", "--pidfile", "coil.pid",
                        "--umask", "077", "--rundir", server.folder)
    assert pid_file.stat().st_mode & 0o777 == 0o600, oct(pid_file.stat().st_mode)
    assert refused(server, "scott", "lion")
    with server.client(login="scott", passcode="tiger") as client:
        client.send("/queue/a", "x", receipt=True)
    taken = take(server, "/queue/a", 1, login="scott", passcode="tiger")
    assert taken[0].text() == "x"
    assert (server.folder / "data" / "stompbox" / "queue").is_dir()
    server.stop()


def case_ruby_client(rig):
    """ruby-stomp in 1.0 sends to a stompserver and receives what it sent."""
    server = OldServer(rig)
    server.start("-q", "file", "-p", "0")
    script = pathlib.Path(__file__).with_name("ruby_client.rb")
    for what in ("send_and_receive", "binary_body", "headers_of_all_kinds"):
        done = subprocess.run(["ruby", str(script), str(server.port), what, "1.0"], timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
    server.stop()


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
