"""What providers say on the wire, by dialect: whole answers, streams, errors, embeddings and counts, made from one plain
description; and what a request told them, read back into one.
"""

import base64
import itertools
import json
import struct
from dataclasses import dataclass, field

from .upstream import Asked, Frames, Whole

ECHO = "scripted-model"


@dataclass
class Call:
    id: str
    name: str
    args: dict


@dataclass
class Said:
    """What a model says. `inputs` holds `cached`."""

    text: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    inputs: int = 120
    cached: int = 16
    outputs: int = 30


@dataclass
class Told:
    """Of a request: the calls that the model made in earlier turns, and what came of each, in order."""

    calls: list[tuple[str, dict]]
    results: list[str]


def data(value: object) -> str:
    return f"data: {json.dumps(value)}\n\n"


def named(value: dict) -> str:
    return f"event: {value['type']}\n{data(value)}"


def halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def of_text(content: object) -> str:
    """The text of a result, whatever its wrapping."""
    if isinstance(content, list):
        return "".join(of_text(part) for part in content)
    if isinstance(content, dict):
        return of_text(content.get("text", content.get("result", content.get("output", json.dumps(content)))))
    return str(content)


class Chat:
    kind = "openai"
    base = "/v1"

    @staticmethod
    def usage(said: Said) -> dict:
        return {
            "prompt_tokens": said.inputs,
            "completion_tokens": said.outputs,
            "total_tokens": said.inputs + said.outputs,
            "prompt_tokens_details": {"cached_tokens": said.cached},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }

    @classmethod
    def whole(cls, said: Said) -> dict:
        message = {"role": "assistant", "content": "".join(said.text) or None, "refusal": None}
        if said.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.args)}}
                for call in said.calls
            ]
        reason = "tool_calls" if said.calls else "stop"
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        usage = cls.usage(said)
        head = {"id": "chatcmpl-scripted", "object": "chat.completion", "created": 1790000000, "model": ECHO}
        return {**head, "choices": [choice], "usage": usage}

    @classmethod
    def frames(cls, said: Said, asked: Asked) -> list[str]:
        head = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1790000000, "model": ECHO}
        choice = lambda delta, reason=None: {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        chunks = [choice({"role": "assistant", "content": ""})]
        chunks += [choice({"content": piece}) for piece in said.text]
        for index, call in enumerate(said.calls):
            opening = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
            chunks.append(choice({"tool_calls": [opening]}))
            for piece in halves(json.dumps(call.args)):
                chunks.append(choice({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
        chunks.append(choice({}, "tool_calls" if said.calls else "stop"))
        if (asked.body.get("stream_options") or {}).get("include_usage"):
            chunks.append({**head, "choices": [], "usage": cls.usage(said)})
        return [data(chunk) for chunk in chunks] + ["data: [DONE]\n\n"]

    @staticmethod
    def told(body: dict) -> Told:
        made = [call for message in body["messages"] for call in message.get("tool_calls") or []]
        results = {message["tool_call_id"]: of_text(message["content"]) for message in body["messages"] if message["role"] == "tool"}
        calls = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in made]
        return Told(calls, [results[call["id"]] for call in made])

    @staticmethod
    def system(body: dict) -> str:
        return "".join(of_text(m["content"]) for m in body["messages"] if m["role"] in ("system", "developer"))

    @staticmethod
    def forced(body: dict) -> str | None:
        choice = body.get("tool_choice")
        return choice["function"]["name"] if isinstance(choice, dict) else None

    @staticmethod
    def error(status: int, message: str) -> dict:
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    @staticmethod
    def embeddings(asked: Asked, vectors: list[list[float]], tokens: int, obeys: bool = True) -> dict:
        packed = obeys and asked.body.get("encoding_format") == "base64"
        write = (lambda v: base64.b64encode(struct.pack(f"<{len(v)}f", *v)).decode()) if packed else list
        items = [{"object": "embedding", "index": index, "embedding": write(v)} for index, v in enumerate(vectors)]
        return {"object": "list", "data": items, "model": ECHO, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    @staticmethod
    def texts(body: dict) -> list:
        return [body["input"]] if isinstance(body["input"], str) else body["input"]


class Responses(Chat):
    kind = "openai"
    base = "/v1"

    @staticmethod
    def usage(said: Said) -> dict:
        return {
            "input_tokens": said.inputs,
            "input_tokens_details": {"cached_tokens": said.cached},
            "output_tokens": said.outputs,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": said.inputs + said.outputs,
        }

    @staticmethod
    def items(said: Said) -> list[dict]:
        items = []
        if said.text:
            part = {"type": "output_text", "text": "".join(said.text), "annotations": [], "logprobs": []}
            items.append({"id": "msg_scripted", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
        for call in said.calls:
            head = {"id": f"fc_{call.id}", "type": "function_call", "status": "completed", "call_id": call.id}
            items.append({**head, "name": call.name, "arguments": json.dumps(call.args)})
        return items

    @classmethod
    def envelope(cls, status: str, items: list[dict], said: Said | None) -> dict:
        return {
            "id": "resp_scripted", "object": "response", "created_at": 1790000000, "status": status, "model": ECHO,
            "output": items, "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "text": {"format": {"type": "text"}},
            "temperature": 1.0, "top_p": 1.0, "usage": cls.usage(said) if said else None,
        }  # fmt: skip

    @classmethod
    def whole(cls, said: Said) -> dict:
        return cls.envelope("completed", cls.items(said), said)

    @classmethod
    def frames(cls, said: Said, asked: Asked) -> list[str]:
        numbers = itertools.count()
        event = lambda kind, **fields: named({"type": kind, "sequence_number": next(numbers), **fields})
        frames = [event(f"response.{kind}", response=cls.envelope("in_progress", [], None)) for kind in ("created", "in_progress")]
        for index, item in enumerate(cls.items(said)):
            place = {"output_index": index, "item_id": item["id"]}
            if item["type"] == "message":
                place["content_index"] = 0
                part = item["content"][0]
                opening = {**item, "status": "in_progress", "content": []}
                frames.append(event("response.output_item.added", output_index=index, item=opening))
                frames.append(event("response.content_part.added", **place, part={**part, "text": ""}))
                for piece in said.text:
                    frames.append(event("response.output_text.delta", **place, delta=piece, logprobs=[]))
                frames.append(event("response.output_text.done", **place, text=part["text"], logprobs=[]))
                frames.append(event("response.content_part.done", **place, part=part))
            else:
                opening = {**item, "status": "in_progress", "arguments": ""}
                frames.append(event("response.output_item.added", output_index=index, item=opening))
                for piece in halves(item["arguments"]):
                    frames.append(event("response.function_call_arguments.delta", **place, delta=piece))
                whole = {"name": item["name"], "arguments": item["arguments"]}
                frames.append(event("response.function_call_arguments.done", **place, **whole))
            frames.append(event("response.output_item.done", output_index=index, item=item))
        return [*frames, event("response.completed", response=cls.whole(said))]

    @staticmethod
    def told(body: dict) -> Told:
        made = [item for item in body["input"] if item.get("type") == "function_call"]
        results = {i["call_id"]: of_text(i["output"]) for i in body["input"] if i.get("type") == "function_call_output"}
        calls = [(item["name"], json.loads(item["arguments"])) for item in made]
        return Told(calls, [results[item["call_id"]] for item in made])

    @staticmethod
    def system(body: dict) -> str:
        items = body["input"] if isinstance(body["input"], list) else []
        inline = "".join(of_text(i["content"]) for i in items if i.get("role") in ("system", "developer"))
        return (body.get("instructions") or "") + inline

    @staticmethod
    def forced(body: dict) -> str | None:
        choice = body.get("tool_choice")
        return choice["name"] if isinstance(choice, dict) else None


class Anthropic:
    kind = "anthropic"
    base = ""

    @staticmethod
    def usage(said: Said) -> dict:
        counts = {"input_tokens": said.inputs - said.cached, "cache_read_input_tokens": said.cached}
        return {**counts, "cache_creation_input_tokens": 0, "output_tokens": said.outputs}

    @staticmethod
    def blocks(said: Said) -> list[dict]:
        text = [{"type": "text", "text": "".join(said.text)}] if said.text else []
        return text + [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.args} for call in said.calls]

    @classmethod
    def whole(cls, said: Said) -> dict:
        return {
            "id": "msg_scripted", "type": "message", "role": "assistant", "model": ECHO, "content": cls.blocks(said),
            "stop_reason": "tool_use" if said.calls else "end_turn", "stop_sequence": None, "usage": cls.usage(said),
        }  # fmt: skip

    @classmethod
    def frames(cls, said: Said, asked: Asked) -> list[str]:
        start = {**cls.whole(said), "content": [], "stop_reason": None, "usage": {**cls.usage(said), "output_tokens": 1}}
        frames = [named({"type": "message_start", "message": start}), 'event: ping\ndata: {"type": "ping"}\n\n']
        for index, block in enumerate(cls.blocks(said)):
            if block["type"] == "text":
                empty = {"type": "text", "text": ""}
                deltas = [{"type": "text_delta", "text": piece} for piece in said.text]
            else:
                empty = {**block, "input": {}}
                deltas = [{"type": "input_json_delta", "partial_json": p} for p in ["", *halves(json.dumps(block["input"]))]]
            frames.append(named({"type": "content_block_start", "index": index, "content_block": empty}))
            frames += [named({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas]
            frames.append(named({"type": "content_block_stop", "index": index}))
        delta = {"stop_reason": "tool_use" if said.calls else "end_turn", "stop_sequence": None}
        frames.append(named({"type": "message_delta", "delta": delta, "usage": cls.usage(said)}))
        return [*frames, named({"type": "message_stop"})]

    @staticmethod
    def told(body: dict) -> Told:
        blocks = [block for m in body["messages"] if isinstance(m["content"], list) for block in m["content"]]
        made = [block for block in blocks if block["type"] == "tool_use"]
        results = {b["tool_use_id"]: of_text(b.get("content", "")) for b in blocks if b["type"] == "tool_result"}
        return Told([(block["name"], block["input"]) for block in made], [results[block["id"]] for block in made])

    @staticmethod
    def system(body: dict) -> str:
        return of_text(body.get("system", ""))

    @staticmethod
    def forced(body: dict) -> str | None:
        choice = body.get("tool_choice") or {}
        return choice["name"] if choice.get("type") == "tool" else None

    @staticmethod
    def error(status: int, message: str) -> dict:
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}, "request_id": "req_scripted"}


class Gemini:
    kind = "google"
    base = ""

    @staticmethod
    def usage(said: Said) -> dict:
        counts = {"promptTokenCount": said.inputs, "cachedContentTokenCount": said.cached}
        return {**counts, "candidatesTokenCount": said.outputs, "totalTokenCount": said.inputs + said.outputs}

    @classmethod
    def chunk(cls, said: Said, parts: list[dict], reason: str | None) -> dict:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        head = {"modelVersion": ECHO, "responseId": "gemini-scripted"}
        return {"candidates": [candidate], "usageMetadata": cls.usage(said), **head}

    # Gemini 2.5 gives calls no id.
    @staticmethod
    def calls(said: Said) -> list[dict]:
        return [{"functionCall": {"name": call.name, "args": call.args}} for call in said.calls]

    @classmethod
    def whole(cls, said: Said) -> dict:
        text = [{"text": "".join(said.text)}] if said.text else []
        return cls.chunk(said, text + cls.calls(said), "STOP")

    @classmethod
    def frames(cls, said: Said, asked: Asked) -> list[str]:
        chunks = [cls.chunk(said, [{"text": piece}], None) for piece in said.text]
        chunks += [cls.chunk(said, [call], None) for call in cls.calls(said)]
        return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in [*chunks, cls.chunk(said, [{"text": ""}], "STOP")]]

    @staticmethod
    def told(body: dict) -> Told:
        parts = [part for content in body["contents"] for part in content["parts"]]
        made = [part["functionCall"] for part in parts if "functionCall" in part]
        results = [of_text(part["functionResponse"]["response"]) for part in parts if "functionResponse" in part]
        return Told([(call["name"], call.get("args", {})) for call in made], results)

    @staticmethod
    def system(body: dict) -> str:
        return of_text((body.get("systemInstruction") or {}).get("parts", ""))

    @staticmethod
    def forced(body: dict) -> str | None:
        names = body.get("toolConfig", {}).get("functionCallingConfig", {}).get("allowedFunctionNames")
        return names[0] if names else None

    @staticmethod
    def error(status: int, message: str) -> dict:
        return {"error": {"code": status, "message": message, "status": "UNKNOWN"}}

    @staticmethod
    def embeddings(asked: Asked, vectors: list[list[float]], tokens: int, obeys: bool = True) -> dict:
        values = [{"values": vector} for vector in vectors]
        return {"embeddings": values} if "batchEmbedContents" in asked.path else {"embedding": values[0]}

    @staticmethod
    def texts(body: dict) -> list:
        return [of_text(one["content"]["parts"]) for one in body.get("requests", [body])]


SHAPES = {"chat": Chat, "responses": Responses, "anthropic": Anthropic, "gemini": Gemini}


def says(shape, said: Said):
    """A script that says this, as a stream where one is asked for."""
    return lambda asked: Frames(shape.frames(said, asked)) if asked.streams else Whole(shape.whole(said))


def breaks(shape, said: Said):
    """A script whose stream ends in the middle of what is said."""
    return lambda asked: Frames(shape.frames(said, asked)[: 2 + len(said.text) // 2], cut=True)


def structured(shape, value: dict):
    """A script that answers with this object: as JSON, or as the arguments of the tool that the request forces."""

    def script(asked: Asked):
        name = shape.forced(asked.body)
        said = Said(calls=[Call("call_forced", name, value)]) if name else Said(text=halves(json.dumps(value)))
        return says(shape, said)(asked)

    return script
