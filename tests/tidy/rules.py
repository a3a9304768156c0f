"""The rules that look at one file at a time. Every ban names its replacement."""

import ast
import pathlib
import re
from typing import NamedTuple

import layers as layer_table
import source_text

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 500
TEST_FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70

CXX = {".cc", ".h"}
TEXT = CXX | {".py", ".sh", ".rb", ".md", ".build", ".txt", ".toml", ".service", ".yml"}


class Ban(NamedTuple):
    """A pattern that must not stand in C++ code, what to do instead, and where it may stand."""

    pattern: re.Pattern
    instead: str
    allowed_in: tuple = ()


BANS = (
    Ban(re.compile(r"\bstd::w?regex\b"),
        "std::regex: scan the bytes with a loop or string_view::find"),
    Ban(re.compile(r"\bstd::cout\b"),
        "std::cout: write to the output stream that the caller hands in", ("tests/",)),
    Ban(re.compile(r"(?<![\w.>])(?:std::)?(?:f|s|vf|vs|v|d)?printf\s*\("),
        "printf: use a stream, std::to_chars or the log", ("tests/",)),
    Ban(re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b"),
        "sleep: wait for the event, with a deadline (in tests: tests/support)",
        ("tests/support/", "tests/bench/")),
    Ban(re.compile(r"\basio::detached\b"),
        "asio::detached loses exceptions: start it with net::spawn"),
    Ban(re.compile(r"\[\s*=\s*[,\]]"), "[=]: name what the lambda captures"),
)
HEADER_BANS = (
    Ban(re.compile(r"\busing\s+namespace\b"), "using namespace in a header: write the names out"),
)
PURE_BANS = (
    Ban(re.compile(r"_clock::now\b"), "a clock in a pure room: take the time as an argument"),
)

# The words are put together here so that this file passes its own check.
_UNFINISHED = re.compile(
    r"\b(FIX" r"ME|XX" r"X)\b|"
    r"\bTO" r"DO\b(?!\((?:perf|cleanup|protocol|security|test)\): )")
_MACHINE = re.compile(
    r"(?<![\w.~-])/(?:work|farm|root)/[A-Za-z.]|"
    r"\bdeb\.debian" r"\.org|\bregistry\.npmjs|\bpypi" r"\.org|\bcrates" r"\.io")


def _is_test(path):
    return path.startswith("tests/")


def is_text(path):
    """Files of ours that people read: no test data, no licence."""
    if path.startswith("tests/data/"):
        return False
    return pathlib.PurePosixPath(path).suffix in TEXT or path.startswith(".ci/")


def _check_length(path, lines):
    found = []
    limit = TEST_FILE_LINES_MAX if _is_test(path) else FILE_LINES_MAX
    if len(lines) > limit:
        found.append((limit + 1, f"{len(lines)} lines, at most {limit}: one concept a file"))
    found += [(number, f"{len(line)} columns, at most {LINE_COLUMNS_MAX}")
              for number, line in enumerate(lines, 1) if len(line) > LINE_COLUMNS_MAX]
    return found


def _check_words(lines):
    found = []
    for number, line in enumerate(lines, 1):
        match = _UNFINISHED.search(line)
        if match:
            found.append((number, f"{match[0]}: finish it, or write TO" "DO(kind): with kind perf, "
                          "cleanup, protocol, security or test"))
        match = _MACHINE.search(line)
        if match:
            found.append((number, f"{match[0]}: a path or host of one machine: take it out"))
    return found


def _check_bans(path, bans, code_lines):
    return [(number, ban.instead)
            for ban in bans if not path.startswith(ban.allowed_in or "\0")
            for number, line in enumerate(code_lines, 1) if ban.pattern.search(line)]


def _check_functions(functions):
    if functions is None:
        return [(1, "the braces do not balance: keep each brace pair within one #if branch")]
    return [(f.first, f"a function of {f.length} lines, at most {FUNCTION_LINES_MAX}: "
             "give its parts names")
            for f in functions if f.length > FUNCTION_LINES_MAX]


def _check_own_header_first(path, lines, files):
    header = str(pathlib.PurePosixPath(path).with_suffix(".h"))
    if not path.endswith(".cc") or header not in files:
        return []
    first = next(layer_table.includes(lines), None)
    if first is None or first[2] != header:
        return [(first[0] if first else 1, f'include "{header}" first: it must stand alone')]
    return []


def check_cxx(layers, path, text, files):
    """All rules for one C++ file: (line, message) each. `files` are the paths of the tree."""
    lines = text.splitlines()
    room = layers.room_of(path)
    bans = BANS
    if path.endswith(".h"):
        bans += HEADER_BANS
    if room is not None and room.name in layers.pure:
        bans += PURE_BANS
    code_lines = source_text.without_comments_and_literals(text).splitlines()
    found = layer_table.check(layers, path, lines)
    found += _check_length(path, lines)
    found += _check_bans(path, bans, code_lines)
    found += _check_functions(source_text.functions(text))
    found += _check_own_header_first(path, lines, files)
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        found.append((1, "a header needs #pragma once"))
    return found


def check_python(path, text):
    """The length rules for one Python file."""
    found = _check_length(path, text.splitlines())
    functions = [source_text.Function(node.lineno, node.end_lineno or node.lineno)
                 for node in ast.walk(ast.parse(text))
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return found + _check_functions(functions)


def check_file(layers, path, text, files):
    """All rules for one file, by its kind: (line, message) each, by line."""
    found = _check_words(text.splitlines())
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix in CXX:
        found += check_cxx(layers, path, text, files)
    elif suffix == ".py":
        found += check_python(path, text)
    return sorted(found)


def check_readmes(layers, files):
    """Each room with sources has a README.md: (path, line, message)."""
    rooms = {layers.room_of(f).name for f in files
             if pathlib.PurePosixPath(f).suffix in CXX and layers.room_of(f)}
    return [(f"{room}/README.md", 1, "is missing: each room says what it is, owns and promises")
            for room in sorted(rooms) if f"{room}/README.md" not in files]
