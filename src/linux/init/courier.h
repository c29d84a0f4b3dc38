// SPDX-License-Identifier: Apache-2.0
// A second thread of init that the program's seccomp filter does not cover. It is there where the
// filter has a listener, which must reach the agent before a notified call can go on, or where the
// filter would not let us say why the program does not start.
#pragma once

#include "linux/init/context.h"

namespace onggi {

struct CourierOrder {
  const InitContext* context = nullptr;
  int report = -1;        // socket for a failure to start the program, borrowed
  bool listener = false;  // it has one to carry
  bool drop = false;      // it still has init's rights, and is to have the program's
  uint64_t kept = 0;      // capabilities besides, until the listener is delivered
};

// When it returns, the courier has dropped what it is to drop. Started before there are limits that
// could stand against it. The program's execve ends it.
Result<> start_courier(const CourierOrder& order);
// In a forked process, which has no second thread.
void forget_courier();
// Returns, without a system call, when the agent has the listener. Meanwhile the courier sets
// process.scheduler for this thread.
void hand_over(int listener);
// Without a system call, if there is a courier: it says so and ends this process.
[[noreturn]] void report_failure(int report, const Error& error);

}  // namespace onggi
