// SPDX-License-Identifier: Apache-2.0
// The programs check that the process is the caller's and that every range was given to him; their
// words are for people, so they go into the error as they are, with the cure that fits.
#include "linux/id_map_program.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/split.h"
#include "linux/login_name.h"
#include "linux/spawn.h"
#include "linux/waiting.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <string_view>

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
  return std::ranges::any_of(places_in_path(name), [](const std::string& place) {
    constexpr int kExecutable = 1;
    return sys::call(SYS_faccessat, AT_FDCWD, place.c_str(), kExecutable) == 0;
  });
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
                     " must be setuid root or have file capabilities, on a mount without nosuid");
  }
  if (has_entry(program.given, uid))
    return text<160>("the ids must be in a range that ", program.given, " gives to ",
                     login_name(uid));
  const bool users = program.given == kPrograms[0].given;
  return text<160>(program.given, " has no entry for ", login_name(uid), ": usermod ",
                   users ? "--add-subuids" : "--add-subgids", " FIRST-LAST ", login_name(uid));
}

// Until the program has ended. All of it is read, or the program would wait for us; the beginning
// is kept, as one line.
Result<std::string> read_output(int output, const Waiting& waiting) {
  std::string said;
  char part[512];
  while (TRY(wait_readable(output, waiting)) == Waited::ready) {
    const long size = sys::read(output, part, sizeof part);
    if (size <= 0) break;
    const auto room = kMaxWords - std::min(kMaxWords, said.size());
    said.append(part, std::min(static_cast<size_t>(size), room));
  }
  TRY(wait_readable(waiting.process, {.signals = waiting.signals}));
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
                            const std::vector<spec::IdMapping>& mappings, int signals) {
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
  SpawnRequest request{.arguments = {}, .output = input.get(), .errors = input.get()};
  for (const std::string& word : words) request.arguments.push_back(word.c_str());
  const Child child = TRY_AT(described.place, spawn_in_path(described.name, std::move(request)));
  input.reset();
  Result<std::string> text =
      read_output(output.get(), {.process = child.pidfd.get(), .signals = signals});
  if (!text) (void)sys::pidfd_send_signal(child.pidfd.get(), SIGKILL);
  int status = 0;
  (void)sys::waitpid(child.pid, status);
  const std::string said = TRY(std::move(text));
  if (status == 0) return {};
  Error error = make_error(ErrorKind::system, described.name, ": ",
                           said.empty() ? std::string("it printed no error") : said);
  // It puts its own name in front.
  if (said.starts_with(described.name)) error = make_error(ErrorKind::system, said);
  return at_place(with_hint(error, cure(described, said).view()), described.place);
}

}  // namespace onggi
