// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bench {
namespace {

constexpr int kWarmUp = 2, kCountedPasses = 3;

// After these, the container's first process lives on.
bool leaves_process(Verb verb) {
  return verb == Verb::create || verb == Verb::start || verb == Verb::state;
}

void await_end(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0) {
    check_interrupted();
    if (errno != EINTR) return;
  }
}

// One who takes part in a scenario, and the container that stands there already.
struct Contestant {
  Subject subject;
  Container inside;
};

class Rounds {
 public:
  Rounds(const Scenario& scenario, Session& session, std::vector<Contestant>& contestants)
      : scenario_(scenario),
        session_(session),
        contestants_(contestants),
        bundle_(session.bundles().make(scenario.shape, scenario.verbs.size() > 1)) {}

  // A row for each verb, and their sum if there are several.
  std::vector<Result> measure(int rounds, double pause_ms);

 private:
  std::vector<Result> empty_results(double pause_ms) const;
  std::vector<std::optional<Usage>> timed(const Contestant& contestant, double pause_ms);
  std::vector<std::optional<Counts>> counted(const Contestant& contestant);
  Usage time_one(const Words& words, Verb verb, const Container& container);
  Usage time_many(const Subject& subject, Verb verb);
  Container container(const Contestant& contestant);

  const Scenario& scenario_;
  Session& session_;
  std::vector<Contestant>& contestants_;
  std::filesystem::path bundle_;
};

Container Rounds::container(const Contestant& contestant) {
  if (scenario_.inside) return contestant.inside;
  return session_.container(bundle_, scenario_.host == Host::systemd);
}

// What that process has done is counted with the command.
Usage Rounds::time_one(const Words& words, Verb verb, const Container& container) {
  const bool exists = leaves_process(verb) && verb != Verb::create;
  const Usage before = exists ? used_by(pid_of(container)) : Usage();
  Usage usage = run(words, session_.streams());
  if (leaves_process(verb)) {
    usage += used_by(pid_of(container));
    usage -= before;
  }
  if (verb == Verb::kill) await_end(pid_of(container));
  return usage;
}

Usage Rounds::time_many(const Subject& subject, Verb verb) {
  std::vector<Words> commands;
  for (int i = 0; i < scenario_.at_once; i++) {
    commands.push_back(*command_of(subject, verb, session_.container(bundle_)));
  }
  return run_together(commands, session_.streams());
}

// Of those that are there, behind them, if they are several.
template <class Value>
void add_sum(std::vector<std::optional<Value>>& values) {
  if (values.size() < 2) return;
  Value sum;
  for (const std::optional<Value>& value : values) {
    if (value) sum += *value;
  }
  values.emplace_back(sum);
}

std::vector<std::optional<Usage>> Rounds::timed(const Contestant& contestant, double pause_ms) {
  const Container used = container(contestant);
  std::vector<std::optional<Usage>> usages;
  for (const Verb verb : scenario_.verbs) {
    std::optional<Usage>& usage = usages.emplace_back();
    const std::optional<Words> words = command_of(contestant.subject, verb, used);
    if (!words) continue;
    drop_compiled_filters(contestant.subject);
    pause(pause_ms);
    usage =
        scenario_.at_once > 1 ? time_many(contestant.subject, verb) : time_one(*words, verb, used);
  }
  add_sum(usages);
  return usages;
}

std::vector<std::optional<Counts>> Rounds::counted(const Contestant& contestant) {
  const Container used = container(contestant);
  Tracer tracer;
  std::vector<std::optional<Counts>> all;
  for (const Verb verb : scenario_.verbs) {
    std::optional<Counts>& counts = all.emplace_back();
    const std::optional<Words> words = command_of(contestant.subject, verb, used);
    if (!words) continue;
    drop_compiled_filters(contestant.subject);
    counts = tracer.run(*words, session_.streams());
    if (verb == Verb::kill) (void)tracer.await_end(pid_of(used));
  }
  add_sum(all);
  return all;
}

