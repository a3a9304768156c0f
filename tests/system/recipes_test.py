#!/usr/bin/env python3
"""The README's recipes for test suites are those of recipes/, and each works with its tool."""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import cases
import node_clients

HERE = pathlib.Path(__file__).resolve().parent / "recipes"
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
JARS = pathlib.Path("/usr/share/java")


def run(*command, program="stompbox", where=HERE, code=0):
    """A command of a test tool; what it printed, errors last."""
    done = subprocess.run([str(word) for word in command], cwd=where, timeout=120,
                          env=dict(os.environ, STOMPBOX=str(program),
                                   PYTHONDONTWRITEBYTECODE="1"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def indented(text):
    return "".join("    " + line if line.strip() else line for line in text.splitlines(True))


@cases.each({"name": "conftest.py"}, {"name": "spec_helper.rb"}, {"name": "stompbox.js"},
            {"name": "Stompbox.java"})
def case_readme_shows(rig, name):
    """the README shows the recipe {name} as it stands here."""
    recipe = (HERE / name).read_text(encoding="utf-8")
    assert indented(recipe) in README.read_text(encoding="utf-8"), f"{name} is not in the README"


def run_pytest(_rig, **settings):
    return run("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE, **settings)


def run_rspec(_rig, **settings):
    return run("rspec", "recipe_spec.rb", "--order", "defined", **settings)


def run_junit(rig, **settings):
    jars = [jar for jar in glob.glob(str(JARS / "*.jar")) if pathlib.Path(jar).name.startswith(
        ("junit-jupiter", "junit-platform", "apiguardian", "opentest4j", "picocli"))
            and "standalone" not in jar]
    jars = ":".join(sorted(jars))
    classes = rig.folder / "classes"
    run("javac", "-cp", jars, "-d", classes, "Stompbox.java", "RecipeTest.java")
    return run("java", "-cp", f"{classes}:{jars}", "org.junit.platform.console.ConsoleLauncher",
               "--disable-banner", "-c", "RecipeTest", **settings)


def run_jest(rig, **settings):
    jest = node_clients.install(rig) / "node_modules" / ".bin" / "jest"
    folder = rig.folder / "jest"
    shutil.copytree(HERE, folder)
    (folder / "package.json").write_text("{}")
    return run(jest, "--rootDir", folder, "--ci", where=folder, **settings)


@cases.each({"tool": "pytest", "run_tool": run_pytest, "success": "2 passed"},
            {"tool": "RSpec", "run_tool": run_rspec, "success": "2 examples, 0 failures"},
            {"tool": "JUnit", "run_tool": run_junit, "success": "2 tests successful"},
            {"tool": "Jest", "run_tool": run_jest, "success": ""})
def case_recipe(rig, tool, run_tool, success):
    """{tool}: the recipe starts a broker, empties it between tests and ends it."""
    told = run_tool(rig, program=rig.exe)
    assert success in told, (tool, told)


# Who waited in vain would be ended by the tool with exit code 1, too: RSpec's recipe gives up after
# 30 s, Jest after 5 s in each hook, and both say so.
@cases.each({"tool": "pytest", "run_tool": run_pytest}, {"tool": "RSpec", "run_tool": run_rspec},
            {"tool": "JUnit", "run_tool": run_junit}, {"tool": "Jest", "run_tool": run_jest})
def case_broker_that_does_not_start(rig, tool, run_tool):
    """{tool}: a broker that ends at once fails the suite, which does not wait for it."""
    begin = time.monotonic()
    told = run_tool(rig, program="/bin/false", code=1)
    assert "2 passed" not in told, (tool, told)
    assert "Timeout::Error" not in told and "Exceeded timeout" not in told, (tool, told)
    assert tool != "RSpec" or time.monotonic() - begin < 30, (tool, told)


if __name__ == "__main__":
    sys.exit(cases.run(globals(), cases.parser(__doc__).parse_args()))
