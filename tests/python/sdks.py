"""The Python SDKs as their users run them, against the built Worker and scripted providers of every dialect.

Only base URL, key and model name are the gateway's. Needs Node, a built Worker and `pip install -r requirements.txt`.
`CASES=pattern` runs only the cases whose names match. Ends with `N passed, N failed`.
"""

import asyncio
import base64
import contextlib
import functools
import json
import struct
import sys

import anthropic
import openai
import tiktoken
from google import genai
from google.genai import types as google
from langchain_core import exceptions as langchain
from langchain_openai import OpenAIEmbeddings
from pydantic import BaseModel

from lib import cases
from lib.clients import CLIENTS, Ask, Tool
from lib.gateway import Gateway, entry_of
from lib.shapes import SHAPES, Call, Said, Told, breaks, says, structured
from lib.upstream import Asked, Upstream, Whole

KEY = "pk-python-gateway-key"
RESTRICTED_KEY = "pk-python-restricted-key"
UP_KEY = "sk-python-upstream-canary"
MAX_BODY = 200_000
SYSTEM = "You are a harbour pilot."
QUESTION = "What is the weather in Lisbon?"
PIECES = ["Sunny, ", "21 °C ", "☀️"]
WEATHER = Tool(
    "get_weather",
    "The weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
)
CALLS = [Call("call_one", "get_weather", {"city": "Lisboa", "days": 2}), Call("call_two", "get_weather", {"city": 'Porto "do" mar\n'})]
STATUSES = [400, 401, 403, 404, 408, 413, 429, 500, 503, 529]
# Operators' credentials are no business of callers; a timeout is told as the gateway's; 529 is known to Anthropic's only.
TOLD = {401: (502,), 403: (502,), 408: (504,), 529: (503, 529)}
VECTORS = [[0.25, -1.5, 3.0], [0.5, 2.0, -0.125]]


class Reading(BaseModel):
    place: str
    degrees: int


class Report(BaseModel):
    """What the weather is like."""

    verdict: str
    degrees: int
    tags: list[str]
    readings: list[Reading]


REPORT = {"verdict": "sunny", "degrees": 21, "tags": ["a", "b"], "readings": [{"place": "Lisboa", "degrees": 22}]}

upstream = Upstream()


def provider_of(shape: str) -> str:
    # Only the catalog's own OpenAI speaks Responses, and only on that path with this model.
    return "openai" if shape == "responses" else f"py-{shape}"


def model_of(shape: str, plain: bool = False) -> str:
    return "m-codex" if shape == "responses" else "plain" if plain else "m"


def entry(shape: str, name: str) -> dict:
    known = {"context": 131_072, "max_output": 8192, "price": {"input": 1, "output": 2}}
    able = {**known, "supports": ["tools", "vision", "json_schema"]}
    # One that cannot be asked for a schema: then a tool is forced whose input is the answer.
    unable = {**known, "supports": ["tools"]}
    row = {"base_url": f"{upstream.origin}/{name}{SHAPES[shape].base}", "keys": ["${UP_KEY}"]}
    row["models"] = {model_of(shape): able} if shape == "responses" else {"m": able, "plain": unable}
    return row if name == "openai" else {**row, "kind": SHAPES[shape].kind}


def failing(shape: str, status: int) -> str:
    return f"py-{shape}-{status}"


def documents() -> dict:
    providers = {provider_of(shape): entry(shape, provider_of(shape)) for shape in SHAPES}
    routes = {f"on-{shape}": {"targets": [f"{provider_of(shape)}/{model_of(shape)}"]} for shape in SHAPES}
    for shape in ("chat", "anthropic", "gemini"):
        for status in STATUSES:
            providers[failing(shape, status)] = entry(shape, failing(shape, status))
        providers[f"py-{shape}-broken"] = entry(shape, f"py-{shape}-broken")
    providers["py-native-anthropic"] = entry("anthropic", "py-native-anthropic")
    providers["py-floats"] = entry("chat", "py-floats")
    return {
        "settings": {"allow_private_upstreams": True, "max_body_bytes": MAX_BODY},
        "providers": providers,
        "routes": routes,
        entry_of(RESTRICTED_KEY): {"name": "restricted", "routes": ["nothing-else"]},
    }


gateway: Gateway
CASES: dict = {}


def case(name: str):
    def keep(check):
        CASES[name] = check
        return check

    return keep


@functools.cache
def client(name: str, key: str = KEY):
    return CLIENTS[name](gateway.url, key)


