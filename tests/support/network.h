// SPDX-License-Identifier: Apache-2.0
// A network namespace for the test and the runtimes that it starts, and ip(8) to look into one.
#pragma once

#include "support/suite.h"

#include <string>

namespace onggi::test {

// ip(8) and nsenter(1).
Need network_tools();

// While it lives, this process is in a network namespace of its own, which goes with it.
class NetworkNamespace {
 public:
  NetworkNamespace();
  ~NetworkNamespace();
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  // One end of a veth pair, up; the other one is NAME-peer, up, too.
  void add_interface(const std::string& name) const;

 private:
  int before_;
};

// The output of `ip WORD...` in this process's network namespace, or in the one at a path; what it
// complains of is not in it.
std::string ip(const Strings& words, const std::string& network_namespace = "/proc/self/ns/net");

}  // namespace onggi::test
