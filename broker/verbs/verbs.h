#pragma once

// The command line: `stompbox VERB ...`, without a verb `serve`. README.md has the grammar.
namespace stompbox::verbs {

// Does what the arguments say and gives the exit code of the process. Main thread, once.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace stompbox::verbs
