// SPDX-License-Identifier: Apache-2.0
// Where the time of one command goes (--timing): a line of phases on standard error.
//
//   timing in ms (running): start 0.52 (0.52), config 0.31 (0.30), ..., whole 5.12 (3.00)
//
// Wall time of each phase and, in parentheses, what of it this process ran: the rest it waited, for
// init or in the kernel. Until begin() everything here does nothing.
#pragma once

#include <string_view>

namespace onggi::timing {

// What was before is the phase "start"; as CPU time alone, since a process does not know when it
// was executed.
void begin();
// Ends a phase, which began where the last one ended. `name` is a literal.
void end_of(std::string_view name);
// The line, with what is left as the phase "end".
void print();

}  // namespace onggi::timing
