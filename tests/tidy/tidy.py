#!/usr/bin/env python3
"""Holds the tree against the house style: layers, lengths, banned words, threads, READMEs.

Prints `file:line: what is wrong and what to do instead`, one a line; exits 1 if it printed any.
With --headers BUILD_DIR it checks instead that each header compiles alone.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import headers
import layers as layer_table
import rules

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED_FOLDERS = {"build", "var", "node_modules", "__pycache__"}


def walk(root):
    """All files below root but for hidden folders and build folders."""
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("build-")
                      and (not f.startswith(".") or f == ".ci")]
        for name in names:
            yield str(pathlib.Path(folder, name).relative_to(root))


def list_files(root):
    """The tree's files: what git tracks or would track; outside of git, all."""
    done = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"],
                          capture_output=True, check=False)
    listed = done.stdout.decode().split("\0") if done.returncode == 0 else walk(root)
    return sorted(f for f in listed if f and (root / f).is_file())


def check_tree(root):
    """Everything wrong in the tree but for --headers: (path, line, message)."""
    layers = layer_table.parse((HERE / "layers.txt").read_text(encoding="utf-8"))
    files = list_files(root)
    found = rules.check_readmes(layers, set(files))
    for path in files:
        if rules.is_text(path):
            text = (root / path).read_text(encoding="utf-8")
            found += [(path, *hit) for hit in rules.check_file(layers, path, text, set(files))]
    return found


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("--headers", metavar="BUILD_DIR",
                        help="check that each header compiles alone, with this build's flags")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.headers:
        listed = [f for f in list_files(root) if f.endswith(".h")]
        compiled, found = headers.check(root, options.headers, listed)
        print(f"{len(listed)} headers: {compiled} compiled alone, the others by their sources")
    else:
        found = check_tree(root)
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
