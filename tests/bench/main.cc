// SPDX-License-Identifier: Apache-2.0
// Measures runtimes against each other and against the floor; tests/bench/run calls it,
// docs/performance.md explains it.
#include "bench/report.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>

namespace bench {
namespace {

struct Arguments {
  Plan plan;
  std::string json, svg;
  std::vector<std::pair<std::string, std::string>> programs;
  std::vector<const Scenario*> chosen;
  bool list = false, here = false, elsewhere = false;
};

int number(const std::string& text, int least) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    throw Failure("'" + text + "' is not a number of at least " + std::to_string(least));
  }
  return value;
}

struct Option {
  const char* name;
  bool has_value;
  void (*set)(Arguments& arguments, const std::string& value);
};
constexpr Option kOptions[] = {
    {"--rounds", true, [](Arguments& a, const std::string& v) { a.plan.rounds = number(v, 1); }},
    {"--pause", true,
     [](Arguments& a, const std::string& v) { a.plan.pauses_ms = {double(number(v, 0))}; }},
    {"--json", true, [](Arguments& a, const std::string& v) { a.json = v; }},
    {"--svg", true, [](Arguments& a, const std::string& v) { a.svg = v; }},
    // Of use to tests/bench/run, with the names of scenarios.
    {"--list", false, [](Arguments& a, const std::string&) { a.list = true; }},
    {"--here", false, [](Arguments& a, const std::string&) { a.here = true; }},
    {"--elsewhere", false, [](Arguments& a, const std::string&) { a.elsewhere = true; }},
};

const Option* find_option(const std::string& word) {
  for (const Option& option : kOptions) {
    if (option.name == word) return &option;
  }
  return nullptr;
}

void take_word(Arguments& arguments, const std::string& word) {
  const size_t equals = word.find('=');
  if (equals != std::string::npos) {
    arguments.programs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  } else if (const Scenario* scenario = find_scenario(word)) {
    arguments.chosen.push_back(scenario);
  } else {
    throw Failure("no scenario or option '" + word + "'");
  }
}

Arguments parse(const Words& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); i++) {
    const Option* option = find_option(words[i]);
    if (option == nullptr) {
      take_word(arguments, words[i]);
      continue;
    }
    if (option->has_value && i + 1 == words.size()) throw Failure(words[i] + " needs a value");
    option->set(arguments, option->has_value ? words[++i] : "");
  }
  if (arguments.chosen.empty()) {
    for (const Scenario& scenario : scenarios()) arguments.chosen.push_back(&scenario);
  }
  return arguments;
}

void list_scenarios() {
  for (const Scenario& scenario : scenarios()) {
    printf("%-17s %-10s %s\n", scenario.name, name_of(scenario.host), scenario.summary);
  }
}

// The chosen scenarios that can, or cannot, be measured on this host.
void print_chosen(const Arguments& arguments) {
  for (const Scenario* scenario : arguments.chosen) {
    if (is_host(scenario->host) == arguments.here) printf("%s\n", scenario->name);
  }
}

void measure_one(const Scenario& scenario, Session& session, Report& report) {
  if (!is_host(scenario.host)) {
    throw Failure(std::string(scenario.name) + " needs " + name_of(scenario.host));
  }
  if (scenario.verbs.empty()) {
    report.held = measure_memory(session, report.subjects);
    print_table(report.held);
    return;
  }
  for (Result& result : measure(scenario, report.plan, session, report.subjects)) {
    print_table(result);
    report.results.push_back(std::move(result));
  }
}

void measure_all(const Arguments& arguments) {
  note_signals();
  Session session;
  Report report{this_machine(), arguments.plan, {}, {}, {}};
  for (const auto& [name, program] : arguments.programs) {
    report.subjects.push_back(make_subject(name, program, session.directory(), session.streams()));
  }
  print_machine(report);
  for (const Scenario* scenario : arguments.chosen) measure_one(*scenario, session, report);
  if (!arguments.json.empty()) write_file(arguments.json, to_json(report));
  if (!arguments.svg.empty()) write_file(arguments.svg, to_svg(report));
}

void follow(const Words& words) {
  const Arguments arguments = parse(words);
  if (arguments.list) {
    list_scenarios();
  } else if (arguments.here || arguments.elsewhere) {
    print_chosen(arguments);
  } else {
    measure_all(arguments);
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    bench::follow(bench::Words(argv + 1, argv + argc));
    return 0;
  } catch (const bench::Interrupted&) {
    (void)fputs("bench: interrupted; all is taken back\n", stderr);
    return 130;
  } catch (const std::exception& error) {
    (void)fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
}
