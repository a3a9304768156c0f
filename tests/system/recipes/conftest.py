import os, pytest, socket, subprocess, time
@pytest.fixture(scope="session")
def stompbox(tmp_path_factory):
    at = tmp_path_factory.mktemp("stompbox")
    command = [os.environ.get("STOMPBOX", "stompbox"), "serve", "--ephemeral", "--ready-file",
        at / "ready", "--exit-when-stdin-closes", "--listen", "tcp://127.0.0.1:0",
        "--control-socket", at / "door"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as broker:
        while not (at / "ready").exists() and broker.poll() is None: time.sleep(0.002)
        yield int((at / "ready").read_text().split()[0].rpartition(":")[2]), at / "door"
@pytest.fixture
def stomp_port(stompbox):  # of a broker that is empty
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(stompbox[1])), door.send(b'{"verb":"reset"}\n'), door.recv(4096)
    return stompbox[0]
