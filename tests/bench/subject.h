// SPDX-License-Identifier: Apache-2.0
// What is compared: a runtime or a floor, with a state root of its own; and how each is called.
#pragma once
#include "bench/process.h"

#include <optional>

namespace bench {

// The floor and the unit are what a runtime cannot be faster than: the kernel's part, and
// systemd's.
enum class Kind { onggi, runtime, floor, unit };

struct Subject {
  std::string name;
  std::string program;
  Kind kind = Kind::runtime;
  std::string version;         // the first lines of --version, joined
  std::filesystem::path root;  // of its state
  bool cold = false;           // compiled seccomp filters are dropped before each command
};

bool is_runtime(const Subject& subject);

// Asks the program what it is. Throws Failure if it does not answer. `floor` and `unit`
// are known by their names.
Subject make_subject(const std::string& name, const std::string& program,
                     const std::filesystem::path& directory, const Streams& streams);

enum class Verb { version, run, foreground, launch, create, start, state, kill, remove, exec };
const char* name_of(Verb verb);

// One container, as its runtime is told of it.
struct Container {
  std::string id;
  std::filesystem::path bundle, pid_file;
  bool by_systemd = false;
};
pid_t pid_of(const Container& container);

// The command line, or none if that kind of subject has no such verb.
std::optional<Words> command_of(const Subject& subject, Verb verb, const Container& container);

void drop_compiled_filters(const Subject& subject);

}  // namespace bench
