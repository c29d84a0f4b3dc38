// SPDX-License-Identifier: Apache-2.0
// Points in time as RFC 3339 writes them. Not by gmtime(3), which reads /etc/localtime.
#pragma once

#include <string>

struct timespec;

namespace onggi {

enum class Precision { seconds, nanoseconds };

// "2026-11-21T16:20:00Z", "2026-11-21T16:20:00.000000007Z". `time`: since the epoch, not negative.
std::string utc_text(const timespec& time, Precision precision);
// Now, by CLOCK_REALTIME.
std::string utc_now(Precision precision);

}  // namespace onggi
