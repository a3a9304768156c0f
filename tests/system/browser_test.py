#!/usr/bin/env python3
"""A page in a real Chromium talks to the broker with @stomp/stompjs."""

import http.server
import pathlib
import queue
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import node_clients
from waiting import wait_until

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript"}


class PageServer:
    """Serves the page and the library; what the page reports is in `results`."""

    def __init__(self, folder):
        self.results = queue.Queue()
        self._files = {"/page.html": folder / "page.html"}
        script = folder / "node_modules" / "@stomp" / "stompjs" / "bundles" / "stomp.umd.min.js"
        self._files["/stomp.umd.min.js"] = script
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._answer())
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self):
        files, results = self._files, self.results

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = files.get(self.path.partition("?")[0])
                self.send_response(200 if path else 404)
                if path:
                    self.send_header("Content-Type", TYPES[path.suffix])
                self.end_headers()
                self.wfile.write(path.read_bytes() if path else b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(204)
                self.end_headers()
                results.put(body)

            def log_message(self, *_):
                pass
        return Answer


def browse(rig, page, url):
    """What the page reports, once; the browser ends with it."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
               "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
               f"--user-data-dir={rig.folder / 'chromium'}", url]
    with (rig.folder / "chromium.log").open("ab") as log:
        browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        return page.results.get(timeout=60)
    except queue.Empty:
        raise AssertionError((rig.folder / "chromium.log").read_text()[-3000:]) from None
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()


def case_page(rig):
    """a page sends a transaction of texts, a megabyte and bytes, and gets and acks all of them"""
    broker = rig.broker("--catalog-store", "none", "--listen", "ws://127.0.0.1:0")
    with PageServer(node_clients.install(rig)) as page:
        told = browse(rig, page, f"{page.origin}/page.html?broker="
                                 f"{node_clients.url_of(broker, 'ws')}/")
    assert told == "good", told
    wait_until(lambda: broker.backlog("page") == 0, "all is acknowledged")
    assert "protocol-error" not in broker.log()


def case_foreign_page(rig):
    """a page of an origin that is not allowed gets no WebSocket"""
    broker = rig.broker("--catalog-store", "none",
                        "--listen", "ws://127.0.0.1:0?origin=https://shop.example")
    with PageServer(node_clients.install(rig)) as page:
        told = browse(rig, page, f"{page.origin}/page.html?broker="
                                 f"{node_clients.url_of(broker, 'ws')}/")
    assert told == "the WebSocket failed", told


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
