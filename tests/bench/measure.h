// SPDX-License-Identifier: Apache-2.0
// A scenario, measured: all subjects in turn, round by round.
#pragma once
#include "bench/scenario.h"
#include "bench/session.h"
#include "bench/tracer.h"

namespace bench {

// Of the name of a subject's twin, which compiles seccomp filters each time.
constexpr const char* kColdSuffix = "-cold";

struct Series {
  std::string subject;
  std::vector<Usage> rounds;
  std::vector<Counts> counted;  // a few passes under ptrace; none where many run at a time
};

// One command of a scenario, or the sum of all.
struct Result {
  const Scenario* scenario;
  std::string verb;
  double pause_ms;  // of idleness before each command
  std::vector<Series> series;
};

// What a container's own runtime holds in memory: its processes, without the container's program.
struct Held {
  std::string subject, when;
  int processes = 0;
  double pss_kib = 0, rss_kib = 0;
};

struct Plan {
  int rounds = 50;
  std::vector<double> pauses_ms = {0, 100};
};

std::vector<Result> measure(const Scenario& scenario, const Plan& plan, Session& session,
                            const std::vector<Subject>& subjects);
std::vector<Held> measure_memory(Session& session, const std::vector<Subject>& subjects);

}  // namespace bench