# Each caller with a provider of its own name, so that a few can run at once.
def scripted(shape: str, script) -> str:
    upstream.script(provider_of(shape), script)
    return f"on-{shape}"


def same(found: object, expected: object, what: object = ""):
    assert found == expected, f"{found!r} is not {expected!r} {what}"


def plain(calls: list[Call]) -> list[tuple[str, dict]]:
    return [(call.name, call.args) for call in calls]


def text_and_usage(name: str, shape: str, stream: bool):
    model = scripted(shape, says(SHAPES[shape], Said(text=PIECES)))
    answer = client(name).ask(Ask(model, QUESTION, system=SYSTEM, stream=stream))
    same(answer.text, "".join(PIECES))
    same((answer.usage, answer.end), ((120, 16, 30), "stop"))
    asked = upstream.last(provider_of(shape))
    same(SHAPES[shape].system(asked.body), SYSTEM)
    assert QUESTION in asked.text and asked.streams == stream, asked.text
    assert UP_KEY in str(asked.headers) and KEY not in str(asked.headers), asked.headers


def tool_loop(name: str, shape: str, stream: bool):
    model = scripted(shape, says(SHAPES[shape], Said(text=["Let me look."], calls=CALLS)))
    ask = Ask(model, QUESTION, tools=[WEATHER], stream=stream)
    first = client(name).ask(ask)
    same(plain(first.calls), plain(CALLS))
    same((first.text, first.end), ("Let me look.", "calls"))
    if name == "google-genai" or shape == "gemini":
        # Gemini 2.5's calls have no ids: what the others need is made up, and each its own.
        assert len({call.id for call in first.calls}) == 2 or name == "google-genai", first.calls
    else:
        same([call.id for call in first.calls], [call.id for call in CALLS])
    results = ["sunny in Lisboa", 'rain in "Porto"\n']
    scripted(shape, says(SHAPES[shape], Said(text=["Both known."])))
    second = client(name).ask(Ask(model, QUESTION, tools=[WEATHER], stream=stream, earlier=(first, results)))
    same(second.text, "Both known.")
    same(SHAPES[shape].told(upstream.last(provider_of(shape)).body), Told(plain(CALLS), results))


def structured_output(name: str, shape: str, model: str, stream: bool):
    upstream.script(provider_of(shape), structured(SHAPES[shape], REPORT))
    answer = client(name).ask(Ask(model, QUESTION, schema=Report, stream=stream))
    same(answer.parsed, Report(**REPORT))
    same(wanted_order(upstream.last(provider_of(shape)).body), list(REPORT))


def wanted_order(sent: object) -> list[str] | None:
    """The members of the report in the order that a request names them, in a schema or in a text that holds one."""
    if isinstance(sent, str) and "{" in sent:
        with contextlib.suppress(json.JSONDecodeError):
            return wanted_order(json.JSONDecoder().raw_decode(sent[sent.index("{") :])[0])
    if isinstance(sent, dict):
        if "verdict" in sent.get("properties", {}):
            return list(sent["properties"])
        sent = list(sent.values())
    if isinstance(sent, list):
        return next((order for part in sent if (order := wanted_order(part))), None)
    return None


def expected_class(sdk, status: int) -> type:
    """The exception that the SDK has for a status."""
    if sdk is genai.errors:
        return genai.errors.ClientError if status < 500 else genai.errors.ServerError
    common = {400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError", 429: "RateLimitError"}
    own = {413: "ContentTooLargeError", 503: "ServiceUnavailableError", 504: "GatewayTimeoutError", 529: "OverloadedError"}
    name = common.get(status) or (own.get(status) if sdk is anthropic else None)
    return getattr(sdk, name or ("InternalServerError" if status >= 500 else "APIStatusError"))


# What LangChain makes of it, whoever the provider is.
MODEL_ERRORS = {
    400: langchain.ModelInvalidRequestError,
    401: langchain.ModelAuthenticationError,
    403: langchain.ModelPermissionDeniedError,
    404: langchain.ModelNotFoundError,
    429: langchain.ModelRateLimitError,
    500: langchain.ModelAPIError,
}
GOOGLE_WORDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}  # fmt: skip
ANTHROPIC_WORDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 502: "api_error", 503: "overloaded_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def is_raised_as(name: str, error: Exception, statuses: tuple[int, ...]):
    sdk = client(name).errors
    status = error.code if sdk is genai.errors else error.status_code
    assert status in statuses, f"{status}: {error!r}"
    expected = expected_class(sdk, status)
    if name.startswith("langchain"):
        assert isinstance(error, expected), f"{type(error)} for {status}"
        if classified := MODEL_ERRORS.get(500 if status >= 500 else status):
            assert isinstance(error, classified), f"{type(error)} for {status}"
    else:
        same(type(error), expected, status)
    if sdk is genai.errors:
        same(error.status, GOOGLE_WORDS[status])
        assert error.message, error.details
    elif sdk is anthropic:
        same(error.type, ANTHROPIC_WORDS[status])
        assert error.request_id and error.api_message, error.body
    else:
        assert error.request_id and error.type and error.body["message"], error.body
    assert UP_KEY not in f"{error} {error.args}"


