"""Every SDK behind one interface, so that one table of cases holds for all of them."""

import json
from dataclasses import dataclass, field

import anthropic
import openai
from google import genai
from google.genai import types as google
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from .shapes import Call

MAX_TOKENS = 256
PATIENCE_S = 120


@dataclass
class Tool:
    name: str
    description: str
    schema: dict


@dataclass
class Answer:
    text: str
    calls: list[Call]
    # Input with what was cached, cached, output.
    usage: tuple[int, int, int]
    # In the SDK's own objects, for the next request.
    turn: object
    # Why it ended: `stop`, `calls` or `limit`.
    end: str
    parsed: object = None


@dataclass
class Ask:
    """`earlier`: the model's last turn, and a result for each of its calls."""

    model: str
    prompt: str
    system: str | None = None
    tools: list[Tool] = field(default_factory=list)
    earlier: tuple[Answer, list[str]] | None = None
    schema: type | None = None
    stream: bool = False
    limit: int | None = None


def given(**members) -> dict:
    return {name: value for name, value in members.items() if value}


class OpenAiChat:
    errors = openai

    def __init__(self, url: str, key: str):
        self.sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=PATIENCE_S)

    def ask(self, ask: Ask) -> Answer:
        messages = [{"role": "system", "content": ask.system}] if ask.system else []
        messages.append({"role": "user", "content": ask.prompt})
        if ask.earlier:
            last, results = ask.earlier
            messages.append(last.turn)
            messages += [{"role": "tool", "tool_call_id": c.id, "content": r} for c, r in zip(last.calls, results, strict=True)]
        tools = [{"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.schema}} for t in ask.tools]
        request = {"model": ask.model, "messages": messages, **given(tools=tools, max_completion_tokens=ask.limit)}
        if ask.stream:
            # Its helper takes strict tools only, and no answer that was cut.
            if ask.tools or ask.limit and not ask.schema:
                return self.read(self.gathered(request))
            options = {"include_usage": True}
            with self.sdk.chat.completions.stream(**request, **given(response_format=ask.schema), stream_options=options) as stream:
                return self.read(stream.get_final_completion())
        if ask.schema:
            return self.read(self.sdk.chat.completions.parse(**request, response_format=ask.schema))
        return self.read(self.sdk.chat.completions.create(**request))

    def gathered(self, request: dict):
        from openai.lib.streaming.chat import ChatCompletionStreamState

        state = ChatCompletionStreamState()
        for chunk in self.sdk.chat.completions.create(**request, stream=True, stream_options={"include_usage": True}):
            state.handle_chunk(chunk)
        # Its final one must not be cut.
        return state.current_completion_snapshot

    @staticmethod
    def read(completion) -> Answer:
        message = completion.choices[0].message
        calls = [Call(c.id, c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls or []]
        end = {"stop": "stop", "tool_calls": "calls", "length": "limit"}[completion.choices[0].finish_reason]
        usage = completion.usage
        counts = (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.completion_tokens)
        turn = message.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True)
        for call in turn.get("tool_calls", []):
            call["function"].pop("parsed_arguments", None)
        return Answer(message.content or "", calls, counts, turn, end, getattr(message, "parsed", None))


class OpenAiResponses:
    errors = openai

    def __init__(self, url: str, key: str):
        self.sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=PATIENCE_S)

    def ask(self, ask: Ask) -> Answer:
        items = [{"role": "user", "content": ask.prompt}]
        if ask.earlier:
            last, results = ask.earlier
            items += last.turn
            items += [{"type": "function_call_output", "call_id": c.id, "output": r} for c, r in zip(last.calls, results, strict=True)]
        tools = [
            {"type": "function", "name": t.name, "description": t.description, "parameters": t.schema, "strict": False} for t in ask.tools
        ]
        request = {"model": ask.model, "input": items, **given(instructions=ask.system, tools=tools, max_output_tokens=ask.limit)}
        if ask.stream and ask.limit and not ask.schema:
            # Its helper takes no answer that was cut.
            *_, last = self.sdk.responses.create(**request, stream=True)
            return self.read(last.response)
        if ask.stream:
            with self.sdk.responses.stream(**request, **given(text_format=ask.schema)) as stream:
                return self.read(stream.get_final_response())
        if ask.schema:
            return self.read(self.sdk.responses.parse(**request, text_format=ask.schema))
        return self.read(self.sdk.responses.create(**request))

    @staticmethod
    def read(response) -> Answer:
        cut = response.incomplete_details.reason if response.status == "incomplete" else None
        assert response.status == "completed" or cut == "max_output_tokens", response
        calls = [Call(i.call_id, i.name, json.loads(i.arguments)) for i in response.output if i.type == "function_call"]
        usage = response.usage
        counts = (usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens)
        turn = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
        end = "limit" if cut else "calls" if calls else "stop"
        return Answer(response.output_text, calls, counts, turn, end, getattr(response, "output_parsed", None))


class Anthropic:
    errors = anthropic

    def __init__(self, url: str, key: str):
        self.sdk = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=PATIENCE_S)

    def ask(self, ask: Ask) -> Answer:
        messages = [{"role": "user", "content": ask.prompt}]
        if ask.earlier:
            last, results = ask.earlier
            messages.append({"role": "assistant", "content": last.turn})
            blocks = [{"type": "tool_result", "tool_use_id": c.id, "content": r} for c, r in zip(last.calls, results, strict=True)]
            messages.append({"role": "user", "content": blocks})
        tools = [{"name": t.name, "description": t.description, "input_schema": t.schema} for t in ask.tools]
        request = {"model": ask.model, "max_tokens": ask.limit or MAX_TOKENS, "messages": messages, **given(system=ask.system, tools=tools)}
        if ask.stream:
            with self.sdk.messages.stream(**request, **given(output_format=ask.schema)) as stream:
                return self.read(stream.get_final_message())
        if ask.schema:
            return self.read(self.sdk.messages.parse(**request, output_format=ask.schema))
        return self.read(self.sdk.messages.create(**request))

    @staticmethod
    def read(message) -> Answer:
        calls = [Call(b.id, b.name, b.input) for b in message.content if b.type == "tool_use"]
        end = {"end_turn": "stop", "tool_use": "calls", "max_tokens": "limit"}[message.stop_reason]
        usage = message.usage
        cached = usage.cache_read_input_tokens or 0
        inputs = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
        text = "".join(block.text for block in message.content if block.type == "text")
        turn = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in message.content]
        counts = (inputs, cached, usage.output_tokens)
        return Answer(text, calls, counts, turn, end, getattr(message, "parsed_output", None))


