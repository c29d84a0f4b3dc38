// SPDX-License-Identifier: Apache-2.0
// Signals as a descriptor to poll: for the wait on a container, and so that a command that is
// interrupted takes back what it has begun.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace onggi {

// Blocks all signals that can be blocked; they are read from the descriptor, which is non-blocking.
// What is executed from here on has to unblock them for itself, as onggi-init does.
Result<UniqueFd> block_signals();

// The same of those alone that would have ended us; they have to be blocked already.
Result<UniqueFd> terminating_signals();

// The number of the next pending signal; 0: there is none.
int next_signal(int signals);

// Would it have ended us? (Ctrl-C, hang-up, an engine's timeout.)
bool is_terminating(int signal);

}  // namespace onggi
