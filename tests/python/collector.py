"""Spans and metrics of the built Worker through a running OpenTelemetry collector, and what comes out of it on the other side.

The collector is Rotel, as a wheel brings it; what it sends on is read with the project's own classes, and names are held
against the package of its semantic conventions. Needs Node, a built Worker and `pip install -r requirements.txt`.
`CASES=pattern` runs only the cases whose names match. Ends with `N passed, N failed`.
"""

import base64
import importlib
import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable

from google.protobuf import json_format
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from lib import cases
from lib.collector import MESSAGES, Collector
from lib.gateway import Gateway
from lib.relay import Relay
from lib.upstream import Asked, Frames, Upstream, Whole

KEY = "pk-collector-gateway-key"
UP_KEY = "sk-collector-upstream-canary"
QUESTION = "what the user asked, collector-canary"
ANSWER = "pong-canary"
TRACES, METRICS = MESSAGES
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLERS_SPAN = "00f067aa0ba902b7"
WAIT_S = 20
# The object that sums up tells its collector once a minute; what came in late is told a minute later.
METRICS_WAIT_S = 150
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
# Dollars for a million tokens.
PRICE = {"input": 1, "output": 2, "cache_read": 0.5}
COST = (8 * 1 + 4 * 0.5 + 3 * 2) / 1_000_000
ROUTES = {"pair": ["sick/m", "well/m"], "lone": ["well/m"]}
# `(route, is a stream)` of each request; the first has a caller who traces.
ASKED = [("pair", False), ("lone", False), ("lone", False), ("lone", True)]
# What the conventions renamed or added after the last package of them that has any of these: since then they are in a
# repository of their own, which makes no package. Read there in November 2026.
NEWER = {
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.token.modality",
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
}
OURS = "portolan."

upstream = Upstream()
collector: Collector
relay: Relay
gateway: Gateway
CASES: dict = {}


def case(name: str):
    def keep(check):
        CASES[name] = check
        return check

    return keep


def same(found: object, expected: object, what: object = ""):
    assert found == expected, f"{found!r} is not {expected!r} {what}"


def documents() -> dict:
    model = {"context": 131_072, "max_output": 8192, "price": PRICE}
    row = lambda name: {"kind": "openai", "base_url": f"{upstream.origin}/{name}/v1", "keys": ["${UP_KEY}"], "models": {"m": model}}
    return {
        "settings": {"allow_private_upstreams": True, "otlp": {"endpoint": relay.url, "traces": True, "metrics": True}},
        "providers": {name: row(name) for name in ("sick", "well")},
        "routes": {name: {"targets": targets} for name, targets in ROUTES.items()},
    }


def answers(asked: Asked) -> Whole | Frames:
    chunk = {"id": "chatcmpl-1", "created": 1, "model": "m-2026"}
    if not asked.streams:
        message = {"role": "assistant", "content": ANSWER}
        return Whole({**chunk, "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE})
    pieces = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ANSWER}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    ]
    frames = [f"data: {json.dumps({**chunk, 'object': 'chat.completion.chunk', **piece})}\n\n" for piece in pieces]
    return Frames([*frames, "data: [DONE]\n\n"])


def ask(model: str, stream: bool, headers: dict[str, str]) -> dict[str, str]:
    """The headers of the answer."""
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": QUESTION}]}
    sent = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **headers}
    request = urllib.request.Request(f"{gateway.url}/v1/chat/completions", json.dumps(body).encode(), sent)
    with urllib.request.urlopen(request) as answer:
        assert ANSWER in answer.read().decode()
        return {name.lower(): value for name, value in answer.headers.items()}


def until(what: str, look: Callable[[], object], limit: float = WAIT_S) -> object:
    deadline = time.monotonic() + limit
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


def spans_of(message) -> list:
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]


def metrics_of(message) -> dict:
    return {metric.name: metric for resource in message.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics}


def came() -> list:
    return [span for message in collector.messages(TRACES) for span in spans_of(message)]


def attributes(of) -> dict[str, object]:
    return {row.key: getattr(row.value, row.value.WhichOneof("value")) for row in of.attributes}


