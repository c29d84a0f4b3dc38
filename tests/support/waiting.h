// SPDX-License-Identifier: Apache-2.0
// A container whose program waits for a signal, prints it and then ends with 0: for what happens in
// each of the states of a container.
#pragma once

#include "support/suite.h"

namespace onggi::test {

struct Waiting {
  Waiting() {
    bundle.guest({"signal-exit"}).set_json("/annotations", R"({"com.example.key": "value"})");
    created = container.create().ok();
  }
  bool start() {
    pid = container.pid();
    return container.start().ok() && container.wait_output("ready");
  }
  bool end() { return container.kill("TERM").ok() && container.wait_exit(pid) == 0; }
  Bundle bundle;
  Container container{bundle};
  bool created = false;
  pid_t pid = 0;
};

}  // namespace onggi::test
