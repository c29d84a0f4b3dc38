// SPDX-License-Identifier: Apache-2.0
// config-linux.md#seccomp.
#include "spec/reader.h"

namespace onggi::spec {

static Result<> read_operator(const Cursor& at, SeccompArg& to) {
  to.op = TRY(read_name(at, kSeccompOperatorNames, "seccomp operator"));
  return {};
}

static Result<> read(const Cursor& at, SeccompArg& to) {
  static constexpr Field<SeccompArg> kFields[] = {
      {"index", into<&SeccompArg::index>, kRequired},
      {"value", into<&SeccompArg::value>, kRequired},
      {"valueTwo", into<&SeccompArg::value_two>},
      {"op", read_operator, kRequired},
  };
  return read_object(at, kFields, to);
}

template <class T, SeccompAction T::*kAction>
static Result<> read_action(const Cursor& at, T& to) {
  to.*kAction = TRY(read_name(at, kSeccompActionNames, "seccomp action"));
  return {};
}

static Result<> read(const Cursor& at, SeccompSyscall& to) {
  static constexpr Field<SeccompSyscall> kFields[] = {
      {"names", into<&SeccompSyscall::names>, kRequired},
      {"action", read_action<SeccompSyscall, &SeccompSyscall::action>, kRequired},
      {"errnoRet", into<&SeccompSyscall::errno_ret>},
      {"args", into<&SeccompSyscall::args>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_architectures(const Cursor& at, Seccomp& to) {
  TRY(read(at, to.architectures));
  uint32_t index = 0;
  for (const Json& element : at.json().GetArray()) {
    TRY(read_name(Cursor(at, index++, element), kSeccompArchitectureNames, "seccomp architecture"));
  }
  return {};
}

static Result<> read_filter_flags(const Cursor& at, Seccomp& to) {
  to.flags = TRY(read_flags(at, kSeccompFlagNames, "seccomp flag"));
  return {};
}

Result<> read(const Cursor& at, Seccomp& to) {
  static constexpr Field<Seccomp> kFields[] = {
      {"defaultAction", read_action<Seccomp, &Seccomp::default_action>, kRequired},
      {"defaultErrnoRet", into<&Seccomp::default_errno_ret>},
      {"architectures", read_architectures},
      {"flags", read_filter_flags},
      {"listenerPath", into<&Seccomp::listener_path>},
      {"listenerMetadata", into<&Seccomp::listener_metadata>},
      {"syscalls", into<&Seccomp::syscalls>},
  };
  return read_object(at, kFields, to);
}

}  // namespace onggi::spec
