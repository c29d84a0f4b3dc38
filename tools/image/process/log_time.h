// SPDX-License-Identifier: Apache-2.0
// Points in time as people give them to `logs --since`, in the form that a log has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onggi::image {

// "2026-11-30T06:07:33.5+01:00", "2026-11-30T06:07", "2026-11-30" or "1798610400.5" (seconds since
// 1970) as "2026-11-30T05:07:33.500000000Z". Without a zone it is local time, as docker has it.
// Nothing: it is no point in time.
std::optional<std::string> parse_log_time(std::string_view text);

}  // namespace onggi::image
