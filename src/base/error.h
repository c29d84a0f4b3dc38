// SPDX-License-Identifier: Apache-2.0
// The one error record of both programs: what failed, on what, at which place of config.json.
// Trivially copyable, because onggi-init sends it to the runtime as it stands.
#pragma once

#include "base/text.h"

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace onggi {

enum class ErrorKind : uint8_t {
  system,          // a system call failed; errnum says how
  invalid_config,  // config.json (or an argument) is wrong
  unsupported,     // legal, but this build or this host cannot do it
  state,           // the container is in the wrong state for the command
  internal,        // a bug in onggi
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::internal;
  int errnum = 0;          // errno value, 0 when there is none
  FixedText<128> place;    // "mounts[3].destination", or empty
  FixedText<640> message;  // lower case, without the text of errnum
  FixedText<160> hint;     // the cure, or empty

  bool well_formed() const {
    return kind <= ErrorKind::internal && place.well_formed() && message.well_formed() &&
           hint.well_formed();
  }
};
static_assert(std::is_trivially_copyable_v<Error>);

// A failed system call: "open_tree '/srv/data'". `result` is what a onggi::sys call returned: a
// negated errno.
inline Error system_error(long result, std::string_view call, std::string_view object = {}) {
  Error error;
  error.kind = ErrorKind::system;
  error.errnum = static_cast<int>(-result);
  error.message.append(call);
  if (!object.empty()) error.message.append(" '", object, "'");
  return error;
}

template <class... Parts>
Error make_error(ErrorKind kind, const Parts&... parts) {
  Error error;
  error.kind = kind;
  (error.message.append(parts), ...);
  return error;
}
template <class... Parts>
Error config_error(std::string_view place, const Parts&... parts) {
  Error error = make_error(ErrorKind::invalid_config, parts...);
  error.place.append(place);
  return error;
}
template <class... Parts>
Error unsupported(std::string_view place, const Parts&... parts) {
  Error error = make_error(ErrorKind::unsupported, parts...);
  error.place.append(place);
  return error;
}
template <class... Parts>
Error state_error(const Parts&... parts) {
  return make_error(ErrorKind::state, parts...);
}

// The death of onggi-init: `when` is "while ..." or "before ...". It is no system call's error, and
// may be that of a memory limit (cgroups/out_of_memory.h).
inline constexpr std::string_view kInitDied = "onggi-init died ";
inline Error init_died(std::string_view when) {
  Error error = make_error(ErrorKind::system, kInitDied, when);
  error.hint.append("a memory limit below what it needs, or a signal");
  return error;
}

// The same error with a place, unless a deeper caller has already named one.
inline Error at_place(Error error, std::string_view place) {
  if (error.place.empty()) error.place.append(place);
  return error;
}
inline Error with_hint(Error error, std::string_view hint) {
  if (error.hint.empty()) error.hint.append(hint);
  return error;
}

}  // namespace onggi
