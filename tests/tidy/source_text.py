"""C++ source as text: blanking comments and literals, measuring functions.

No parser: it knows tokens and braces, which suffices for code in the house format.
"""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"//(?:\\\n|[^\n])*"                                       # comment to the end of the line
    r"|/\*.*?\*/"                                              # comment
    r"|(?:u8|[uUL])?R\"([^()\\\s]{0,16})\(.*?\)\1\""           # raw string
    r"|\"(?:\\.|[^\"\\\n])*\""                                 # string
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",                   # character, not a digit separator
    re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*$")
_PLAIN_TYPE = re.compile(r"^\s*(?:class|struct|union|enum)\b[\w\s]*(?:$|:(?!:))")
_ATTRIBUTE = re.compile(r"\[\[[^\]]*\]\]|\balignas\s*\([^()]*\)")
_ACCESS = re.compile(r"^\s*(?:public|private|protected)\s*:(?!:)")


def _blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments_and_literals(text):
    """The same text, line by line and column by column, with comments and literals blanked."""
    return _TOKEN.sub(_blank, text)


class Function(NamedTuple):
    """A function's body with its signature: first and last line, from 1."""

    first: int
    last: int

    @property
    def length(self):
        return self.last - self.first + 1


def _without_template_head(head):
    """`template <class T> void f()` -> `void f()`: its `class` is none."""
    match = re.match(r"\s*template\s*<", head)
    if not match:
        return head
    depth, at = 1, match.end()
    while at < len(head) and depth:
        depth += {"<": 1, ">": -1}.get(head[at], 0)
        at += 1
    return _without_template_head(head[at:])


def _outside_parentheses(head):
    """The head without what stands in parentheses, and how many are still open at its end."""
    depth, kept = 0, []
    for char in head:
        if char == ")":
            depth -= 1
        if depth == 0:
            kept.append(char)
        if char == "(":
            depth += 1
    return "".join(kept), depth


def _kind(head):
    """What a brace after this head opens at namespace or class level."""
    head = _ATTRIBUTE.sub("", _without_template_head(_ACCESS.sub("", head)))
    flat, depth = _outside_parentheses(head)
    if _PLAIN_TYPE.match(flat):
        return "scope"
    if "(" not in flat:
        return "scope" if _SCOPE.search(flat) else "data"
    assigned = re.search(r"(?<![=!<>])=(?!=)", flat) and "operator" not in flat
    if depth > 0 or assigned:
        return "data"
    in_member_list = re.search(r"\)[^()]*?(?<!:):(?!:)", flat)
    if in_member_list and re.search(r"[\w>]\s*$", flat):
        return "member"
    return "function"


def _end_of_block(code, start):
    """The index of the brace that closes the one at start, or None."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return None


def functions(text):
    """All function bodies outside of functions; None if the braces do not balance."""
    code = _DIRECTIVE.sub(_blank, without_comments_and_literals(text))
    found, depth, head_start, at = [], 0, 0, 0
    brace = re.compile(r"[{};]")
    while match := brace.search(code, at):
        at = match.end()
        if match[0] != "{":
            depth -= match[0] == "}"
            if depth < 0:
                return None
            head_start = at
            continue
        head = code[head_start:match.start()]
        kind = _kind(head)
        if kind == "scope":
            depth, head_start = depth + 1, at
            continue
        end = _end_of_block(code, match.start())
        if end is None:
            return None
        at = end + 1
        if kind == "function":
            first = head_start + len(head) - len(_ACCESS.sub("", head).lstrip())
            found.append(Function(code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1))
            head_start = at
    return found if depth == 0 else None
