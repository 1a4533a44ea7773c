"""The built Worker in workerd, started as the Node tests start it, and the words its keys are stored by."""

import hashlib
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


def entry_of(key: str) -> str:
    """The name in KV of what is kept of a gateway key."""
    return f"key:{hashlib.sha256(key.encode()).hexdigest()}"


class Gateway:
    def __init__(self, documents: dict, bindings: dict):
        self._process = subprocess.Popen(
            ["node", str(ROOT / "tests/e2e/lib/serve.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._process.stdin.write(json.dumps({"documents": documents, "bindings": bindings}) + "\n")
        self._process.stdin.flush()
        self.url = self._process.stdout.readline().strip().rstrip("/")
        if not self.url:
            raise SystemExit("the gateway did not start")

    def stop(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
