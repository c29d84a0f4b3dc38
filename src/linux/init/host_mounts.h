// SPDX-License-Identifier: Apache-2.0
// A new mount namespace is a copy of the maker's whole mount table, and ends with removing it: with
// many containers on a host that is most of what a start costs. Where the runtime offers a
// namespace with next to nothing in it, the container's becomes a copy of that one instead, and for
// what config.json names of the host we step back into the host's for a moment.
#pragma once

#include "linux/init/context.h"
#include "linux/init/mount_calls.h"

namespace onggi {

// What such a step back sees.
enum class HostView {
  host,
  // What an ordinary new mount namespace begins with, at its price: without what is mounted of
  // mount namespaces.
  copy,
};

// Makes the container's mount namespace, unless clone3(2) has done so.
Result<> enter_mount_namespace(InitContext& context);

Result<> step_into_host(const InitContext& context, HostView view);
Result<> step_back(const InitContext& context);

// `open` is called where paths are those of the host. The detached tree that it returns gets the
// propagation that it would have if it came from a copy of the host's mounts.
template <class Open>
Result<UniqueFd> open_on_host(const InitContext& context, HostView view, const Open& open) {
  if (!context.began_empty) return open();
  TRY(step_into_host(context, view));
  Result<UniqueFd> tree = open();
  TRY(step_back(context));
  if (tree) TRY(set_propagation(tree->get(), {&context.host.propagation, 1}, "/"));
  return tree;
}

// A tree that open_on_host() has cloned and that has been attached since: ELOOP, and it is
// detached, if there is a namespace in it. The kernel has the same word for it, and says it itself
// where it takes the container's namespace for the newer one (mnt_ns_loop() in its fs/namespace.c).
Result<> check_host_tree(const InitContext& context, int tree, const char* what);

}  // namespace onggi
