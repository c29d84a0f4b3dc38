// SPDX-License-Identifier: Apache-2.0
// The six lists of hooks.
#include "spec/reader.h"

namespace onggi::spec {

// A timeout of 0 would mean "never" to one runtime and "at once" to another; config.md wants it
// greater than zero.
static Result<> read_timeout(const Cursor& at, Hook& to) {
  to.timeout =
      static_cast<uint32_t>(TRY(read_unsigned(at, 1, std::numeric_limits<uint32_t>::max())));
  return {};
}

// An empty list is an environment too, unlike none.
static Result<> read_environment(const Cursor& at, Hook& to) {
  return read(at, to.env.emplace());
}

static Result<> read(const Cursor& at, Hook& to) {
  static constexpr Field<Hook> kFields[] = {
      {"path", into<&Hook::path>, kRequired},
      {"args", into<&Hook::args>},
      {"env", read_environment},
      {"timeout", read_timeout},
  };
  return read_object(at, kFields, to);
}

Result<> read(const Cursor& at, Hooks& to) {
  static constexpr Field<Hooks> kFields[] = {
      {"prestart", into<&Hooks::prestart>},
      {"createRuntime", into<&Hooks::create_runtime>},
      {"createContainer", into<&Hooks::create_container>},
      {"startContainer", into<&Hooks::start_container>},
      {"poststart", into<&Hooks::poststart>},
      {"poststop", into<&Hooks::poststop>},
  };
  return read_object(at, kFields, to);
}

}  // namespace onggi::spec
