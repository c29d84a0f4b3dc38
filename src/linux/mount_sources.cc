// SPDX-License-Identifier: Apache-2.0
// Entering a mount namespace changes the root and the working directory of who does it, so a
// short-lived child does it: it has our credentials, but is where init is.
#include "linux/mount_sources.h"

#include "linux/id_mappings.h"
#include "linux/socket_message.h"
#include "linux/waiting.h"

#include <linux/prctl.h>
#include <signal.h>

namespace onggi {
namespace {

constexpr std::string_view kCannotMap =
    "the kernel cannot map ids on the source's filesystem; one mounted in the container's user "
    "namespace already has its mappings";
constexpr std::string_view kMappedAlready =
    "the source already has mapped ids, or its filesystem belongs to another user namespace";

// What the child needs, on the parent's stack.
struct Request {
  const plan::BindMount& mount;
  const char* source;
  int init;            // pidfd
  int user_namespace;  // whose mappings the mount gets; -1: none
  int channel;
  int parent;  // process id
};

Result<UniqueFd> open_source(const Request& request) {
  const long entered = sys::setns(request.init, CLONE_NEWNS);
  if (entered < 0) return system_error(entered, "setns", "the container's mount namespace");
  const unsigned recursive = request.mount.recursive ? AT_RECURSIVE : 0U;
  const long opened = sys::open_tree(AT_FDCWD, request.source, OPEN_TREE_CLONE | recursive);
  if (opened < 0) return system_error(opened, "open_tree", request.source);
  UniqueFd tree(opened);
  if (request.user_namespace < 0) return tree;
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<__u64>(request.user_namespace);
  const unsigned all = request.mount.recursive_id_map ? AT_RECURSIVE : 0U;
  const long mapped = sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | all, attributes);
  if (mapped >= 0) return tree;
  const Error error = system_error(mapped, "mount_setattr MOUNT_ATTR_IDMAP", request.source);
  return with_hint(error, mapped == -EPERM ? kMappedAlready : kCannotMap);
}

// On shared memory: raw system calls only. A source on a file system that does not answer may keep
// it for as long as it likes; with us it ends, or init would wait for the answer for ever.
void answer_request(void* argument) {
  const auto& request = *static_cast<const Request*>(argument);
  (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (sys::call(SYS_getppid) != request.parent) sys::exit_group(1);
  Message message;
  message.kind = MessageKind::source;
  const Result<UniqueFd> tree = open_source(request);
  if (!tree) message.error = tree.error();
  const Result<> sent = send_message(request.channel, message, tree ? tree->get() : -1);
  sys::exit_group(sent ? 0 : 1);
}

// A process whose only purpose is its user namespace. It ends with the pipe, so also with us.
class NamespaceHolder {
 public:
  explicit NamespaceHolder(SocketPair pipe)
      : ours_(std::move(pipe.first)), its_(std::move(pipe.second)) {}
  ~NamespaceHolder() {
    ours_.reset();
    int status;
    if (child_.pid != 0) (void)sys::waitpid(child_.pid, status);
  }
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;

  Result<int> start() {
    child_ = TRY(clone_copying({.flags = CLONE_NEWUSER}, wait_for_end, this));
    return child_.pid;
  }

 private:
  static void wait_for_end(void* argument) {
    auto& holder = *static_cast<NamespaceHolder*>(argument);
    (void)sys::close(holder.ours_.get());
    char byte;
    (void)sys::read(holder.its_.get(), &byte, 1);
    sys::exit_group(0);
  }

  UniqueFd ours_, its_;
  Child child_;
};

Result<UniqueFd> open_user_namespace(int pid) {
  const auto path = text<64>("/proc/", pid, "/ns/user");
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", path.view());
  return UniqueFd(opened);
}

Result<UniqueFd> make_user_namespace(const plan::IdMap& map, const std::string& place) {
  NamespaceHolder holder(TRY(make_socket_pair(SOCK_STREAM)));
  const int pid = TRY(holder.start());
  TRY(write_id_map(pid, "gid_map", map.gids, place + ".gidMappings"));
  TRY(write_id_map(pid, "uid_map", map.uids, place + ".uidMappings"));
  return open_user_namespace(pid);
}

}  // namespace

Result<int> MountSources::user_namespace(const plan::Plan& plan, const plan::Step& step, int init) {
  const int32_t wanted = std::get<plan::BindMount>(step.action).id_map;
  if (wanted < 0) return -1;
  const auto index = static_cast<size_t>(wanted);
  user_namespaces_.resize(plan.id_maps.size());
  UniqueFd& fd = user_namespaces_[index];
  const plan::IdMap& map = plan.id_maps[index];
  if (!fd) {
    fd = map.uids.empty() ? TRY(open_user_namespace(init))
                          : TRY(make_user_namespace(map, plan::render(step.origin)));
  }
  return fd.get();
}

Result<> MountSources::answer(const plan::Plan& plan, int step, const Asking& asking) {
  const auto index = static_cast<size_t>(step);
  if (index >= plan.before_pivot.size() ||
      !std::holds_alternative<plan::BindMount>(plan.before_pivot[index].action)) {
    return make_error(ErrorKind::internal, "a request for the source of step ", step);
  }
  const plan::Step& asked = plan.before_pivot[index];
  const auto& mount = std::get<plan::BindMount>(asked.action);
  const std::string place = plan::render(asked.origin);
  Request request{.mount = mount,
                  .source = plan.pool.view()(mount.source),
                  .init = asking.init.pidfd.get(),
                  .user_namespace = TRY_AT(place, user_namespace(plan, asked, asking.init.pid)),
                  .channel = asking.channel,
                  .parent = static_cast<int>(sys::getpid())};
  const Child child = TRY_AT(place, clone_sharing(answer_request, &request));
  const Result<Waited> ended = wait_readable(child.pidfd.get(), {.signals = asking.signals});
  if (!ended) {
    (void)sys::pidfd_send_signal(child.pidfd.get(), SIGKILL);
    return at_place(ended.error(), place);
  }
  int status = 0;
  (void)sys::waitpid(child.pid, status);
  if (status == 0) return {};
  Error error = make_error(ErrorKind::system, "the process that opens '", request.source, "' died");
  return at_place(error, place);
}

}  // namespace onggi
