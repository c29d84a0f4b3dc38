// SPDX-License-Identifier: Apache-2.0
// /proc shows maps by process only, and as the reader's own namespace sees them: a child joins, we
// look at it from outside, and it goes away.
#include "linux/user_namespace.h"

#include "base/file.h"
#include "linux/clone.h"
#include "linux/id_mappings.h"
#include "linux/join.h"
#include "linux/socket_message.h"

namespace onggi {
namespace {

struct Visit {
  int target;  // descriptor of the namespace
  int ours, peer;
};

// Tells how joining went, and stays until the other end is closed.
void visit(void* argument) {
  const auto& entry = *static_cast<const Visit*>(argument);
  (void)sys::close(entry.peer);
  (void)hide();
  const long joined = sys::setns(entry.target, CLONE_NEWUSER);
  (void)sys::write(entry.ours, &joined, sizeof joined);
  char byte;
  (void)sys::read(entry.ours, &byte, 1);
  sys::exit_group(0);
}

}  // namespace

Result<plan::UserNamespaceFacts> probe_user_namespace_of(int pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  plan::UserNamespaceFacts facts;
  facts.uid_mappings = TRY(read_id_map(process + "/uid_map"));
  facts.gid_mappings = TRY(read_id_map(process + "/gid_map"));
  const std::string set_groups = TRY(read_file(AT_FDCWD, process + "/setgroups", 16));
  facts.set_groups_denied = set_groups.starts_with("deny");
  return facts;
}

Result<plan::UserNamespaceFacts> probe_user_namespace(const std::string& path,
                                                      std::string_view place) {
  const UniqueFd target =
      TRY(open_namespace({spec::NamespaceType::user, path, std::string(place), {}}));
  SocketPair sockets = TRY(make_socket_pair(SOCK_SEQPACKET));
  Visit entry{.target = target.get(), .ours = sockets.second.get(), .peer = sockets.first.get()};
  const Child child = TRY(clone_copying({.flags = 0, .cgroup = -1}, visit, &entry));
  sockets.second.reset();
  long joined = -ECHILD;  // it died
  const long received = sys::read(sockets.first.get(), &joined, sizeof joined);
  Result<plan::UserNamespaceFacts> facts =
      received > 0 && joined == 0 ? probe_user_namespace_of(child.pid)
                                  : at_place(system_error(joined, "setns", path), place);
  sockets.first.reset();
  int status;
  (void)sys::waitpid(child.pid, status);
  return facts;
}

}  // namespace onggi
