#!/usr/bin/env python3
"""The README's recipes for test suites are those of recipes/, and each works with its tool."""

import glob
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import node_clients

HERE = pathlib.Path(__file__).resolve().parent / "recipes"
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
JARS = pathlib.Path("/usr/share/java")


def run(rig, *command, where=HERE):
    done = subprocess.run([str(word) for word in command], cwd=where, timeout=120,
                          env=dict(os.environ, STOMPBOX=str(rig.exe),
                                   PYTHONDONTWRITEBYTECODE="1"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def indented(text):
    return "".join("    " + line if line.strip() else line for line in text.splitlines(True))


@cases.each({"name": "conftest.py"}, {"name": "spec_helper.rb"}, {"name": "stompbox.js"},
            {"name": "Stompbox.java"})
def case_readme_shows(rig, name):
    """the README shows the recipe {name} as it stands here."""
    recipe = (HERE / name).read_text(encoding="utf-8")
    assert indented(recipe) in README.read_text(encoding="utf-8"), f"{name} is not in the README"


def case_pytest(rig):
    """pytest: the recipe starts a broker, empties it between tests and ends it."""
    told = run(rig, "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE)
    assert "2 passed" in told, told


def case_rspec(rig):
    """RSpec: the same."""
    told = run(rig, "rspec", "recipe_spec.rb", "--order", "defined")
    assert "2 examples, 0 failures" in told, told


def case_junit(rig):
    """JUnit: the same."""
    jars = [jar for jar in glob.glob(str(JARS / "*.jar")) if pathlib.Path(jar).name.startswith(
        ("junit-jupiter", "junit-platform", "apiguardian", "opentest4j", "picocli"))
            and "standalone" not in jar]
    jars = ":".join(sorted(jars))
    classes = rig.folder / "classes"
    run(rig, "javac", "-cp", jars, "-d", classes, "Stompbox.java", "RecipeTest.java")
    told = run(rig, "java", "-cp", f"{classes}:{jars}",
               "org.junit.platform.console.ConsoleLauncher", "--disable-banner", "-c", "RecipeTest")
    assert "2 tests successful" in told, told


def case_jest(rig):
    """Jest: the same."""
    jest = node_clients.install(rig) / "node_modules" / ".bin" / "jest"
    folder = rig.folder / "jest"
    shutil.copytree(HERE, folder)
    (folder / "package.json").write_text("{}")
    run(rig, jest, "--rootDir", folder, "--ci", where=folder)


if __name__ == "__main__":
    sys.exit(cases.run(globals(), cases.parser(__doc__).parse_args()))
