// SPDX-License-Identifier: Apache-2.0
#include "base/timing.h"

#include "base/syscalls.h"
#include "base/text.h"

#include <array>
#include <ctime>
#include <span>
#include <string>

namespace onggi::timing {
namespace {

struct Moment {
  int64_t wall = 0, running = 0;  // nanoseconds
};

struct Phase {
  std::string_view name;
  Moment length;
};

struct Watch {
  bool on = false;
  Moment begun, last;
  size_t count = 0;
  std::array<Phase, 24> phases;  // more than any command has

  static Moment moment() {
    return {sys::nanoseconds(CLOCK_MONOTONIC), sys::nanoseconds(CLOCK_PROCESS_CPUTIME_ID)};
  }
  void add(std::string_view name, const Moment& length) {
    if (count < phases.size()) phases[count++] = {name, length};
  }
};

Watch& watch() {
  static Watch instance;
  return instance;
}

void add_milliseconds(FixedText<96>& text, int64_t nanoseconds) {
  const uint64_t hundredths = (static_cast<uint64_t>(nanoseconds) + 5'000) / 10'000;
  text.append(hundredths / 100, '.').append_padded(hundredths % 100, 2);
}

void append(std::string& line, const Phase& phase) {
  FixedText<96> text(phase.name);
  add_milliseconds(text.append(' '), phase.length.wall);
  add_milliseconds(text.append(" ("), phase.length.running);
  line.append(line.empty() ? "" : ", ").append(text.append(')').view());
}

}  // namespace

void begin() {
  Watch& self = watch();
  self.on = true;
  self.last = Watch::moment();
  // All that the process has run is before this.
  self.begun = {self.last.wall - self.last.running, 0};
  self.add("start", {self.last.running, self.last.running});
}

void end_of(std::string_view name) {
  Watch& self = watch();
  if (!self.on) return;
  const Moment here = Watch::moment();
  self.add(name, {here.wall - self.last.wall, here.running - self.last.running});
  self.last = here;
}

void print() {
  Watch& self = watch();
  if (!self.on) return;
  end_of("end");
  std::string line;
  for (const Phase& phase : std::span(self.phases).first(self.count)) append(line, phase);
  append(line, {"whole", {self.last.wall - self.begun.wall, self.last.running}});
  line = "timing in ms (running): " + line + "\n";
  (void)sys::write(2, line.data(), line.size());
}

}  // namespace onggi::timing