def trace_of(trace: str) -> tuple:
    """The request's span and those of its tries, as they came out."""
    found = until(f"the spans of {trace}", lambda: [span for span in came() if span.trace_id.hex() == trace])
    [request] = [span for span in found if span.kind == trace_pb2.Span.SPAN_KIND_SERVER]
    tries = sorted((span for span in found if span is not request), key=lambda span: span.start_time_unix_nano)
    assert all(span.kind == trace_pb2.Span.SPAN_KIND_CLIENT for span in tries)
    return request, tries


def total(metric) -> float:
    return sum(point.as_int or point.as_double for point in metric.sum.data_points)


TOLD: list[dict[str, str]] = []


def told(at: int) -> tuple:
    """The spans of the request with that number; without a caller's trace its id is the request's own."""
    return trace_of(TOLD[at]["x-request-id"].removeprefix("req_") if at else TRACE)


@case("all that was sent is taken")
def taken():
    until("spans of every request", lambda: len({span.trace_id for span in came()}) == len(ASKED))
    until("metrics", lambda: collector.messages(METRICS), METRICS_WAIT_S)
    same({path for path, _, _ in relay.calls}, {TRACES, METRICS})
    same({status for _, _, status in relay.calls}, {200})


def as_protobuf(path: str, text: bytes):
    """A body as the project's classes read JSON, unknown names being errors. Ids are hexadecimal in OTLP's JSON, and
    base64 in that of protobuf."""

    def with_ids(value: object) -> object:
        if isinstance(value, list):
            return [with_ids(item) for item in value]
        if not isinstance(value, dict):
            return value
        is_id = lambda name: name in ("traceId", "spanId", "parentSpanId")
        return {name: base64.b64encode(bytes.fromhex(inner)).decode() if is_id(name) else with_ids(inner) for name, inner in value.items()}

    return json_format.ParseDict(with_ids(json.loads(text)), MESSAGES[path]())


@case("what comes out is what was sent, to the last member")
def whole():
    sent = [as_protobuf(path, body) for path, body, _ in relay.calls if path == TRACES]
    before = {span.span_id: span for message in sent for span in spans_of(message)}
    same({span.span_id: span for span in came()}, before)
    resources = {resource.resource.SerializeToString() for message in sent for resource in message.resource_spans}
    same({r.resource.SerializeToString() for message in collector.messages(TRACES) for r in message.resource_spans}, resources)
    sent = [as_protobuf(path, body) for path, body, _ in relay.calls if path == METRICS]
    same([metrics_of(message) for message in collector.messages(METRICS)], [metrics_of(message) for message in sent])


@case("a caller's trace goes on: a request, a try that failed, and one that served in its place")
def failover():
    request, tries = told(0)
    same(request.parent_span_id.hex(), CALLERS_SPAN)
    same(TOLD[0]["traceparent"], f"00-{TRACE}-{request.span_id.hex()}-01")
    same({span.parent_span_id for span in tries}, {request.span_id})
    *failed, last = tries
    same(len(failed), len(upstream.all("sick")))
    for span in failed:
        same((span.status.code, attributes(span)["http.response.status_code"]), (trace_pb2.Status.STATUS_CODE_ERROR, 503))
        assert "gen_ai.usage.input_tokens" not in attributes(span)
    same(upstream.all("well")[0].headers["traceparent"], f"00-{TRACE}-{last.span_id.hex()}-01")
    same([(link.span_id, attributes(link)) for link in last.links], [(failed[-1].span_id, {"portolan.link": "failover"})])
    same(request.status.code, trace_pb2.Status.STATUS_CODE_UNSET)
    for span in (request, *tries):
        now = time.time_ns()
        assert now - 600e9 < span.start_time_unix_nano <= span.end_time_unix_nano <= now, span
    same(attributes(request)["portolan.tries"], len(tries))


