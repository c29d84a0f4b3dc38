// SPDX-License-Identifier: Apache-2.0
// The filter is loaded when the program is started, so that nothing before it needs to be allowed.
// The message tells of the container as it is then: created, unless it is of an `exec`.
#include "runtime/seccomp_notify.h"

#include "base/path.h"
#include "linux/unix_socket.h"
#include "runtime/state_document.h"

namespace onggi {
namespace {

constexpr std::string_view kPlace = "linux.seccomp.listenerPath";

std::string path_of(const spec::Spec& spec, const std::string& bundle) {
  return join_path(bundle, spec.linux.seccomp->listener_path);
}

}  // namespace

bool notifies(const spec::Spec& spec) {
  return spec.linux.seccomp && spec::notifies(*spec.linux.seccomp);
}

Result<> check_agent(const spec::Spec& spec, const std::string& bundle) {
  if (!notifies(spec)) return {};
  TRY_AT(kPlace, check_socket(path_of(spec, bundle)));
  return {};
}

Result<std::optional<SeccompAgent>> connect_agent(const spec::Spec& spec, const Record& record,
                                                  FilteredProcess process, int signals) {
  if (!notifies(spec)) return std::optional<SeccompAgent>();
  std::string state = process_state_document(record, process.status, process.pid,
                                             spec.linux.seccomp->listener_metadata);
  return std::optional(TRY_AT(
      kPlace, SeccompAgent::connect(path_of(spec, record.bundle), std::move(state), signals)));
}

}  // namespace onggi
