"""A scripted upstream on loopback. The first segment of a path names the provider, so one server plays any number of them."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """A request that reached a provider; `path` is without the provider's name."""

    path: str
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> dict:
        return json.loads(self.text)

    @property
    def streams(self) -> bool:
        return ":streamGenerateContent" in self.path or self.body.get("stream") is True


@dataclass
class Whole:
    body: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Frames:
    """A stream. `cut`: the connection ends without the last of its chunks, as when a provider falls over."""

    frames: list[str]
    cut: bool = False


Script = Callable[[Asked], Whole | Frames]


class Upstream:
    def __init__(self):
        self._scripts: dict[str, Script] = {}
        self._asked: list[tuple[str, Asked]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def script(self, provider: str, script: Script):
        """What `provider` answers from now on."""
        self._scripts[provider] = script

    def last(self, provider: str) -> Asked:
        return self.all(provider)[-1]

    def all(self, provider: str) -> list[Asked]:
        return [asked for name, asked in list(self._asked) if name == provider]

    def stop(self):
        self._server.shutdown()

    def _handler(self):
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                provider, _, path = self.path.lstrip("/").partition("/")
                asked = Asked(f"/{path}", {name.lower(): value for name, value in self.headers.items()}, text)
                upstream._asked.append((provider, asked))
                answer = upstream._scripts[provider](asked)
                if isinstance(answer, Whole):
                    self._whole(answer)
                else:
                    self._stream(answer)

            def _whole(self, answer: Whole):
                body = json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", "content-length": str(len(body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def _stream(self, answer: Frames):
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for frame in answer.frames:
                    data = frame.encode()
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                    self.wfile.flush()
                if answer.cut:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass

        return Handler