@case("a try has the conventions' attributes, with the provider's numbers")
def conventions():
    for at, (route, stream) in enumerate(ASKED):
        request, tries = told(at)
        found = attributes(tries[-1])
        expected = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-2026",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.reasoning.output_tokens": 1,
            "http.response.status_code": 200,
            "server.address": "127.0.0.1",
            "server.port": int(upstream.origin.rsplit(":")[-1]),
        }
        same({name: found.get(name) for name in expected}, expected, at)
        same((tries[-1].name, request.name), ("chat m", f"chat {route}"))
        same(("gen_ai.request.stream" in found, "gen_ai.response.time_to_first_chunk" in found), (stream, stream))
        assert abs(attributes(request)["portolan.cost_usd"] - COST) < 1e-12, attributes(request)


@case("metrics: what was counted is what was asked, and cumulative")
def counted():
    def last() -> dict:
        found = metrics_of(collector.messages(METRICS)[-1])
        return found if total(found["portolan.requests"]) == len(ASKED) else {}

    found = until("all requests in the metrics", last, METRICS_WAIT_S)
    served, failed = len(ASKED), len(upstream.all("sick"))
    same(len(upstream.all("well")), served)
    for name, expected in {
        "portolan.requests": served,
        "portolan.failovers": 1,
        "portolan.tries": served + failed,
        "portolan.input_tokens": 8 * served,
        "gen_ai.client.inference.usage.input_tokens": 12 * served,
        "gen_ai.client.inference.usage.cache_read.input_tokens": 4 * served,
        "gen_ai.client.inference.usage.output_tokens": 3 * served,
        "gen_ai.client.inference.usage.reasoning.output_tokens": served,
    }.items():
        same(total(found[name]), expected, name)
        same((found[name].sum.is_monotonic, found[name].sum.aggregation_temporality), (True, metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE), name)
    assert abs(total(found["portolan.cost"]) - COST * served) < 1e-12
    assert "portolan.errors" not in found, "nobody was failed"
    routes = Counter()
    for point in found["portolan.requests"].sum.data_points:
        of = attributes(point)
        same((of["portolan.outcome"], of["gen_ai.operation.name"], of["gen_ai.request.model"]), ("ok", "chat", "m"))
        routes[of["portolan.route"]] += point.as_int
        assert 0 < point.start_time_unix_nano < point.time_unix_nano <= time.time_ns()
    same(routes, Counter(route for route, _ in ASKED))
    tries = Counter()
    for point in found["portolan.tries"].sum.data_points:
        of = attributes(point)
        same("error.type" in of, of["portolan.outcome"] != "ok")
        tries["error.type" in of] += point.as_int
    same(tries, Counter({False: served, True: failed}))


@case("metrics: tokens of a modality that no provider tells are told as such")
def modality():
    for name, metric in metrics_of(collector.messages(METRICS)[-1]).items():
        expected = {"unknown"} if name.startswith("gen_ai.client.inference.usage.") else {None}
        same({attributes(point).get("gen_ai.token.modality") for point in metric.sum.data_points} or {None}, expected, name)


@case("metrics: histograms hold every request once, in the bucket of its time")
def histograms():
    found = metrics_of(collector.messages(METRICS)[-1])
    streams = sum(stream for _, stream in ASKED)
    for name, expected in {"gen_ai.client.operation.duration": len(ASKED), "gen_ai.server.time_to_first_token": streams, "portolan.gateway.duration": len(ASKED)}.items():
        metric = found[name]
        same((metric.unit, metric.histogram.aggregation_temporality), ("s", metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE))
        points = metric.histogram.data_points
        same(sum(point.count for point in points), expected, name)
        for point in points:
            bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
            same((len(counts), sum(counts)), (len(bounds) + 1, point.count), name)
            assert bounds == sorted(set(bounds)) and bounds[0] > 0, bounds
            # The least and the most that so many in these buckets can come to.
            least = sum(count * low for count, low in zip(counts, [0, *bounds], strict=True))
            most = sum(count * high for count, high in zip(counts, [*bounds, float("inf")], strict=True) if count)
            assert least <= point.sum <= most, (name, point)
    # From outside: a request's time is its span's.
    lasted = sum((span.end_time_unix_nano - span.start_time_unix_nano) / 1e9 for span, _ in map(told, range(len(ASKED))))
    summed = sum(point.sum for point in found["gen_ai.client.operation.duration"].histogram.data_points)
    assert abs(lasted - summed) < 0.001 * len(ASKED), (lasted, summed)


