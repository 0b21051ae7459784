"""From an author's Python to a component: looks the sources over, makes a world of what is declared, embeds.

    python3 build.py --project FOLDER --wit FOLDER --tools FOLDER --kind service|campaign --capabilities a,b --out FILE

Prints one JSON object: {problems: [{file, line, column, width, message, remedy}], imports, bytes}. Exits with 1 where there are
problems, with 2 where it cannot work at all.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from sources import Problem, look_over, problem  # noqa: E402

SDK = Path(__file__).resolve().parent.parent
INTERFACE_VERSION = "0.1.0"

LOADED = (
    "What stands outside of functions runs when the script is built, without a call and without the host: "
    "move it into the function that serves the call"
)

ENTRY = {
    "service": """
import main
from gudok import _entry
if "service" not in _entry.functions:
    raise ImportError("src/main.py names no function that serves a call: write @service over it")
class Script:
    def run(self, call):
        return _entry.serve(call)
""",
    "campaign": """
import main
from gudok import _entry
if "prepare" not in _entry.functions or "run" not in _entry.functions:
    raise ImportError("src/main.py does not name both functions of a campaign: write @campaign.prepare and @campaign.run over them")
class Campaign:
    def prepare(self, contact):
        return _entry.prepare(contact)
    def run(self, call, contact):
        return _entry.inform(call, contact)
""",
}


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("project", "wit", "tools", "kind", "capabilities", "out"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    project = Path(options.project).resolve()
    capabilities = [name for name in options.capabilities.split(",") if name]
    problems = look_over(project)
    if problems:
        return told(problems)
    with tempfile.TemporaryDirectory(prefix="gudok-py-") as folder:
        work = Path(folder)
        write_world(Path(options.wit), work / "wit", options.kind, capabilities)
        (work / "app").mkdir()
        (work / "app/gudok_entry.py").write_text(ENTRY[options.kind], encoding="utf-8")
        out = Path(options.out).resolve()
        out.parent.mkdir(parents=True, exist_ok=True)
        ran = componentize(Path(options.tools), work, project, out)
        if ran.returncode != 0:
            return told([of_componentize(ran.stdout + ran.stderr, project)])
    print(json.dumps({"problems": [], "imports": capabilities, "bytes": out.stat().st_size}))
    return 0


def told(problems: list[Problem]) -> int:
    print(json.dumps({"problems": problems}, ensure_ascii=False))
    return 1


def write_world(wit: Path, folder: Path, kind: str, capabilities: list[str]) -> None:
    """The interface with one more world: a component imports every interface of its world, whether it is used or not, and the
    host refuses what is not declared."""
    folder.mkdir()
    for file in wit.glob("*.wit"):
        text = file.read_text(encoding="utf-8")
        if file.name == "secrets.wit" and "secrets" not in capabilities:
            # `fetch` brings the interface `secrets` in for its type: without the capability, only the type may come.
            first, rest = re.split(r"(?=\n/// Reading a secret's text)", text, maxsplit=1)
            first = re.sub(r"^.*secret-named: func.*\n", "", first, flags=re.MULTILINE)
            text = re.sub(r"^ *use types\.\{call-error\};\n\n?", "", first, flags=re.MULTILINE) + rest
        (folder / file.name).write_text(text, encoding="utf-8")
    imports = "".join(f"    import {name};\n" for name in ["host", *capabilities])
    exported = "campaign" if kind == "campaign" else "script"
    world = f"package gudok:ivr@{INTERFACE_VERSION};\n\nworld built-script {{\n{imports}    export {exported};\n}}\n"
    (folder / "built-script.wit").write_text(world, encoding="utf-8")


def componentize(tools: Path, work: Path, project: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [tools / "bin/componentize-py", "-d", work / "wit", "-w", "built-script", "componentize", "--stub-wasi"]
    # Copies: Python leaves its own files beside what it loads.
    unwanted = shutil.ignore_patterns("__pycache__", ".mypy_cache")
    shutil.copytree(project / "src", work / "src", ignore=unwanted)
    shutil.copytree(SDK / "gudok", work / "sdk/gudok", ignore=unwanted)
    # In this order: a traceback calls them /0, /1, /2.
    for folder in ("src", "app", "sdk"):
        command += ["-p", work / folder]
    return subprocess.run([*command, "gudok_entry", "-o", out], capture_output=True, text=True, check=False)


def of_componentize(said: str, project: Path) -> Problem:
    """What stands outside of functions runs while the script is built: its faults come as a traceback."""
    if "wasm backtrace" in said or "unreachable" in said:
        return problem("the script asks the host while it is loaded: there is no call then, and no host", LOADED, "src/main.py")
    frames = re.findall(r'File "/0/([^"]+)", line (\d+)', said)
    errors = [line for line in said.splitlines() if re.match(r"^(\w+\.)*\w*(Error|Exception|Exit|Interrupt)\b", line)]
    message = errors[-1] if errors else (said.strip().splitlines() or ["componentize-py failed"])[-1]
    message = re.sub(r"^(AssertionError: )?Traceback.*$", "the script fails while it is loaded", message)
    file, line = (f"src/{frames[-1][0]}", int(frames[-1][1])) if frames else (None, 0)
    needs = re.search(r"(gudok\.\w+) needs the capability (\S+),", message)
    if needs:
        declared = {"queues": 'queues = { names = ["operators"] }', "fetch": 'fetch = { origins = ["config:back_end"] }'}
        remedy = f"Add under [capabilities]: {declared.get(needs[2], needs[2] + ' = {}')}"
        return problem(message.removeprefix("ImportError: "), remedy, file, line)
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)'", message)
    if missing:
        remedy = f"Write it as src/{missing[1]}.py, or put the package beside main.py: pip install --target src NAME. It must be pure Python"
        return problem(f"there is no module {missing[1]}", remedy, file, line)
    if not frames:
        return problem(message.removeprefix("ImportError: "), None, "src/main.py")
    return problem(f"the script fails while it is loaded: {message}", LOADED, file, line)


if __name__ == "__main__":
    sys.exit(main())