def provider_refuses(name: str, shape: str, status: int, stream: bool):
    provider = failing(shape, status)
    message = f"Incorrect API key provided: {UP_KEY}" if status in (401, 403) else "the provider says no"
    upstream.script(provider, lambda _: Whole(SHAPES[shape].error(status, message), status))
    error = cases.raised(lambda: client(name).ask(Ask(f"{provider}/m", QUESTION, stream=stream)))
    is_raised_as(name, error, TOLD.get(status, (status,)))
    if status in (400, 404, 413):
        assert "the provider says no" in str(error), error


def stream_breaks(name: str, shape: str):
    provider = f"py-{shape}-broken"
    upstream.script(provider, breaks(SHAPES[shape], Said(text=PIECES * 4)))
    error = cases.raised(lambda: client(name).ask(Ask(f"{provider}/m", QUESTION, stream=True)))
    errors = {openai: openai.APIError, anthropic: anthropic.APIStatusError, genai.errors: genai.errors.ServerError}
    assert isinstance(error, errors[client(name).errors]), repr(error)


def gateway_refuses(name: str, key: str, model: str, prompt: str, status: int):
    error = cases.raised(lambda: CLIENTS[name](gateway.url, key).ask(Ask(model, prompt)))
    is_raised_as(name, error, (status,))


for name in CLIENTS:
    for shape in SHAPES:
        for stream in (False, True):
            how = "streamed" if stream else "whole"
            CASES[f"{name} on {shape}: text and usage, {how}"] = functools.partial(text_and_usage, name, shape, stream)
            CASES[f"{name} on {shape}: two tool calls at once, {how}"] = functools.partial(tool_loop, name, shape, stream)
            # LangChain streams what it parses only piece by piece.
            if not (stream and name.startswith("langchain")):
                check = functools.partial(structured_output, name, shape, f"on-{shape}", stream)
                CASES[f"{name} on {shape}: a pydantic answer, {how}"] = check
        if shape != "responses":
            check = functools.partial(structured_output, name, shape, f"{provider_of(shape)}/plain", False)
            CASES[f"{name} on {shape}: a pydantic answer of a model that takes no schema"] = check
            CASES[f"{name} on {shape}: a stream that breaks off"] = functools.partial(stream_breaks, name, shape)
            for index, status in enumerate(STATUSES):
                check = functools.partial(provider_refuses, name, shape, status, index % 2 == 1)
                CASES[f"{name} on {shape}: a provider's {status}"] = check
    for what, *row in (
        ("a wrong key is a 401", "pk-wrong", "on-chat", QUESTION, 401),
        ("a restricted key is a 403", RESTRICTED_KEY, "on-chat", QUESTION, 403),
        ("an unknown model is a 404", KEY, "nobody/knows", QUESTION, 404),
        ("a body too large is a 413", KEY, "on-chat", "harbour " * MAX_BODY, 413),
    ):
        CASES[f"{name}: {what}"] = functools.partial(gateway_refuses, name, *row)


# ---- embeddings


def embeds(shape: str, tokens: int = 9, obeys: bool = True):
    def script(asked: Asked) -> Whole:
        count = len(SHAPES[shape].texts(asked.body))
        return Whole(SHAPES[shape].embeddings(asked, VECTORS[:count], tokens, obeys))

    return script


