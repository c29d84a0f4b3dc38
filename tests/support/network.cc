// SPDX-License-Identifier: Apache-2.0
#include "support/network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>

namespace onggi::test {
namespace {

constexpr const char* kNsenter = "/usr/bin/nsenter";

std::string ip_path() {
  for (const char* path : {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return "";
}

}  // namespace

Need network_tools() {
  return {!ip_path().empty() && access(kNsenter, X_OK) == 0, "needs ip(8) and nsenter(1)"};
}

NetworkNamespace::NetworkNamespace() : before_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (before_ < 0 || unshare(CLONE_NEWNET) != 0) throw std::runtime_error("unshare network");
}

NetworkNamespace::~NetworkNamespace() {
  (void)setns(before_, CLONE_NEWNET);
  close(before_);
}

void NetworkNamespace::add_interface(const std::string& name) const {
  ip({"link", "add", name, "type", "veth", "peer", "name", name + "-peer"});
  for (const std::string& end : {name, name + "-peer"}) ip({"link", "set", end, "up"});
}

std::string ip(const Strings& words, const std::string& network_namespace) {
  Strings argv = {kNsenter, "--net=" + network_namespace, ip_path()};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_program(argv).out;
}

}  // namespace onggi::test
