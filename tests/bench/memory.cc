// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <algorithm>
#include <sstream>

namespace bench {
namespace {

constexpr double kRestMs = 2000;  // a runtime may give memory back some time later

// KiB, by the line's name in smaps_rollup.
double line_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1));
  }
  return 0;
}

// Of all processes but the container's program, once they are at rest.
Held held_now(const Subject& subject, const char* when, pid_t program) {
  pause(kRestMs);
  Held held{subject.name, when, 0, 0, 0};
  for (const pid_t pid : descendants()) {
    if (pid == program) continue;
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    if (text.empty()) continue;
    held.processes++;
    held.pss_kib += line_of(text, "Pss");
    held.rss_kib += line_of(text, "Rss");
  }
  return held;
}

void await_program(const Container& container, pid_t runtime) {
  for (;;) {
    const std::string pid = read_file(container.pid_file);
    if (!pid.empty() && read_file("/proc/" + pid + "/comm") == "sleep\n") return;
    if (read_file("/proc/" + std::to_string(runtime) + "/smaps_rollup").empty()) {
      throw Failure("a `run` that should stay has ended");
    }
    pause(1);
  }
}

}  // namespace

std::vector<Held> measure_memory(Session& session, const std::vector<Subject>& subjects) {
  const std::filesystem::path bundle = session.bundles().make(Shape::plain, true);
  std::vector<Held> all;
  for (const Subject& subject : subjects) {
    if (!is_runtime(subject)) continue;
    const Container detached = session.container(bundle);
    (void)run(*command_of(subject, Verb::create, detached), session.streams());
    all.push_back(held_now(subject, "created", 0));
    (void)run(*command_of(subject, Verb::start, detached), session.streams());
    all.push_back(held_now(subject, "running, detached", pid_of(detached)));
    session.sweep(subjects);
    const Container attached = session.container(bundle);
    const pid_t runtime =
        start(*command_of(subject, Verb::foreground, attached), session.streams());
    await_program(attached, runtime);
    all.push_back(held_now(subject, "running, foreground", pid_of(attached)));
    session.sweep(subjects);
  }
  return all;
}

}  // namespace bench
