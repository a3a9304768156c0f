"""What the suites that drive stompjs share: its installation, and a broker that comes back."""

import fcntl
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "system" / "stompjs"


def install(rig):
    """A folder beside the program with our scripts and the packages that the lock file names."""
    folder = rig.exe.parent / "stompjs"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as door:  # suites run side by side
        fcntl.flock(door, fcntl.LOCK_EX)
        for source in SOURCES.iterdir():
            if source.name != "package-lock.json":
                _place(source, folder / source.name)
        _install_packages(folder)
    return folder


def _place(source, target):
    """A copy that nobody sees half: another suite's node may be reading the old one."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    draft = target.with_name(target.name + ".new")
    shutil.copy(source, draft)
    draft.replace(target)


def _install_packages(folder):
    lock = (SOURCES / "package-lock.json").read_bytes()
    done = folder / "node_modules" / ".installed"
    if done.exists() and done.read_bytes() == lock:
        return
    (folder / "package-lock.json").write_bytes(lock)
    subprocess.run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund",
                    "--ignore-scripts"], cwd=folder, check=True, timeout=170,
                   stdin=subprocess.DEVNULL)
    done.write_bytes(lock)


def url_of(broker, scheme, host="127.0.0.1"):
    """Where the broker listens for a scheme."""
    for line in (broker.folder / "ready").read_text(encoding="ascii").splitlines():
        if line.startswith(scheme + "://"):
            return f"{scheme}://{host}:{line.rpartition(':')[2]}"
    raise AssertionError(f"no listener for {scheme}")


def restart_on_same_ports(broker):
    """kill -9 and a new start, with every listener where it was."""
    broker.kill()
    lines = (broker.folder / "ready").read_text(encoding="ascii").splitlines()
    broker.wanted_port = broker.port
    rest = iter(lines[1:])
    broker.arguments = [next(rest) if str(word).endswith("://127.0.0.1:0") else word
                        for word in broker.arguments]
    broker.start()
