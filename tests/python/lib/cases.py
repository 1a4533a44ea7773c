"""Cases by name, run one after the other or a few at a time. Ends with `N passed, N failed`."""

import os
import re
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# A part of a case's name, to run only those.
CHOSEN = re.compile(os.environ.get("CASES", ""))


def run(cases: dict[str, Callable[[], None]], at_once: int = 1) -> int:
    """The status to end with."""
    chosen = {name: case for name, case in cases.items() if CHOSEN.search(name)}
    with ThreadPoolExecutor(at_once) as pool:
        outcomes = list(pool.map(_outcome, chosen.items()))
    failed = outcomes.count(False)
    print(f"{len(outcomes) - failed} passed, {failed} failed", flush=True)
    return 1 if failed or not outcomes else 0


def _outcome(case: tuple[str, Callable[[], None]]) -> bool:
    name, check = case
    try:
        check()
    except Exception:
        sys.stdout.write(f"FAILED  {name}\n{traceback.format_exc()}\n")
        return False
    finally:
        sys.stdout.flush()
    sys.stdout.write(f"ok      {name}\n")
    return True


def raised(ask: Callable[[], object]) -> Exception:
    """What `ask` raises, which it must."""
    try:
        answer = ask()
    except Exception as error:
        return error
    raise AssertionError(f"no error, but {answer!r}")