def openai_embeds(shape: str, provider: str, obeys: bool, encoding: str | None):
    upstream.script(provider, embeds(shape, obeys=obeys))
    sdk = client("openai chat").sdk
    asked = {"encoding_format": encoding} if encoding else {}
    raw = sdk.embeddings.with_raw_response.create(model=f"{provider}/m", input=["one", "two"], dimensions=3, **asked)
    on_the_wire = raw.http_response.json()["data"][0]["embedding"]
    # The SDK asks for base64 unless told otherwise, and an SDK in another language takes nothing else.
    assert isinstance(on_the_wire, list if encoding == "float" else str), on_the_wire
    answer = raw.parse()
    # What was asked for as text is left as text.
    unpack = lambda packed: list(struct.unpack("<3f", base64.b64decode(packed)))
    same([unpack(e.embedding) if encoding == "base64" else e.embedding for e in answer.data], VECTORS)
    same([item.index for item in answer.data], [0, 1])
    assert answer.usage.prompt_tokens > 0, answer
    if shape == "chat":
        same(answer.usage.prompt_tokens, 9)
    same(SHAPES[shape].texts(upstream.last(provider).body), ["one", "two"])
    assert '"dimensions":3' in upstream.last(provider).text.replace(" ", "") or shape == "gemini"
    if shape == "gemini":
        same([one["outputDimensionality"] for one in upstream.last(provider).body["requests"]], [3, 3])


for shape, provider, obeys in (("chat", "py-chat", True), ("chat", "py-floats", False), ("gemini", "py-gemini", True)):
    for encoding in (None, "float", "base64"):
        check = functools.partial(openai_embeds, shape, provider, obeys, encoding)
        CASES[f"openai embeds on {provider}: {encoding or 'the default'}"] = check


@case("openai embeds one text")
def _():
    upstream.script("py-chat", embeds("chat"))
    answer = client("openai chat").sdk.embeddings.create(model="py-chat/m", input="one")
    same([item.embedding for item in answer.data], VECTORS[:1])


def google_embeds(shape: str, contents: str | list[str]):
    provider = f"py-{shape}"
    upstream.script(provider, embeds(shape))
    config = google.EmbedContentConfig(output_dimensionality=3)
    answer = client("google-genai").sdk.models.embed_content(model=f"{provider}/m", contents=contents, config=config)
    count = 1 if isinstance(contents, str) else len(contents)
    same([embedding.values for embedding in answer.embeddings], VECTORS[:count])
    same(SHAPES[shape].texts(upstream.last(provider).body), [contents] if isinstance(contents, str) else contents)


for shape in ("chat", "gemini"):
    for what, contents in (("one text", "one"), ("two texts", ["one", "two"])):
        CASES[f"google-genai embeds {what} on {shape}"] = functools.partial(google_embeds, shape, contents)


def langchain_embeddings(model: str) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(model=model, base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0, tiktoken_model_name="text-embedding-3-small")


@case("langchain-openai embeds token arrays on chat")
def _():
    upstream.script("py-chat", embeds("chat"))
    found = langchain_embeddings("py-chat/m").embed_documents(["one", "two"])
    for vector, expected in zip(found, VECTORS, strict=True):
        # LangChain scales what it puts together of pieces.
        same([round(v, 4) for v in vector], [round(v, 4) for v in expected])
    same(upstream.last("py-chat").body["input"], [list(b"one"), list(b"two")])


@case("langchain-openai embeds token arrays where no provider takes them: 400")
def _():
    before = len(upstream.all("py-gemini"))
    error = cases.raised(lambda: langchain_embeddings("py-gemini/m").embed_documents(["one"]))
    assert isinstance(error, openai.BadRequestError) and "token" in str(error), repr(error)
    same(len(upstream.all("py-gemini")), before)


# ---- counting, listing, and not waiting


@case("anthropic counts where the provider does")
def _():
    upstream.script("py-native-anthropic", lambda _: Whole({"input_tokens": 77}))
    asked = {"messages": [{"role": "user", "content": QUESTION}], "system": SYSTEM}
    tools = [{"name": "t", "description": "d", "input_schema": WEATHER.schema}]
    count = client("anthropic").sdk.messages.count_tokens(model="py-native-anthropic/m", **asked, tools=tools)
    same(count.input_tokens, 77)
    same(upstream.last("py-native-anthropic").path, "/v1/messages/count_tokens")


@case("google-genai counts where the provider does")
def _():
    upstream.script("py-gemini", lambda _: Whole({"totalTokens": 78}))
    same(client("google-genai").sdk.models.count_tokens(model="on-gemini", contents=QUESTION).total_tokens, 78)
    assert upstream.last("py-gemini").path.endswith("/models/m:countTokens")


@case("openai counts where the provider does")
def _():
    upstream.script("openai", lambda _: Whole({"object": "response.input_tokens", "input_tokens": 79}))
    same(client("openai chat").sdk.responses.input_tokens.count(model="on-responses", input=QUESTION).input_tokens, 79)