class Google:
    errors = genai.errors

    def __init__(self, url: str, key: str):
        options = google.HttpOptions(base_url=url, timeout=PATIENCE_S * 1000)
        self.sdk = genai.Client(api_key=key, http_options=options)

    def ask(self, ask: Ask) -> Answer:
        contents = [google.Content(role="user", parts=[google.Part(text=ask.prompt)])]
        if ask.earlier:
            last, results = ask.earlier
            told = [
                google.Part(function_response=google.FunctionResponse(id=c.id, name=c.name, response={"result": r}))
                for c, r in zip(last.calls, results, strict=True)
            ]
            contents += [last.turn, google.Content(role="user", parts=told)]
        declared = [
            google.FunctionDeclaration(name=t.name, description=t.description, parameters_json_schema=t.schema) for t in ask.tools
        ]
        config = google.GenerateContentConfig(
            **given(system_instruction=ask.system, response_schema=ask.schema, max_output_tokens=ask.limit),
            **(given(tools=[google.Tool(function_declarations=declared)]) if declared else {}),
            **({"response_mime_type": "application/json"} if ask.schema else {}),
        )
        if not ask.stream:
            answer = self.sdk.models.generate_content(model=ask.model, contents=contents, config=config)
            return self.read(answer.candidates[0].content.parts, answer.candidates[0].finish_reason, answer.usage_metadata, answer.parsed)
        parts, reason, usage = [], None, None
        for chunk in self.sdk.models.generate_content_stream(model=ask.model, contents=contents, config=config):
            for candidate in chunk.candidates or []:
                parts += (candidate.content and candidate.content.parts) or []
                reason = candidate.finish_reason or reason
            usage = chunk.usage_metadata or usage
        text = "".join(part.text or "" for part in parts)
        return self.read(parts, reason, usage, ask.schema.model_validate_json(text) if ask.schema else None)

    @staticmethod
    def read(parts: list, reason, usage, parsed) -> Answer:
        calls = [Call(p.function_call.id, p.function_call.name, p.function_call.args) for p in parts if p.function_call]
        counts = (usage.prompt_token_count, usage.cached_content_token_count or 0, usage.candidates_token_count)
        text = "".join(part.text or "" for part in parts if not part.thought)
        kept = [part for part in parts if part.function_call or part.text]
        end = {google.FinishReason.STOP: "calls" if calls else "stop", google.FinishReason.MAX_TOKENS: "limit"}[reason]
        return Answer(text, calls, counts, google.Content(role="model", parts=kept), end, parsed)


class LangChain:
    errors = openai

    def __init__(self, url: str, key: str, responses: bool = False):
        self.responses = responses
        self.make = lambda model, limit: ChatOpenAI(
            model=model, max_tokens=limit, base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=PATIENCE_S,
            use_responses_api=responses, stream_usage=True,
        )  # fmt: skip

    def ask(self, ask: Ask) -> Answer:
        messages = [SystemMessage(ask.system)] if ask.system else []
        messages.append(HumanMessage(ask.prompt))
        if ask.earlier:
            last, results = ask.earlier
            messages.append(last.turn)
            messages += [ToolMessage(r, tool_call_id=c.id, name=c.name) for c, r in zip(last.calls, results, strict=True)]
        model = self.make(ask.model, ask.limit)
        if ask.tools:
            functions = [{"name": t.name, "description": t.description, "parameters": t.schema} for t in ask.tools]
            model = model.bind_tools([{"type": "function", "function": function} for function in functions])
        if ask.schema:
            both = model.with_structured_output(ask.schema, include_raw=True).invoke(messages)
            assert both["parsing_error"] is None, both
            return self.read(both["raw"], both["parsed"])
        if not ask.stream:
            return self.read(model.invoke(messages))
        gathered: AIMessageChunk | None = None
        for chunk in model.stream(messages):
            gathered = chunk if gathered is None else gathered + chunk
        return self.read(gathered)

    def read(self, message: AIMessage, parsed=None) -> Answer:
        assert not message.invalid_tool_calls, message
        about = message.response_metadata
        if self.responses:
            end = "limit" if about["status"] == "incomplete" else "calls" if message.tool_calls else "stop"
        else:
            end = {"stop": "stop", "tool_calls": "calls", "length": "limit"}[about["finish_reason"]]
        calls = [Call(c["id"], c["name"], c["args"]) for c in message.tool_calls]
        usage = message.usage_metadata
        cached = usage.get("input_token_details", {}).get("cache_read", 0)
        return Answer(message.text, calls, (usage["input_tokens"], cached, usage["output_tokens"]), message, end, parsed)


CLIENTS = {
    "openai chat": OpenAiChat,
    "openai responses": OpenAiResponses,
    "anthropic": Anthropic,
    "google-genai": Google,
    "langchain-openai chat": LangChain,
    "langchain-openai responses": lambda url, key: LangChain(url, key, responses=True),
}