std::vector<Result> Rounds::empty_results(double pause_ms) const {
  std::vector<Result> results;
  for (const Verb verb : scenario_.verbs)
    results.push_back({&scenario_, name_of(verb), pause_ms, {}});
  if (results.size() > 1) results.push_back({&scenario_, "sum", pause_ms, {}});
  for (Result& result : results) {
    for (const Contestant& contestant : contestants_) {
      result.series.push_back({contestant.subject.name, {}, {}});
    }
  }
  return results;
}

// Forwards and backwards, so that nobody always follows the same one, whose namespaces the kernel
// may still be removing.
std::vector<Result> Rounds::measure(int rounds, double pause_ms) {
  std::vector<Result> results = empty_results(pause_ms);
  for (int round = -kWarmUp; round < rounds; round++) {
    for (size_t i = 0; i < contestants_.size(); i++) {
      const size_t turn = round % 2 == 0 ? i : contestants_.size() - 1 - i;
      const auto usages = timed(contestants_[turn], pause_ms);
      for (size_t k = 0; k < usages.size() && round >= 0; k++) {
        if (usages[k]) results[k].series[turn].rounds.push_back(*usages[k]);
      }
    }
  }
  for (int pass = 0; pass < std::min(kCountedPasses, rounds) && scenario_.at_once == 1; pass++) {
    for (size_t i = 0; i < contestants_.size(); i++) {
      const auto counts = counted(contestants_[i]);
      for (size_t k = 0; k < counts.size(); k++) {
        if (counts[k]) results[k].series[i].counted.push_back(*counts[k]);
      }
    }
  }
  for (Result& result : results) {
    std::erase_if(result.series, [](const Series& series) { return series.rounds.empty(); });
  }
  return results;
}

std::vector<Contestant> contestants_of(const Scenario& scenario, const Session& session,
                                       const std::vector<Subject>& subjects) {
  std::vector<Contestant> contestants;
  for (const Subject& subject : subjects) {
    if (!is_runtime(subject) && subject.kind != scenario.floor) continue;
    contestants.push_back({subject, {}});
    if (!scenario.cold || subject.kind != Kind::onggi) continue;
    Subject cold = subject;
    cold.name += kColdSuffix;
    cold.root = session.directory() / cold.name;
    cold.cold = true;
    std::filesystem::create_directories(cold.root);
    contestants.push_back({cold, {}});
  }
  return contestants;
}

// The containers that verbs are to find, and the others: dealt out, so that each state root has its
// share.
void make_surroundings(const Scenario& scenario, Session& session,
                       std::vector<Contestant>& contestants) {
  if (!scenario.inside && scenario.others == 0) return;
  const std::filesystem::path bundle = session.bundles().make(Shape::plain, true);
  for (int i = 0; i < scenario.others; i++) {
    session.add_other(contestants[static_cast<size_t>(i) % contestants.size()].subject, bundle);
  }
  for (Contestant& contestant : contestants) {
    if (!scenario.inside) continue;
    contestant.inside = session.container(bundle);
    for (const Verb verb : {Verb::create, Verb::start}) {
      const auto words = command_of(contestant.subject, verb, contestant.inside);
      if (words) (void)run(*words, session.streams());
    }
  }
}

// For as long as it lives, we and our children have two processors.
class TwoProcessors {
 public:
  explicit TwoProcessors(bool wanted) {
    (void)sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t two;
    CPU_ZERO(&two);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&two) < 2; cpu++) {
      if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &two);
    }
    if (wanted) (void)sched_setaffinity(0, sizeof two, &two);
  }
  TwoProcessors(const TwoProcessors&) = delete;
  TwoProcessors& operator=(const TwoProcessors&) = delete;
  ~TwoProcessors() { (void)sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_ = {};
};

}  // namespace

std::vector<Result> measure(const Scenario& scenario, const Plan& plan, Session& session,
                            const std::vector<Subject>& subjects) {
  const TwoProcessors bound(scenario.at_once > 1);
  std::vector<Contestant> contestants = contestants_of(scenario, session, subjects);
  make_surroundings(scenario, session, contestants);
  Rounds rounds(scenario, session, contestants);
  std::vector<Result> results;
  for (const double pause_ms : plan.pauses_ms) {
    for (Result& result : rounds.measure(plan.rounds, pause_ms)) results.push_back(result);
  }
  session.sweep(subjects);
  return results;
}

}  // namespace bench
