"""Each header compiles alone: with the flags of its room, syntax only, two at a time."""

import concurrent.futures
import json
import pathlib
import shlex
import subprocess

JOBS = 2
# What a syntax check has no use for: outputs, dependency files, optimization.
_WITH_VALUE = {"-o", "-MF", "-MQ", "-MT", "-c"}
_ALONE = {"-MD", "-MMD", "-c", "-O1", "-O2", "-O3", "-g"}


def load_commands(build_dir):
    """From a source's path in the tree to the compiler's flags, includes made absolute."""
    build_dir = pathlib.Path(build_dir).resolve()
    entries = json.loads((build_dir / "compile_commands.json").read_text(encoding="utf-8"))
    return {str((build_dir / e["file"]).resolve()): (e["directory"], shlex.split(e["command"]))
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
    directory, arguments = command
    done = subprocess.run(
        syntax_flags(arguments) + ["-fsyntax-only", "-O0", "-x", "c++", "-"],
        input=f'#include "{header}"\n', cwd=directory, text=True, capture_output=True, check=False)
    return done.stderr if done.returncode else ""


def check(root, build_dir, headers):
    """All headers that do not compile alone: (path, line, message)."""
    commands = load_commands(build_dir)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        said = pool.map(lambda header: compiles_alone(commands, root, header), headers)
        return [(header, 1, "does not compile alone:\n" + text.strip())
                for header, text in zip(headers, said) if text]
