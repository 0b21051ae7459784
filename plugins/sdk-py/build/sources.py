"""What is found in an author's sources before anything is built: syntax, and what a script cannot have."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

Problem = dict[str, Any]

#: Modules that need a system, and what there is instead.
FOREIGN = {
    name: remedy
    for names, remedy in [
        ("socket ssl http.client urllib.request requests httpx aiohttp urllib3", "Ask a back end with `http` of `gudok`; the manifest names its origin"),
        ("threading multiprocessing subprocess asyncio concurrent concurrent.futures signal", "A script is linear code: host calls block, and each call has an instance of its own"),
        ("sqlite3 shelve dbm", "Keep small state in a `Bucket` of `gudok`"),
        ("tempfile shutil", "A script has no files: data files of the bundle are read with `host.data`"),
        ("secrets", "Randomness comes from the host: `random` is seeded by it for each call"),
    ]
    for name in names.split()
}

#: Calls that ask the system, by their last two names.
SYSTEM_CALLS = {
    ("datetime", "now"): "Ask the host: `host.now()` has date and time in the agency's time zone",
    ("datetime", "utcnow"): "Ask the host: `host.now_millis()` counts since the Unix epoch",
    ("datetime", "today"): "Ask the host: `host.now().date`",
    ("date", "today"): "Ask the host: `host.now().date`",
    ("time", "sleep"): "Wait with the call: `call.wait(1_000)`",
    ("time", "localtime"): "Ask the host: `host.now()`",
    ("time", "monotonic"): "Ask the host: `host.now_millis()`",
    ("time", "perf_counter"): "Ask the host: `host.now_millis()`",
    ("os", "environ"): "Read the configuration: `host.config(\"key\")`",
    ("os", "urandom"): "Ask the host: `host.random_u64()`",
    ("uuid", "uuid4"): "Build a key from the call's: `call.promise_key(\"purpose\")`",
}
#: The same for functions without a module.
BARE_CALLS = {
    "open": "A script has no files: data files of the bundle are read with `host.data_text(\"name\")`",
    "input": "Ask the caller: `call.ask_digits(...)`, `call.menu(...)`",
}


def look_over(project: Path) -> list[Problem]:
    """Every source of a project, in order."""
    entry = project / "src/main.py"
    if not entry.is_file():
        return [problem("there is no src/main.py", "The script begins there: a function with `@service` over it")]
    return [found for file in sorted((project / "src").rglob("*.py")) for found in _file(project, file)]


def problem(message: str, remedy: str | None, file: str | None = None, line: int = 0, column: int = 0, width: int = 0) -> Problem:
    """As the build step tells it."""
    return {"file": file, "line": line, "column": column, "width": width, "message": message, "remedy": remedy}


def _file(project: Path, file: Path) -> list[Problem]:
    name = str(file.relative_to(project))
    try:
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=name)
    except UnicodeDecodeError as fault:
        return [problem(f"the file is not UTF-8: {fault.reason} at byte {fault.start}", "Save it as UTF-8", name)]
    except SyntaxError as fault:
        width = max(1, (fault.end_offset or 0) - (fault.offset or 0)) if fault.end_lineno == fault.lineno else 1
        message = f"{type(fault).__name__}: {fault.msg}"
        return [problem(message, "Correct it there, and build again", name, fault.lineno or 0, fault.offset or 0, width)]
    # Packages that somebody else wrote may name what they do not use.
    if (file.parent / "METADATA").exists() or any(parent.name.endswith(".dist-info") for parent in file.parents):
        return []
    return [found for node in ast.walk(tree) for found in _node(name, text, node)]


def _node(name: str, text: str, node: ast.AST) -> list[Problem]:
    def at(where: ast.expr | ast.stmt, message: str, remedy: str) -> Problem:
        line = text.splitlines()[where.lineno - 1]
        column = len(line.encode()[: where.col_offset].decode(errors="replace"))
        width = (where.end_col_offset or 0) - where.col_offset if where.end_lineno == where.lineno else 1
        return problem(message, remedy, name, where.lineno, column + 1, max(1, width))

    if isinstance(node, ast.Import):
        return [at(node, f"a script cannot use the module {alias.name}", FOREIGN[alias.name]) for alias in node.names if alias.name in FOREIGN]
    if isinstance(node, ast.ImportFrom) and node.module in FOREIGN and node.level == 0:
        return [at(node, f"a script cannot use the module {node.module}", FOREIGN[node.module or ""])]
    if isinstance(node, ast.AsyncFunctionDef):
        return [at(node, "a script's functions are not async", "Leave `async` and `await` out: host calls block")]
    if isinstance(node, ast.Attribute):
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id if isinstance(node.value, ast.Name) else ""
        remedy = SYSTEM_CALLS.get((owner, node.attr))
        return [at(node, f"{owner}.{node.attr} asks the system, which a script does not have", remedy)] if remedy else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BARE_CALLS:
        return [at(node.func, f"{node.func.id}() is not there in a script", BARE_CALLS[node.func.id])]
    return []
