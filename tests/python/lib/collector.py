"""A running collector of OpenTelemetry's, and behind it whoever it passes everything on to.

It is Rotel: it takes OTLP over HTTP in JSON, and sends it on as protobuf, which the project's own classes read here.
"""

import gzip
import http.client
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import rotel
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROGRAM = pathlib.Path(rotel.__file__).parent / "rotel-agent"
MESSAGES = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}
START_S = 20
JSON = {"content-type": "application/json"}


class Collector:
    def __init__(self):
        # What came out of it, in order: each with its path.
        self._came: list[tuple[str, object]] = []
        # `host`, `port` of its HTTP side.
        self._place = ("127.0.0.1", _free_port())
        self.url = "http://{}:{}".format(*self._place)
        self._behind = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._behind.daemon_threads = True
        threading.Thread(target=self._behind.serve_forever, daemon=True).start()
        options = {
            "otlp-http-endpoint": "{}:{}".format(*self._place),
            "otlp-grpc-endpoint": f"127.0.0.1:{_free_port()}",
            "exporter": "otlp",
            "otlp-exporter-protocol": "http",
            "otlp-exporter-endpoint": f"http://127.0.0.1:{self._behind.server_address[1]}",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        # Nothing of the environment is its business.
        self._process = subprocess.Popen([PROGRAM, "start", *arguments], env={}, stdout=subprocess.DEVNULL)
        self._until_it_listens()

    def post(self, path: str, text: str) -> int:
        """The status of its answer to a body."""
        connection = http.client.HTTPConnection(*self._place, timeout=START_S)
        try:
            connection.request("POST", path, text.encode(), JSON)
            return connection.getresponse().status
        finally:
            connection.close()

    def messages(self, path: str) -> list:
        return [message for at, message in list(self._came) if at == path]

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=START_S)
        self._behind.shutdown()

    def _until_it_listens(self):
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(self._place, 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"the collector did not start: {self._process.poll()}")

    def _handler(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector._came.append((self.path, MESSAGES[self.path].FromString(body)))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]