@case("names are the conventions' own, or ours")
def names():
    known = set(NEWER)
    modules = ["gen_ai", "http", "error", "server", "service", "cloud"]
    modules = [f"attributes.{name}_attributes" for name in modules] + ["metrics.gen_ai_metrics"]
    for module in modules:
        module = importlib.import_module(f"opentelemetry.semconv._incubating.{module}")
        known |= {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    told = Counter(name for span in came() for of in (span, *span.links) for name in attributes(of))
    for message in collector.messages(TRACES) + collector.messages(METRICS):
        for resource in [*getattr(message, "resource_spans", []), *getattr(message, "resource_metrics", [])]:
            told.update(list(attributes(resource.resource)))
        for metric in metrics_of(message).values() if hasattr(message, "resource_metrics") else []:
            points = [*metric.sum.data_points, *metric.histogram.data_points]
            told.update([metric.name, *(name for point in points for name in attributes(point))])
    same({name for name in told if not name.startswith(OURS)} - known, set())
    assert sum(name.startswith("gen_ai.") for name in told) >= 15, told
    # A package that has one of them makes its row here needless.
    assert not {value for name, value in vars(gen_ai_attributes).items() if name.isupper()} & NEWER
    values = {row.value for row in gen_ai_attributes.GenAiOperationNameValues}
    assert all(attributes(span)["gen_ai.operation.name"] in values for span in came() if span.kind == trace_pb2.Span.SPAN_KIND_CLIENT)


@case("no word of anybody's, and no secret")
def private():
    for message in collector.messages(TRACES) + collector.messages(METRICS):
        text = message.SerializeToString()
        for word in (QUESTION, ANSWER, "canary", KEY, UP_KEY):
            assert word.encode() not in text, word


@case("a body with a mistake is refused, and nothing of it comes out")
def refused():
    """That the collector looks at what it takes: else that it took ours would say nothing."""
    [good, *_] = [body.decode() for path, body, _ in relay.calls if path == TRACES]
    start = json.loads(good)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["startTimeUnixNano"]
    [numbers, *_] = [body.decode() for path, body, _ in relay.calls if path == METRICS]
    before = len(came()), len(collector.messages(METRICS))
    for path, body in [
        (TRACES, good[:-1]),
        (TRACES, "{}"),
        (TRACES, good.replace('"resourceSpans":[', '"resourceSpans":[7,')),
        (TRACES, good.replace(f'"{start}"', '"soon"')),
        (TRACES, good.replace(f'"traceId":"{TRACE[:2]}', '"traceId":"zz')),
        (TRACES, good.replace('"stringValue"', '"text"')),
        (METRICS, numbers[:-1]),
        (METRICS, good),
        (METRICS, numbers.replace('"resourceMetrics":[', '"resourceMetrics":[7,')),
        (METRICS, numbers.replace('"stringValue"', '"text"')),
    ]:
        assert body not in (good, numbers) or path == METRICS, "nothing was broken"
        same(collector.post(path, body), 400, body[:200])
    time.sleep(1)
    same((len(came()), len(collector.messages(METRICS))), before)
    same((collector.post(TRACES, good), collector.post(METRICS, numbers)), (200, 200))


def main() -> int:
    global collector, relay, gateway
    collector = Collector()
    relay = Relay(collector.url)
    upstream.script("sick", lambda _: Whole({"error": {"message": "overloaded"}}, 503))
    upstream.script("well", answers)
    gateway = Gateway(documents(), {"GATEWAY_KEY": KEY, "ADMIN_TOKEN": "collector-admin-token", "UP_KEY": UP_KEY})
    try:
        for at, (route, stream) in enumerate(ASKED):
            TOLD.append(ask(route, stream, {} if at else {"traceparent": f"00-{TRACE}-{CALLERS_SPAN}-01"}))
        return cases.run(CASES)
    finally:
        gateway.stop()
        collector.stop()
        upstream.stop()


if __name__ == "__main__":
    sys.exit(main())
