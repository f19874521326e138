"""Which version of each tool runs, beside the one that the environments pin. Standard library only: it may run inside
any tool's own environment."""

import argparse
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

TIMEOUT = 120  # seconds: a JVM on a cold network disk may need most of a minute


class ToolError(Exception):
    """A tool that cannot be used; the message names the tool, what is wrong and the mend."""


def read_tools(path: str | Path) -> dict[str, dict]:
    """The table `envs/tools.yaml`: tool name -> its entry."""
    import yaml

    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def version_key(version: str) -> tuple[int, ...]:
    """Numbers of a dotted version, for comparison: `1.16.1` -> (1, 16, 1). Trailing zeros do not count."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def run_version_command(entry: Mapping) -> str:
    """What the tool's version command prints; a last line `exit status N` when N is not 0."""
    command = shlex.split(entry["version_command"])
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
        )
    except FileNotFoundError:
        return f"{command[0]}: command not found\nexit status 127\n"
    except PermissionError:
        return f"{command[0]}: permission denied\nexit status 126\n"
    except subprocess.TimeoutExpired:
        return f"{command[0]}: no answer within {TIMEOUT} s\nexit status 124\n"
    return done.stdout + (f"\nexit status {done.returncode}\n" if done.returncode else "")


def read_version(name: str, entry: Mapping, output: str) -> dict:
    """Judges what a tool's version command printed.

    Args:
        name: the tool's name in `envs/tools.yaml`.
        entry: its entry there.
        output: the command's standard output and error, with a last line `exit status N` when N was not 0.

    Returns:
        {name, version, pinned, minimum, as_pinned}.

    Raises:
        ToolError: the tool is missing, does not start, or is older than the minimum.
    """
    mend = (
        f"run with `--software-deployment-method conda`, which uses envs/{entry['env']}.yaml,"
        f" or put {name} {entry['minimum']} or newer on PATH (`make install` does so on Debian)"
    )
    found = re.search(entry["pattern"], output, re.MULTILINE)
    # bwa has no version command: it prints its version with its usage and exits 1, so the status alone decides nothing.
    if not found:
        if re.search(r"^exit status 127$", output, re.MULTILINE):
            raise ToolError(f"{name}: `{shlex.split(entry['version_command'])[0]}` is not on PATH; {mend}")
        said = next((line.strip() for line in output.splitlines() if line.strip()), "nothing")
        raise ToolError(f"{name}: `{entry['version_command']}` shows no version, it says: {said[:200]}; {mend}")
    version = found[1]
    if version_key(version) < version_key(entry["minimum"]):
        raise ToolError(f"{name}: version {version} is older than {entry['minimum']}, the oldest supported; {mend}")
    return {
        "name": name,
        "version": version,
        "pinned": entry["pinned"],
        "minimum": entry["minimum"],
        "as_pinned": version == entry["pinned"],
    }


def tool_version(name: str, entry: Mapping) -> dict:
    """Runs a tool's version command and judges it; see `read_version`."""
    return read_version(name, entry, run_version_command(entry))


def main() -> int:
    """Prints every tool of a table beside its pin; exits 1 and names the mends when one cannot be used."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("table", type=Path, help="envs/tools.yaml")
    parser.add_argument("--optional", nargs="*", default=[], metavar="TOOL", help="tools that may be missing")
    arguments = parser.parse_args()
    failed = False
    for name, entry in read_tools(arguments.table).items():
        try:
            tool = tool_version(name, entry)
        except ToolError as error:
            if name not in arguments.optional:
                print(error)
                failed = True
            continue
        print(f"{name} {tool['version']}" + ("" if tool["as_pinned"] else f" (pinned {tool['pinned']})"))
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
