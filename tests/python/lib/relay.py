"""Stands before a server and passes everything on, so that what the server was told and what it said of it is known."""

import http.client
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Relay:
    def __init__(self, target: str):
        self.target = target
        self._host = urllib.parse.urlsplit(target).netloc
        # Path and body of each answer, in order.
        self.answers: list[tuple[str, bytearray]] = []
        # Of each call: its path, its body, and the status of the answer.
        self.calls: list[tuple[str, bytes, int]] = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def usages(self) -> list[dict]:
        """Of the last answer: each object under `usage`, in the order they came."""
        text = self.answers[-1][1].decode()
        bodies = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")] or [text]
        parsed = [json.loads(body) for body in bodies]
        holders = [holder for body in parsed for holder in (body, body.get("message"), body.get("response")) if holder]
        return [holder["usage"] for holder in holders if holder.get("usage")]

    def _handler(self):
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                upstream = http.client.HTTPConnection(relay._host)
                kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
                upstream.request("POST", self.path, body, kept)
                answer = upstream.getresponse()
                relay.calls.append((self.path, body, answer.status))
                self.send_response(answer.status)
                self.send_header("content-type", answer.getheader("content-type"))
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                # Kept before it is passed on: who has the last of it may ask at once.
                kept_body = bytearray()
                relay.answers.append((self.path, kept_body))
                while piece := answer.read1(65536):
                    kept_body += piece
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass

        return Handler
