// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/container_root.h"

#include "base/file.h"
#include "bundle/mounted_image.h"
#include "command/container_files.h"
#include "command/runner.h"
#include "model/json.h"
#include "process/user_namespace.h"

#include <grp.h>
#include <sched.h>
#include <unistd.h>

namespace onggi::image {
namespace {

Result<UniqueFd> open_of_process(const ContainerProcess& process, const char* name, int flags) {
  const std::string path = "/proc/" + std::to_string(process.pid) + "/" + name;
  const long opened = sys::openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC);
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

// The container's, in which the user is root.
Result<> join_user_namespace(const ContainerProcess& process) {
  if (geteuid() == 0) return {};
  const UniqueFd user = TRY(open_of_process(process, "ns/user", O_RDONLY));
  const long joined = sys::setns(user.get(), CLONE_NEWUSER);
  if (joined < 0) return system_error(joined, "setns", "user namespace");
  if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
    return system_error(-errno, "setresuid", "0");
  return {};
}

// A volume at its place, which links of the container cannot lead elsewhere.
Result<> attach_bind(int root, const rapidjson::Value& mount) {
  const std::string source(text_member(mount, "source"));
  const std::string destination(text_member(mount, "destination"));
  const UniqueFd place(
      sys::openat2(root, destination.c_str(), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
  if (!place) return {};  // it never ran so far
  const UniqueFd tree(
      sys::open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (!tree) return state_error("the source '", source, "' of a mount cannot be opened");
  const rapidjson::Value* options = member_of(mount, "options");
  bool is_read_only = false;
  if (options != nullptr && options->IsArray()) {
    for (const auto& each : options->GetArray())
      is_read_only |= each.IsString() && std::string_view(each.GetString()) == "ro";
  }
  if (is_read_only) {
    mount_attr attributes = {};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    const long set = sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, attributes);
    if (set < 0) return system_error(set, "mount_setattr", destination);
  }
  const long moved = sys::move_mount(tree.get(), "", place.get(), "",
                                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", destination);
  return {};
}

Result<> attach_binds(const Container& container, int root) {
  const rapidjson::Document config = TRY(runtime_config(container.directory()));
  const rapidjson::Value* mounts = member_of(config, "mounts");
  if (mounts == nullptr || !mounts->IsArray()) return {};
  for (const auto& mount : mounts->GetArray()) {
    if (mount.IsObject() && text_member(mount, "type") == "bind") TRY(attach_bind(root, mount));
  }
  return {};
}

}  // namespace

Result<ContainerRoot> ContainerRoot::of_running(const ContainerProcess& process, Mounts mounts) {
  UniqueFd root = TRY(open_of_process(process, "root", O_RDONLY | O_DIRECTORY));
  const UniqueFd space = TRY(open_of_process(process, "ns/mnt", O_RDONLY));
  // Its number was its own until now: what is open is its.
  if (TRY(wait_for_process(process, 0))) return state_error("the container has just ended");
  TRY(join_user_namespace(process));
  if (mounts == Mounts::shown) return ContainerRoot(std::move(root), std::nullopt);
  // Only in its namespace can its root be had without what is mounted on it. Then back, since
  // /proc there is the container's.
  const UniqueFd own(sys::openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  const long joined = sys::setns(space.get(), CLONE_NEWNS);
  if (joined < 0) return system_error(joined, "setns", "mount namespace");
  const UniqueFd tree(sys::open_tree(
      root.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_EMPTY_PATH)));
  if (!tree) return state_error("the root filesystem of the container cannot be opened");
  if (sys::setns(own.get(), CLONE_NEWNS) < 0) {
    return with_hint(unsupported("", "an ordinary user can do this only with a stopped container"),
                     "use 'onggi-image stop' first");
  }
  root = TRY(open_directory(tree.get(), "."));
  return ContainerRoot(std::move(root), std::nullopt);
}

Result<ContainerRoot> ContainerRoot::of_stopped(const Context& context, const std::string& id,
                                                Mounts mounts) {
  TRY(enter_user_namespace());
  // Before any directory is open: an overlay takes only those of its own namespace.
  TRY(leave_mount_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  std::optional<Container> container = TRY(Container::open(store, id));
  if (!container) return with_hint(state_error("the container is starting or ending"), "try again");
  const Image image = TRY(image_of_container(store, container->record()));
  const Snapshots snapshots(store);
  const Layout layout = TRY(store.read());
  TRY(snapshots.make(layout, image, context.global.limits));
  TRY(attach_image(snapshots, image, {container->directory(), !container->record().is_temporary}));
  UniqueFd root = TRY(open_directory(container->directory(), "rootfs"));
  if (mounts == Mounts::shown) TRY(attach_binds(*container, root.get()));
  return ContainerRoot(std::move(root), std::move(container));
}

Result<ContainerRoot> ContainerRoot::open(const Context& context, const std::string& id,
                                          Mounts mounts) {
  std::optional<ContainerProcess> process;
  {
    const Store store = TRY(Store::open(context.global.root, LockKind::shared));
    const ContainerWatch watch = TRY(ContainerWatch::open(store, id));
    process = TRY(watch.process());
  }
  return process ? of_running(*process, mounts) : of_stopped(context, id, mounts);
}

}  // namespace onggi::image
