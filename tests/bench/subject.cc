// SPDX-License-Identifier: Apache-2.0
#include "bench/subject.h"

#include "bench/bundle.h"

#include <unistd.h>

#include <sstream>

namespace bench {
namespace {

struct Row {
  Verb verb;
  const char* name;
  // {words} stand for what belongs to the container. Null: not there.
  const char *runtime, *floor, *unit;
};
constexpr Row kVerbs[] = {
    {Verb::version, "version", "--version", nullptr, nullptr},
    {Verb::run, "run", "run --bundle {bundle} {id}", "run {root} {id}", nullptr},
    {Verb::foreground, "foreground", "run --bundle {bundle} --pid-file {pid-file} {id}", nullptr,
     nullptr},
    {Verb::launch, "launch", "run --detach --bundle {bundle} {id}", "create {root} {id} {pid-file}",
     nullptr},
    {Verb::create, "create", "create --bundle {bundle} --pid-file {pid-file} {id}",
     "create {root} {id} {pid-file}", "create {id} {pid-file}"},
    {Verb::start, "start", "start {id}", nullptr, nullptr},
    {Verb::state, "state", "state {id}", nullptr, nullptr},
    {Verb::kill, "kill", "kill {id} KILL", nullptr, nullptr},
    {Verb::remove, "delete", "delete {id}", "delete {id}", "delete {id}"},
    {Verb::exec, "exec", "exec {id} /bin/true", "exec {pid} {id}", nullptr},
};

const Row& row_of(Verb verb) {
  for (const Row& row : kVerbs) {
    if (row.verb == verb) return row;
  }
  throw Failure("a verb without a row");
}

std::string filled_in(const std::string& word, const Container& container) {
  if (word == "{id}") return container.id;
  if (word == "{bundle}") return container.bundle;
  if (word == "{root}") return root_of(container.bundle);
  if (word == "{pid-file}") return container.pid_file;
  if (word == "{pid}") return std::to_string(pid_of(container));
  return word;
}

struct Floor {
  const char* name;
  Kind kind;
};
constexpr Floor kFloors[] = {{"floor", Kind::floor}, {"unit", Kind::unit}};

const char* text_of(const Row& row, Kind kind) {
  switch (kind) {
    case Kind::floor:
      return row.floor;
    case Kind::unit:
      return row.unit;
    case Kind::onggi:
    case Kind::runtime:
      return row.runtime;
  }
  return nullptr;
}

}  // namespace

Subject make_subject(const std::string& name, const std::string& program,
                     const std::filesystem::path& directory, const Streams& streams) {
  Subject subject{name, program, Kind::runtime, "", directory / name, false};
  std::filesystem::create_directories(subject.root);
  for (const Floor& floor : kFloors) {
    if (name != floor.name) continue;
    subject.kind = floor.kind;
    return subject;
  }
  (void)run({program, "--version"}, streams);
  std::istringstream lines(streams.output());
  std::string line;
  for (int i = 0; i < 2 && std::getline(lines, line); i++) {
    subject.version += (i == 0 ? "" : ", ") + line;
  }
  if (subject.version.starts_with("onggi ")) subject.kind = Kind::onggi;
  return subject;
}

bool is_runtime(const Subject& subject) {
  return subject.kind == Kind::onggi || subject.kind == Kind::runtime;
}

const char* name_of(Verb verb) {
  return row_of(verb).name;
}

pid_t pid_of(const Container& container) {
  const std::string text = read_file(container.pid_file);
  if (text.empty()) throw Failure("nothing in " + container.pid_file.string());
  return std::stoi(text);
}

// With the options that engines give to every command.
std::optional<Words> command_of(const Subject& subject, Verb verb, const Container& container) {
  const char* text = text_of(row_of(verb), subject.kind);
  if (text == nullptr) return std::nullopt;
  Words words = {subject.program};
  if (is_runtime(subject) && verb != Verb::version) {
    words.insert(words.end(), {"--root", subject.root, "--log", subject.root.string() + ".log",
                               "--log-format", "json"});
    if (container.by_systemd) words.push_back("--systemd-cgroup");
  }
  std::istringstream given(text);
  for (std::string word; given >> word;) words.push_back(filled_in(word, container));
  return words;
}

void drop_compiled_filters(const Subject& subject) {
  if (subject.cold) std::filesystem::remove_all(subject.root / "@seccomp");
}

}  // namespace bench
