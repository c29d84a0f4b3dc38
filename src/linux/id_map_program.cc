// SPDX-License-Identifier: Apache-2.0
// The programs check that the process is the caller's and that every range was given to him; their
// words are for people, so they go into the error as they are, with the cure that fits.
#include "linux/id_map_program.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/split.h"
#include "linux/login_name.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

extern char** environ;

namespace onggi {
namespace {

struct Description {
  const char *name, *place, *given;  // file of the ranges that were given to users
};
constexpr Description kPrograms[] = {
    {"newuidmap", "linux.uidMappings", "/etc/subuid"},
    {"newgidmap", "linux.gidMappings", "/etc/subgid"},
};

constexpr size_t kMaxGiven = 1 << 20;
constexpr size_t kMaxWords = 320;  // of a program's output, in an error

bool in_path(std::string_view name) {
  const char* path = getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path;;) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, colon)).append("/").append(name);
    constexpr int kExecutable = 1;
    if (sys::call(SYS_faccessat, AT_FDCWD, candidate.c_str(), kExecutable) == 0) return true;
    if (colon == rest.size()) return false;
    rest.remove_prefix(colon + 1);
  }
}

// Lines are "NAME:FIRST:COUNT", with a login name or a uid.
bool has_entry(const char* file, const std::string& uid) {
  const Result<std::string> text = read_file(AT_FDCWD, file, kMaxGiven);
  if (!text) return false;
  const std::string name = login_name(uid);
  for (std::string_view line : lines_of(text.value())) {
    const std::string_view owner = line.substr(0, line.find(':'));
    if (owner == name || owner == uid) return true;
  }
  return false;
}

FixedText<160> cure(const Description& program, std::string_view said) {
  const std::string uid = std::to_string(sys::call(SYS_geteuid));
  if (said.find("not permitted") != std::string_view::npos) {
    return text<160>(program.name,
                     " must be setuid root or have file capabilities, and not lie on "
                     "a nosuid mount");
  }
  if (has_entry(program.given, uid))
    return text<160>("the ids must lie in a range that ", program.given, " gives to ",
                     login_name(uid));
  const bool users = program.given == kPrograms[0].given;
  return text<160>(program.given, " has no entry for ", login_name(uid), ": usermod ",
                   users ? "--add-subuids" : "--add-subgids", " FIRST-LAST ", login_name(uid));
}

// Without the signals that are blocked in us.
Result<pid_t> spawn(const char* name, const std::vector<std::string>& words, int output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  (void)posix_spawn_file_actions_init(&actions);
  (void)posix_spawn_file_actions_adddup2(&actions, output, 1);
  (void)posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawnattr_t attributes;
  (void)posix_spawnattr_init(&attributes);
  sigset_t none;
  (void)sigemptyset(&none);
  (void)posix_spawnattr_setsigmask(&attributes, &none);
  (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, name, &actions, &attributes, arguments.data(), environ);
  (void)posix_spawnattr_destroy(&attributes);
  (void)posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return system_error(-failed, "exec", name);
  return pid;
}

// All of it is read, or the program would wait for us; the beginning is kept, as one line.
std::string read_output(int output) {
  std::string said;
  char part[512];
  for (long size; (size = sys::read(output, part, sizeof part)) > 0;) {
    const auto room = kMaxWords - std::min(kMaxWords, said.size());
    said.append(part, std::min(static_cast<size_t>(size), room));
  }
  while (said.ends_with('\n')) said.pop_back();
  std::ranges::replace(said, '\n', ' ');
  return said;
}

}  // namespace

bool has_id_map_programs() {
  return std::ranges::all_of(kPrograms,
                             [](const Description& program) { return in_path(program.name); });
}

Result<> run_id_map_program(IdMapProgram program, int pid,
                            const std::vector<spec::IdMapping>& mappings) {
  const Description& described = kPrograms[static_cast<size_t>(program)];
  std::vector<std::string> words = {described.name, std::to_string(pid)};
  for (const spec::IdMapping& mapping : mappings) {
    for (const uint32_t number : {mapping.container_id, mapping.host_id, mapping.size})
      words.push_back(std::to_string(number));
  }
  int pair[2];
  const long piped = sys::call(SYS_pipe2, &pair[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  const UniqueFd output(pair[0]);
  UniqueFd input(pair[1]);
  const pid_t child = TRY_AT(described.place, spawn(described.name, words, input.get()));
  input.reset();
  const std::string said = read_output(output.get());
  int status = 0;
  (void)waitpid(child, &status, 0);
  if (status == 0) return {};
  Error error = make_error(ErrorKind::system, described.name, ": ",
                           said.empty() ? std::string("it failed without a word") : said);
  // It puts its own name in front.
  if (said.starts_with(described.name)) error = make_error(ErrorKind::system, said);
  return at_place(with_hint(error, cure(described, said).view()), described.place);
}

}  // namespace onggi
