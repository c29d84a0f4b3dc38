// SPDX-License-Identifier: Apache-2.0
// A container whose first process waits, and programs that are executed in it.
#pragma once

#include "support/suite.h"

namespace onggi::test {

// The guest with these words; `options` come before the container.
inline Strings exec_command(const Container& container, const Strings& options,
                            const Strings& words) {
  Strings arguments = {"exec"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(container.id());
  if (!words.empty()) arguments.push_back("/bin/guest");
  arguments.insert(arguments.end(), words.begin(), words.end());
  return runtime_command(arguments);
}

struct Running {
  // The bundle may be changed before start().
  Running() { bundle.guest({"pause"}); }
  void create() {
    const Outcome created = container.create();
    REQUIRE_MESSAGE(created.ok(), created.err);
  }
  void start() {
    create();
    REQUIRE(container.start().ok());
    REQUIRE(container.wait_output("ready"));
    pid = container.pid();
  }
  Outcome exec(const Strings& words, const Strings& options = {}, const Spawn& spawn = {}) const {
    return run_program(exec_command(container, options, words), spawn);
  }
  // With a document instead of words.
  Outcome exec_document(std::string_view document, const Strings& options = {},
                        const Spawn& spawn = {}) const {
    const std::string file = (bundle.path() / "process.json").string();
    write_file(file, document);
    Strings all = {"--process", file};
    all.insert(all.end(), options.begin(), options.end());
    return exec({}, all, spawn);
  }

  Bundle bundle;
  Container container{bundle};
  pid_t pid = 0;
};

}  // namespace onggi::test
