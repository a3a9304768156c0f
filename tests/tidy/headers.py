"""Each header compiles alone: with the flags of its room, syntax only, two at a time.

A header that is the first line of code of its own source is proven by that source's object: the
compiler saw nothing before it. Only the other headers, and those whose object is missing, older
than the two files or built with a header put before the source, are compiled here.
"""

import concurrent.futures
import json
import pathlib
import shlex
import subprocess
from typing import NamedTuple

import layers
import source_text

JOBS = 2
# What a syntax check has no use for: outputs, dependency files, optimization.
_WITH_VALUE = {"-o", "-MF", "-MQ", "-MT", "-c"}
_ALONE = {"-MD", "-MMD", "-c", "-O1", "-O2", "-O3", "-g"}
# With these the compiler reads a header before the source: precompiled ones, too.
_READ_BEFORE = ("-include", "-imacros")


class Command(NamedTuple):
    """How a source is compiled: where, by which arguments, to which object."""

    directory: str
    arguments: list
    output: pathlib.Path


def load_commands(build_dir):
    """From a source's absolute path to its Command."""
    build_dir = pathlib.Path(build_dir).resolve()
    entries = json.loads((build_dir / "compile_commands.json").read_text(encoding="utf-8"))
    return {str((build_dir / e["file"]).resolve()): Command(
                e["directory"], shlex.split(e["command"]), build_dir / e.get("output", ""))
            for e in entries}


def syntax_flags(command):
    """The compiler and its flags, without the source, outputs and optimization."""
    kept, skip = [], False
    for argument in command:
        if skip:
            skip = False
        elif argument in _WITH_VALUE:
            skip = True
        elif argument not in _ALONE and not argument.endswith((".cc", ".cpp")):
            kept.append(argument)
    return kept if kept[0] != "ccache" else kept[1:]


def starts_with(text, header):
    """A source's first line of code is the include of that header."""
    lines = text.splitlines()
    first = next(layers.includes(lines), None)
    if first is None or first[1:] != (True, header):
        return False
    before = "\n".join(lines[:first[0] - 1])
    return not source_text.without_comments_and_literals(before).strip()


def proven_by_its_source(commands, root, header):
    """The build compiled the header's own source, which starts with it, since both were written."""
    source = (root / header).with_suffix(".cc")
    command = commands.get(str(source))
    if command is None or any(a.startswith(_READ_BEFORE) for a in command.arguments):
        return False
    if not source.is_file() or not command.output.is_file():
        return False
    written = max(source.stat().st_mtime, (root / header).stat().st_mtime)
    return (command.output.stat().st_mtime > written
            and starts_with(source.read_text(encoding="utf-8"), header))


def nearest_command(commands, root, header):
    """The command of a source in the header's folder, else in the nearest folder above."""
    for folder in (root / header).parents:
        for source in sorted(commands):
            if pathlib.Path(source).is_relative_to(folder):
                return commands[source]
    return None


def compiles_alone(commands, root, header):
    """What the compiler says against a header included by an empty source; empty if nothing."""
    command = nearest_command(commands, root, header)
    if command is None:
        return "no source is built yet whose flags could be used"
    done = subprocess.run(
        syntax_flags(command.arguments) + ["-fsyntax-only", "-O0", "-x", "c++", "-"],
        input=f'#include "{header}"\n', cwd=command.directory, text=True, capture_output=True,
        check=False)
    return done.stderr if done.returncode else ""


def check(root, build_dir, headers):
    """How many headers were compiled, and those that do not alone: (path, line, message)."""
    commands = load_commands(build_dir)
    unproven = [h for h in headers if not proven_by_its_source(commands, root, h)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        said = pool.map(lambda header: compiles_alone(commands, root, header), unproven)
        return len(unproven), [(header, 1, "does not compile alone:\n" + text.strip())
                               for header, text in zip(unproven, said) if text]