@case("each counts at another's provider")
def _():
    upstream.script("py-gemini", lambda _: Whole({"totalTokens": 80}))
    upstream.script("py-native-anthropic", lambda _: Whole({"input_tokens": 81}))
    messages = [{"role": "user", "content": QUESTION}]
    same(client("anthropic").sdk.messages.count_tokens(model="on-gemini", messages=messages).input_tokens, 80)
    same(client("google-genai").sdk.models.count_tokens(model="py-native-anthropic/m", contents=QUESTION).total_tokens, 81)
    counted = client("openai chat").sdk.responses.input_tokens.count(model="py-native-anthropic/m", input=QUESTION)
    same(counted.input_tokens, 81)


@case("each gets an estimate where nobody counts")
def _():
    before = len(upstream.all("py-chat"))
    messages = [{"role": "user", "content": QUESTION * 100}]
    raw = client("anthropic").sdk.messages.with_raw_response.count_tokens(model="on-chat", messages=messages)
    counts = [
        raw.parse().input_tokens,
        client("google-genai").sdk.models.count_tokens(model="on-chat", contents=QUESTION * 100).total_tokens,
        client("openai chat").sdk.responses.input_tokens.count(model="on-chat", input=QUESTION * 100).input_tokens,
    ]
    same(len(set(counts)), 1, counts)
    # Seven tokens and a mark.
    assert 600 < counts[0] < 1000, counts
    same(len(upstream.all("py-chat")), before)


@case("the models in each SDK's own shape")
def _():
    known = {"on-chat", "on-responses", "py-chat/m", "py-gemini/m", "py-anthropic/m"}
    listed = {
        "openai": {model.id for model in client("openai chat").sdk.models.list()},
        "anthropic": {model.id for model in client("anthropic").sdk.models.list()},
        "google": {model.name.removeprefix("models/") for model in client("google-genai").sdk.models.list()},
    }
    for name, ids in listed.items():
        assert known <= ids, f"{name}: {known - ids}"
    same(client("openai chat").sdk.models.retrieve("on-chat").id, "on-chat")
    same(client("anthropic").sdk.models.retrieve("on-chat").id, "on-chat")
    same(client("google-genai").sdk.models.get(model="on-chat").name, "models/on-chat")


@case("an unknown model is a 404 for who asks of it")
def _():
    for ask, error in (
        (lambda: client("openai chat").sdk.models.retrieve("nobody"), openai.NotFoundError),
        (lambda: client("anthropic").sdk.models.retrieve("nobody"), anthropic.NotFoundError),
        (lambda: client("google-genai").sdk.models.get(model="nobody"), genai.errors.ClientError),
    ):
        assert isinstance(cases.raised(ask), error)


@case("the asynchronous clients, all at once")
def _():
    model = scripted("chat", says(SHAPES["chat"], Said(text=PIECES)))

    async def chat() -> str:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as sdk:
            stream = await sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": QUESTION}], stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def responses() -> str:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as sdk:
            return (await sdk.responses.create(model=model, input=QUESTION)).output_text

    async def messages() -> str:
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as sdk:
            asked = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": QUESTION}]}
            async with sdk.messages.stream(**asked) as stream:
                return "".join([piece async for piece in stream.text_stream])

    async def contents() -> str:
        sdk = genai.Client(api_key=KEY, http_options=google.HttpOptions(base_url=gateway.url)).aio
        stream = await sdk.models.generate_content_stream(model=model, contents=QUESTION)
        return "".join([chunk.text or "" async for chunk in stream])

    async def all_of_them() -> list[str]:
        return await asyncio.gather(chat(), responses(), messages(), contents())

    same(asyncio.run(all_of_them()), ["".join(PIECES)] * 4)


def main() -> int:
    global gateway
    # OpenAI's vocabularies are fetched when first used; one token a byte needs no fetching.
    bytes_only = {bytes([value]): value for value in range(256)}
    for name in ("cl100k_base", "o200k_base"):
        tiktoken.registry.ENCODINGS[name] = tiktoken.Encoding(name, pat_str=r"[\s\S]", mergeable_ranks=bytes_only, special_tokens={})
    gateway = Gateway(documents(), {"GATEWAY_KEY": KEY, "ADMIN_TOKEN": "python-admin-token", "UP_KEY": UP_KEY})
    try:
        return cases.run(CASES)
    finally:
        gateway.stop()
        upstream.stop()


if __name__ == "__main__":
    sys.exit(main())
