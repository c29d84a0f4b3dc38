// SPDX-License-Identifier: Apache-2.0
// What is measured: a table.
#pragma once
#include "bench/bundle.h"
#include "bench/subject.h"

#include <span>

namespace bench {

enum class Host { any, v1, v2, systemd };

struct Scenario {
  const char* name;
  const char* summary;
  std::span<const Verb> verbs;  // each is timed; none: memory is measured instead
  Shape shape = Shape::plain;
  Host host = Host::any;
  Kind floor = Kind::runtime;  // that does the same; Kind::runtime: none
  bool cold = false;           // onggi also without compiled seccomp filters
  bool inside = false;         // a container is there already, in which the verbs happen
  int at_once = 1;             // commands that run at the same time
  int others = 0;              // containers alive beside those measured
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(const std::string& name);
// Whether this host is of that kind.
bool is_host(Host host);
const char* name_of(Host host);

}  // namespace bench
