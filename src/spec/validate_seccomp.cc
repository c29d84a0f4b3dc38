// SPDX-License-Identifier: Apache-2.0
// Rules of config-linux.md#seccomp.
#include "spec/checks.h"

namespace onggi::spec {

// The value travels in the 16 bits of SECCOMP_RET_DATA; as an errno the kernel cuts it to MAX_ERRNO
// (seccomp(2)).
static Result<> check_errno(SeccompAction action, std::optional<uint32_t> value, const Place& at) {
  constexpr uint32_t kMaxErrno = 4095, kMaxTraceData = 0xffff;
  if (!value) return {};
  if (action != SeccompAction::errno_ && action != SeccompAction::trace) {
    return broken(at, "requires SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
  }
  const uint32_t most = action == SeccompAction::errno_ ? kMaxErrno : kMaxTraceData;
  if (*value > most) return broken(at, "must be an integer from 0 to ", most);
  return {};
}

static Result<> check_args(const SeccompSyscall& syscall, const Place& at) {
  constexpr uint8_t kMaskedEqual = 7;
  for (size_t i = 0; i < syscall.args.size(); ++i) {
    const SeccompArg& arg = syscall.args[i];
    const Place arg_at = place(at.view(), ".args[", i, "]");
    if (arg.index > 5)
      return broken(place(arg_at.view(), ".index"), "must be an integer from 0 to 5");
    if (arg.value_two != 0 && arg.op != kMaskedEqual) {
      return broken(place(arg_at.view(), ".valueTwo"), "requires SCMP_CMP_MASKED_EQ");
    }
  }
  return {};
}

static Result<> check_syscall(const Seccomp& seccomp, size_t index) {
  const SeccompSyscall& syscall = seccomp.syscalls[index];
  const Place at = place("linux.seccomp.syscalls[", index, "]");
  if (syscall.names.empty()) return broken(place(at.view(), ".names"), "must name a system call");
  for (size_t i = 0; i < syscall.names.size(); ++i) {
    if (syscall.names[i].empty())
      return broken(place(at.view(), ".names[", i, "]"), "must not be empty");
  }
  TRY(check_errno(syscall.action, syscall.errno_ret, place(at.view(), ".errnoRet")));
  if (syscall.action == SeccompAction::notify && seccomp.listener_path.empty()) {
    return broken(place(at.view(), ".action"),
                  "SCMP_ACT_NOTIFY requires linux.seccomp.listenerPath");
  }
  return check_args(syscall, at);
}

Result<> check_seccomp(const Spec& spec) {
  if (!spec.linux.seccomp) return {};
  const Seccomp& seccomp = *spec.linux.seccomp;
  // The runtime itself would then wait for the agent before it can hand the agent its descriptor.
  if (seccomp.default_action == SeccompAction::notify) {
    return broken("linux.seccomp.defaultAction", "must not be SCMP_ACT_NOTIFY");
  }
  TRY(check_errno(seccomp.default_action, seccomp.default_errno_ret,
                  "linux.seccomp.defaultErrnoRet"));
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty()) {
    return broken("linux.seccomp.listenerMetadata", "requires linux.seccomp.listenerPath");
  }
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) TRY(check_syscall(seccomp, i));
  return {};
}

}  // namespace onggi::spec
