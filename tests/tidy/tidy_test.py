#!/usr/bin/env python3
"""The style check against planted snippets: each rule finds its fault and lets good code pass."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import headers
import layers as layer_table
import rules
import source_text
import tidy

LAYERS = layer_table.parse((tidy.HERE / "layers.txt").read_text(encoding="utf-8"))
SLASH = "/"


def messages(path, text, files=()):
    """What the check says of one planted file, as `line: message`."""
    return [f"{line}: {said}" for line, said in rules.check_file(LAYERS, path, text, set(files))]


def header(*lines):
    return "\n".join(["#pragma once", *lines, ""])


def body(line_count):
    """A function of that many lines, signature and closing brace counted."""
    return "void f() {\n" + "  g();\n" * (line_count - 2) + "}\n"


class LayerTest(unittest.TestCase):
    def one(self, path, line, said):
        found = messages(path, line + "\n")
        self.assertEqual(len(found), 1, found)
        self.assertIn(said, found[0])

    def none(self, path, line):
        self.assertEqual(messages(path, line + "\n"), [])

    def test_a_room_may_include_itself_and_the_rooms_of_its_row(self):
        self.none("storage/queue/a.cc", '#include "storage/queue/b.h"')
        self.none("storage/queue/a.cc", '#include "storage/result.h"')
        self.none("broker/session/a.cc", '#include "storage/queue/message.h"')

    def test_a_room_may_not_include_any_other(self):
        self.one("protocol/a.cc", '#include "storage/result.h"', "protocol may not include storage")
        self.one("storage/a.cc", '#include "storage/queue/b.h"', "may not include storage/queue")

    def test_the_longest_prefix_names_the_room(self):
        self.none("broker/server.cc", '#include "broker/net/listener.h"')
        self.none("tests/unit/protocol/a.cc", '#include "broker/net/listener.h"')
        self.assertEqual(LAYERS.room_of("storage/queue/x/y.h").name, "storage/queue")

    def test_a_file_in_no_room_is_an_error(self):
        self.one("util/a.cc", "int x;", "in no room")

    def test_an_include_that_does_not_start_at_the_root_is_an_error(self):
        self.one("protocol/a.cc", '#include "decoder.h"', "path from the repository root")

    def test_the_generated_version_header_is_of_no_room(self):
        self.none("broker/main.cc", '#include "stompbox_version.h"')

    def test_a_library_needs_a_place_in_the_row(self):
        self.none("broker/net/a.cc", "#include <asio/ip/tcp.hpp>")
        self.one("broker/session/a.cc", "#include <asio.hpp>", "may use asio not at all")
        self.one("broker/drain/a.cc", "#include <sqlite3.h>", "may use sqlite3 not at all")

    def test_a_library_may_be_narrowed_to_some_files(self):
        self.none("storage/queue/leveldb_store.cc", "#include <leveldb/db.h>")
        self.one("storage/queue/memory_store.cc", "#include <leveldb/db.h>", "only in leveldb_*")

    def test_tests_may_use_everything(self):
        self.none("tests/sim/a.cc", "#include <leveldb/db.h>\n#include <thread>")

    def test_thread_headers_stay_in_their_files(self):
        self.none("storage/queue/committer.h", "#pragma once\n#include <mutex>")
        self.none("broker/log/log.cc", "#include <atomic>")
        self.none("broker/server.cc", "#include <thread>")
        self.one("broker/net/server.cc", "#include <thread>", "threads live in")
        self.one("storage/queue/record.cc", "#include <atomic>", "threads live in")

    def test_pure_rooms_touch_no_file_socket_or_clock(self):
        self.one("protocol/a.cc", "#include <fstream>", "is pure")
        self.one("broker/routing/a.cc", "#include <sys/socket.h>", "is pure")
        self.one("broker/session/a.cc", "auto t = std::chrono::steady_clock::now();", "a clock")
        self.none("broker/net/a.cc", "auto t = std::chrono::steady_clock::now();")

    def test_a_row_without_three_columns_is_refused_by_its_line(self):
        with self.assertRaisesRegex(ValueError, "layers.txt:2"):
            layer_table.parse("a  -  -\nb  -\n")


class BanTest(unittest.TestCase):
    def one(self, path, text, said):
        found = messages(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(said, found[0])

    def test_each_banned_word_is_found_and_its_replacement_named(self):
        for text, said in (
                ("std::regex r;", "string_view::find"), ("std::cout << 1;", "output stream"),
                ("printf(1);", "the log"), ("std::fprintf(stderr, 1);", "the log"),
                ("sprintf(b, 1);", "the log"), ("std::this_thread::sleep_for(d);", "deadline"),
                ("spawn(asio::detached);", "net::spawn"), ("auto f = [=] { g(); };", "name what"),
                ("auto f = [=, &x] { g(); };", "name what")):
            with self.subTest(text):
                self.one("broker/net/a.cc", text, said)

    def test_their_harmless_neighbours_pass(self):
        for text in ("std::snprintf(b, n, f);", "std::vsnprintf(b, n, f, a);", "[&] { g(); };",
                     "x[i] = 1;", "log.printf_count(1);", "std::regexp r;"):
            with self.subTest(text):
                self.assertEqual(messages("broker/net/a.cc", text), [])

    def test_comments_and_literals_are_not_code(self):
        text = ('// std::regex is banned, so is std::cout\nconst char* a = "std::cout";\n'
                "/* printf(\n sleep_for */ auto b = R\"x(asio::detached)x\";\n")
        self.assertEqual(messages("broker/net/a.cc", text), [])

    def test_code_after_a_literal_is_code(self):
        self.one("broker/net/a.cc", "char a = '\"'; std::cout << 1'000'000;", "1: std::cout")

    def test_only_the_shared_wait_of_the_tests_may_sleep(self):
        self.one("tests/unit/net/a.cc", "sleep_for(d);", "tests/support")
        self.assertEqual(messages("tests/support/wait_until.cc", "sleep_for(d);"), [])

    def test_using_namespace_is_banned_in_headers_only(self):
        self.one("protocol/a.h", header("using namespace std;"), "using namespace")
        self.assertEqual(messages("protocol/a.cc", "using namespace std::literals;"), [])

    def test_unfinished_lines_are_found_in_any_text(self):
        for word in ("FIX" "ME: later", "TO" "DO later", "TO" "DO(me): later", "XX" "X"):
            for path in ("protocol/a.cc", "tests/a.py", "README.md", ".ci/run"):
                with self.subTest(f"{word} in {path}"):
                    self.one(path, f"# {word}\n" if path[-1] != "c" else f"// {word}\n", word[:3])

    def test_a_kind_makes_a_note_of_work_to_do_legal(self):
        self.assertEqual(messages("protocol/a.cc", "// TO" "DO(perf): reuse the buffer.\n"), [])

    def test_paths_and_hosts_of_a_machine_are_found(self):
        for text in (f"see {SLASH}work/main", f"in {SLASH}root/.config", "deb.debian" ".org"):
            with self.subTest(text):
                self.one("README.md", text, "one machine")
        self.assertEqual(messages("README.md", f"tests{SLASH}work/x and a framework/y"), [])


class ShapeTest(unittest.TestCase):
    def test_a_header_needs_pragma_once(self):
        self.assertEqual(messages("protocol/a.h", "int x;\n"), ["1: a header needs #pragma once"])

    def test_a_line_of_100_columns_passes_and_one_more_does_not(self):
        self.assertEqual(messages("protocol/a.cc", "/" * 100 + "\n"), [])
        found = messages("protocol/a.cc", "/" * 101 + "\n")
        self.assertEqual(found, ["1: 101 columns, at most 100"])

    def test_files_are_bounded_and_tests_at_twice_that(self):
        self.assertEqual(messages("protocol/a.cc", "int x;\n" * 500), [])
        self.assertIn("501 lines", messages("protocol/a.cc", "int x;\n" * 501)[0])
        self.assertEqual(messages("tests/unit/a.cc", "int x;\n" * 1000), [])
        self.assertIn("1001 lines", messages("tests/unit/a.cc", "int x;\n" * 1001)[0])

    def test_the_own_header_comes_first(self):
        text = '#include <string>\n#include "protocol/a.h"\n'
        self.assertIn("first", messages("protocol/a.cc", text, {"protocol/a.h"})[0])
        self.assertEqual(messages("protocol/a.cc", text), [])
        good = '#include "protocol/a.h"\n#include <string>\n'
        self.assertEqual(messages("protocol/a.cc", good, {"protocol/a.h"}), [])

    def test_a_room_with_sources_needs_a_readme(self):
        files = {"protocol/a.cc", "storage/queue/b.h", "storage/queue/README.md"}
        self.assertEqual([f[0] for f in rules.check_readmes(LAYERS, files)], ["protocol/README.md"])

    def test_python_functions_are_bounded_too(self):
        text = "def f():\n" + "    g()\n" * 70
        self.assertIn("71 lines", messages("tests/a.py", text)[0])


class FunctionTest(unittest.TestCase):
    def lengths(self, text):
        found = source_text.functions(text)
        self.assertIsNotNone(found)
        return [(f.first, f.length) for f in found]

    def test_a_function_of_70_lines_passes_and_one_more_does_not(self):
        self.assertEqual(messages("protocol/a.cc", body(70)), [])
        found = messages("protocol/a.cc", "\nnamespace a {\n\n" + body(71) + "}\n")
        self.assertEqual(len(found), 1)
        self.assertIn("4: a function of 71 lines", found[0])

    def test_a_long_class_is_not_a_function_but_its_members_are(self):
        text = ("class A final : public B {\n public:\n  A() : x_{1}, y_(2) {\n    f();\n  }\n"
                " private:\n  int x_ = 0;\n  std::array<int, 2> z_{1, 2};\n};\n")
        self.assertEqual(self.lengths(text), [(3, 3)])

    def test_member_initializers_in_braces_belong_to_their_constructor(self):
        text = ("A::A(int n)\n    : x_{n},\n      y_{[n] { return n; }()},\n"
                "      z_{n} {\n  f();\n}\n")
        self.assertEqual(self.lengths(text), [(1, 6)])

    def test_templates_attributes_and_operators_are_understood(self):
        text = ("template <class T, class U = std::vector<T>>\nvoid f(T t) {\n}\n"
                "struct alignas(64) S {\n  int a;\n};\n"
                "struct [[nodiscard]] R : Base<void(int)> {\n  int a;\n};\n"
                "A& operator=(const A& a) {\n}\n"
                "enum class E : std::uint8_t { kA, kB };\n"
                "auto g() -> int {\n}\n")
        self.assertEqual(self.lengths(text), [(1, 3), (10, 2), (13, 2)])

    def test_tables_are_data(self):
        text = ("constexpr Row kRows[] = {\n  {1, f(2)},\n  {3, f(4)},\n};\n"
                "const auto kX = f({\n1});\n")
        self.assertEqual(self.lengths(text), [])

    def test_a_test_case_is_a_function(self):
        self.assertEqual(self.lengths('TEST_CASE("a {brace} in a name") {\n  f();\n}\n'), [(1, 3)])

    def test_directives_do_not_count_as_code(self):
        text = "#define OPEN {\n#ifdef A\n#endif\nvoid f() {\n}\n"
        self.assertEqual(self.lengths(text), [(4, 2)])

    def test_braces_that_do_not_balance_are_told(self):
        self.assertIsNone(source_text.functions("void f() {\n"))
        self.assertIsNone(source_text.functions("void f() {\n}\n}\n"))
        self.assertIn("balance", messages("protocol/a.cc", "void f() {\n")[0])

    def test_blanking_keeps_lines_and_columns(self):
        text = 'int a; /* x\ny */ f("b", \'c\');  // d\n'
        blanked = source_text.without_comments_and_literals(text)
        self.assertEqual([len(line) for line in blanked.split("\n")],
                         [len(line) for line in text.split("\n")])
        self.assertEqual(blanked.split(), ["int", "a;", "f(", ",", ");"])


class TreeTest(unittest.TestCase):
    def test_a_planted_tree_gives_exactly_its_faults(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "protocol").mkdir()
            (root / "build-x").mkdir()
            (root / "protocol/README.md").write_text("The room.\n", encoding="utf-8")
            (root / "protocol/a.h").write_text("int x;\n", encoding="utf-8")
            (root / "protocol/b.cc").write_text('#include "storage/c.h"\n', encoding="utf-8")
            (root / "build-x/c.cc").write_text("std::cout\n", encoding="utf-8")
            found = {(path, line) for path, line, _ in tidy.check_tree(root)}
            self.assertEqual(found, {("protocol/a.h", 1), ("protocol/b.cc", 1)})

    def test_test_data_is_not_held_against_the_rules(self):
        self.assertFalse(rules.is_text("tests/data/catalog.md"))
        self.assertTrue(rules.is_text("tests/unit/a.cc"))


class HeaderTest(unittest.TestCase):
    def test_flags_keep_includes_and_lose_outputs(self):
        command = ["ccache", "c++", "-Ia.p", "-I.", "-std=c++20", "-O3", "-MD", "-MQ", "x.o",
                   "-MF", "x.d", "-o", "x.o", "-c", "../x.cc"]
        self.assertEqual(headers.syntax_flags(command), ["c++", "-Ia.p", "-I.", "-std=c++20"])

    def test_a_header_that_needs_another_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "good.h").write_text("#pragma once\n#include <string>\nstd::string f();\n")
            (root / "bad.h").write_text("#pragma once\nstd::string f();\n")
            commands = {str(root / "x.cc"): headers.Command(
                folder, ["c++", "-std=c++20", f"-I{folder}"], root / "x.o")}
            self.assertEqual(headers.compiles_alone(commands, root, "good.h"), "")
            self.assertIn("string", headers.compiles_alone(commands, root, "bad.h"))


    def test_only_a_source_whose_first_code_is_its_header_starts_with_it(self):
        for text, said in (
                ('#include "a.h"\n', True),
                ('// What it is.\n/* More. */\n\n#include "a.h"\n', True),
                ('#include <string>\n#include "a.h"\n', False), ('#include "b.h"\n', False),
                ("#include <a.h>\n", False), ("int x;\n", False), ("", False),
                ('#define A 1\n#include "a.h"\n', False),
                ('namespace std { class string; }\n#include "a.h"\n', False)):
            with self.subTest(text):
                self.assertEqual(headers.starts_with(text, "a.h"), said)


class ProvenHeaderTest(unittest.TestCase):
    """A header whose own source was built needs no compiling; every doubt has it compiled."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("a.h", "#pragma once\n#include <string>\nstd::string f();\n", 100)
        self.write("a.cc", '#include "a.h"\n', 100)
        self.write("a.o", "", 200)

    def write(self, name, text, time):
        (self.root / name).write_text(text, encoding="utf-8")
        os.utime(self.root / name, (time, time))

    def proven(self, *flags):
        arguments = ["c++", "-std=c++20", f"-I{self.root}", *flags, "-o", "a.o", "-c", "a.cc"]
        commands = {str(self.root / "a.cc"): headers.Command(
            str(self.root), arguments, self.root / "a.o")}
        return headers.proven_by_its_source(commands, self.root, "a.h")

    def test_the_object_of_its_own_source_proves_a_header(self):
        self.assertTrue(self.proven())

    def test_an_older_object_proves_nothing(self):
        for name in ("a.h", "a.cc"):
            with self.subTest(name):
                os.utime(self.root / name, (300, 300))
                self.assertFalse(self.proven())
                os.utime(self.root / name, (100, 100))

    def test_a_missing_object_proves_nothing(self):
        (self.root / "a.o").unlink()
        self.assertFalse(self.proven())

    def test_a_source_that_starts_with_another_header_proves_nothing(self):
        self.write("a.cc", '#include <string>\n#include "a.h"\n', 100)
        self.assertFalse(self.proven())

    def test_a_header_read_before_the_source_hides_what_is_missing(self):
        for flags in (["-include", "standard.hpp"], ["-include-pch", "a.pch"], ["-imacros", "b.h"]):
            with self.subTest(flags):
                self.assertFalse(self.proven(*flags))

    def test_a_header_without_a_source_is_not_proven(self):
        self.assertFalse(headers.proven_by_its_source({}, self.root, "a.h"))

    def test_the_check_compiles_what_is_not_proven_and_nothing_else(self):
        self.write("bad.h", "#pragma once\nstd::string g();\n", 100)
        command = f"c++ -std=c++20 -I{self.root} -o a.o -c a.cc"
        (self.root / "compile_commands.json").write_text(json.dumps([{
            "directory": str(self.root), "command": command, "file": "a.cc", "output": "a.o"}]),
            encoding="utf-8")
        root = self.root.resolve()
        compiled, found = headers.check(root, root, ["a.h", "bad.h"])
        self.assertEqual((compiled, [path for path, _, _ in found]), (1, ["bad.h"]))


class CommandTest(unittest.TestCase):
    def test_the_exit_code_says_whether_anything_was_found(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(tidy.HERE / "tidy.py"), "--root", folder]
            self.assertEqual(subprocess.run(command, check=False).returncode, 0)
            pathlib.Path(folder, "a.cc").write_text("int x;\n", encoding="utf-8")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("a.cc:1: this file is in no room", done.stdout)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len({test.id().split(" ")[0] for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
