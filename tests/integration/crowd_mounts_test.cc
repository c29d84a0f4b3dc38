// SPDX-License-Identifier: Apache-2.0
// Containers beside many others, whose mounts they are not to pay for: what they see is what a
// container sees that is alone, and of what was kept for the crowd nothing stays.
#include "support/hooked.h"
#include "support/mount_table.h"
#include "support/suite.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <sstream>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr int kCrowd = 64;

fs::path kept() {
  return state_root() / "@mounts";
}
// Where the kernel tells it apart from an ordinary file.
bool is_kept() {
  return mount_at(read_file("/proc/self/mountinfo"), kept() / "namespace").type == "nsfs";
}

// Containers that were killed before they were more than a directory.
class Crowd {
 public:
  Crowd() {
    for (int i = 0; i < kCrowd; i++) fs::create_directory(state_root() / name(i));
  }
  ~Crowd() {
    for (int i = 1; i < kCrowd; i++) fs::remove(state_root() / name(i));
    CHECK(runtime({"delete", "--force", name(0)}).ok());
    CHECK_FALSE(fs::exists(kept()));
    CHECK(mount_points(kept()).empty());
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  static std::string name(int number) { return tag() + "-crowd-" + std::to_string(number); }
};

// The file of a mount namespace, mounted in a directory from where it does not propagate.
class MountedNamespace {
 public:
  explicit MountedNamespace(const fs::path& directory)
      : place_(directory), path_(directory / "namespace") {
    place_.change(MS_PRIVATE);
    write_file(path_, "");
    REQUIRE(on_some_cpu([this] {
      return run_program({"/usr/bin/unshare", "--mount=" + path_.string(), "/bin/true"}).ok();
    }));
  }
  ~MountedNamespace() { (void)umount2(path_.c_str(), MNT_DETACH); }
  MountedNamespace(const MountedNamespace&) = delete;
  MountedNamespace& operator=(const MountedNamespace&) = delete;
  const fs::path& path() const { return path_; }

 private:
  // Since Linux 6.18 only one that is made on the right CPU may be mounted.
  template <class Try>
  static bool on_some_cpu(const Try& attempt) {
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    bool done = false;
    for (size_t cpu = 0; cpu < size_t{CPU_SETSIZE} && !done; cpu++) {
      if (!CPU_ISSET(cpu, &all)) continue;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
      done = attempt();
    }
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
    return done;
  }

  const HostMount place_;
  const fs::path path_;
};

bool began_empty(const Outcome& outcome) {
  return contains(outcome.err, "the mount namespace began empty");
}
Outcome run_aloud(const Bundle& bundle) {
  return Container(bundle, {"--debug"}).run();
}

// mountinfo, with the parent's line instead of the ids, and without the numbers that the kernel
// gives to filesystems as they come.
Strings comparable(const std::string& mountinfo) {
  Strings table, ids;
  for (const std::string& line : lines(mountinfo)) {
    std::istringstream fields(line);
    std::string id, parent, device, rest;
    fields >> id >> parent >> device;
    std::getline(fields, rest);
    const auto above = std::find(ids.begin(), ids.end(), parent) - ids.begin();
    if (device.starts_with("0:")) device = "0:*";
    table.push_back(std::to_string(above == std::ssize(ids) ? -1 : above) + " " + device + rest);
    ids.push_back(id);
  }
  return table;
}

struct Tables {
  Strings alone, in_crowd;
  bool empty_at_first = false;  // the one in the crowd
};

Tables tables_of(Bundle& bundle) {
  bundle.guest({"mounts"});
  Tables tables;
  const Outcome alone = run_aloud(bundle);
  REQUIRE_MESSAGE(alone.ok(), alone.err);
  CHECK_FALSE(began_empty(alone));
  tables.alone = comparable(alone.out);
  const Crowd crowd;
  const Outcome outcome = run_aloud(bundle);
  REQUIRE_MESSAGE(outcome.ok(), outcome.err);
  tables.empty_at_first = began_empty(outcome);
  tables.in_crowd = comparable(outcome.out);
  return tables;
}

void check_alike(Bundle& bundle) {
  const Tables tables = tables_of(bundle);
  CHECK(tables.in_crowd == tables.alone);
  CHECK(tables.empty_at_first);
}
// What cannot be had without the host's mounts is done with them.
void check_ordinary(Bundle& bundle) {
  const Tables tables = tables_of(bundle);
  CHECK(tables.in_crowd == tables.alone);
  CHECK_FALSE(tables.empty_at_first);
}

bool sees(pid_t pid, const std::string& point) {
  return !mount_at(read_file("/proc/" + std::to_string(pid) + "/mountinfo"), point).type.empty();
}

}  // namespace

TEST_SUITE_BEGIN("crowd_mounts");

CASE("in a crowd a container has the mounts that it has alone") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const HostTree tree, shared;
  shared.top.change(MS_SHARED);
  shared.below.change(MS_SHARED);
  Bundle bundle;
  bundle.add_bind("/all", tree.path(), {"rbind", "rro"})
      .add_bind("/top", tree.path(), {"bind"})
      .add_bind("/file", tree.source.path() / "file", {"bind", "ro"})
      .add_bind("/inherited", shared.path(), {"rbind"})
      .add_bind("/slave", shared.path(), {"rbind", "rslave"})
      .add_bind("/private", shared.path(), {"rbind", "rprivate"})
      .add_bind("/unbindable", shared.path(), {"rbind", "runbindable"})
      .add_bind("/host", "/", {"bind", "ro"})
      .add_mount("/tmp", "tmpfs", "tmpfs", {"tmpcopyup", "nosuid"});
  check_alike(bundle);
}

CASE("in a crowd the root filesystem may be a mount and have others in it") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  const HostMount itself(bundle.rootfs(), HostMount::kBind);
  const HostMount inside(bundle.rootfs() / "inside");
  itself.change(MS_SHARED);
  for (const char* propagation : {"slave", "shared", "rslave"}) {
    CAPTURE(propagation);
    check_alike(bundle.set("/linux/rootfsPropagation", propagation));
  }
}

CASE("in a crowd volumes are mapped and labelled with the container's ids") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(kernel(5, 12));
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"rbind", "idmap"}).guest({"stat", "/data/file"});
  map_last_mount(bundle, mapping(0, kFirstId, 65536));
  const Outcome alone = run_aloud(bundle);
  const Crowd crowd;
  const Outcome outcome = run_aloud(bundle);
  CHECK(began_empty(outcome));
  CHECK(outcome.out == alone.out);
  CHECK(outcome.status == alone.status);
}

CASE("in a crowd later mounts of the host reach a volume that is a slave, and no other") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  const HostTree tree;
  tree.top.change(MS_SHARED);
  Bundle bundle;
  bundle.add_bind("/slave", tree.path(), {"rbind", "rslave"})
      .add_bind("/private", tree.path(), {"rbind", "rprivate"})
      .guest({"pause"});
  const Crowd crowd;
  Container container(bundle, {"--debug"});
  const Outcome created = container.create();
  REQUIRE(created.ok());
  CHECK(began_empty(created));
  REQUIRE(container.start().ok());
  const pid_t pid = container.pid();
  {
    const HostMount later(tree.path() / "later");
    CHECK(sees(pid, "/slave/later"));
    CHECK_FALSE(sees(pid, "/private/later"));
  }
  CHECK_FALSE(sees(pid, "/slave/later"));
  const Outcome executed = runtime({"exec", container.id(), "/bin/guest", "mounts"});
  CHECK(mount_at(executed.out, "/slave/sub").type == "tmpfs");
  CHECK(container.remove(true).ok());
}

CASE("in a crowd an error has the same words and leaves nothing") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle missing, no_root, two_kinds;
  missing.add_mount("/before", "tmpfs", "tmpfs")
      .add_bind("/data", missing.path() / "not there", {"rbind"});
  no_root.set("/root/path", "elsewhere");
  two_kinds.add_bind("/bin/guest", two_kinds.path(), {"bind"});
  for (const Bundle* bundle : {&missing, &no_root, &two_kinds}) {
    const Outcome alone = Container(*bundle).run();
    const Crowd crowd;
    const Outcome outcome = Container(*bundle).run();
    CHECK(outcome.status == alone.status);
    // But for the id.
    const auto reason = [](const Outcome& of) {
      return of.err.substr(of.err.find(": ", of.err.rfind(tag())));
    };
    CHECK(reason(outcome) == reason(alone));
  }
}

CASE("in a crowd a source in which the container's own mounts are shows them all the same") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle below, above, linked;
  below.writable_root()
      .add_mount("/earlier", "tmpfs", "tmpfs", {"size=64k"})
      .add_bind("/again", below.rootfs() / "earlier", {"bind"});
  check_ordinary(below);
  above.add_bind("/bundle", above.path(), {"rbind"});
  check_ordinary(above);
  fs::create_directory_symlink(linked.rootfs(), linked.path() / "link");
  linked.writable_root()
      .add_mount("/earlier", "tmpfs", "tmpfs", {"size=64k"})
      .add_bind("/again", linked.path() / "link" / "earlier", {"bind"});
  fs::create_directory(linked.rootfs() / "earlier");
  check_ordinary(linked);
}

CASE("in a crowd a source may come to be with a volume that is mounted before") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"rbind"})
      .add_mount("/data/new", "tmpfs", "tmpfs")
      .add_bind("/new", source.path() / "new", {"bind"})
      .guest({"exit"});
  const Crowd crowd;
  const Outcome outcome = run_aloud(bundle);
  CHECK_MESSAGE(outcome.ok(), outcome.err);
  CHECK_FALSE(began_empty(outcome));
}

CASE("in a crowd a source in /proc is that of init") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.add_bind("/status", "/proc/self/status", {"bind"}).guest({"cat", "/status"});
  const Crowd crowd;
  const Outcome outcome = run_aloud(bundle);
  CHECK(outcome.ok());
  CHECK_FALSE(began_empty(outcome));
}

CASE("in a crowd mounts of mount namespaces stay out of the container") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const HostTree tree;
  const MountedNamespace in_volume(tree.path() / "place");
  Bundle volume, file, root;
  volume.add_bind("/all", tree.path(), {"rbind"});
  check_alike(volume);
  file.add_bind("/namespace", in_volume.path(), {"bind"});
  check_ordinary(file);
  const MountedNamespace in_root(root.rootfs() / "place");
  check_alike(root);
}

CASE("in a crowd hooks before the pivot still find the host in the container's namespace") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const char* point : {"prestart", "createRuntime", "createContainer"}) {
    CAPTURE(point);
    const Crowd crowd;
    Hooked hooked;
    hooked.add(point);
    const Outcome outcome = run_aloud(hooked.bundle());
    CHECK(outcome.ok());
    CHECK(hooked.has_run(point));
    CHECK_FALSE(began_empty(outcome));
  }
}

CASE("in a crowd what asks for the host's mounts gets them") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle isolated, in_user;
  isolated.set("/linux/rootfsPropagation", "private");
  check_ordinary(isolated);
  in_user_namespace(in_user);
  check_ordinary(in_user);
  const Crowd crowd;
  Bundle bundle;
  bundle.guest({"mounts"});
  const Outcome moved = Container(bundle, {"--debug"}).run({"--no-pivot"});
  CHECK(moved.ok());
  CHECK_FALSE(began_empty(moved));
}

CASE("a state root whose mount is shared keeps a namespace, too") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const HostMount shared(state_root(), HostMount::kBind);
  shared.change(MS_SHARED);
  Bundle bundle;
  bundle.guest({"exit"});
  const Crowd crowd;
  CHECK(began_empty(run_aloud(bundle)));
  CHECK(is_kept());
}

CASE("with the crowd goes what was kept for it") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"pause"});
  std::vector<std::unique_ptr<Container>> crowd;
  for (int i = 0; i <= kCrowd; i++) {
    CHECK_FALSE(is_kept());
    crowd.push_back(std::make_unique<Container>(bundle));
    REQUIRE(crowd.back()->create().ok());
    if (is_kept()) break;
  }
  CHECK(is_kept());
  CHECK(std::ssize(crowd) > kCrowd / 2);
  // The last ones but two by a failure and by deletes.
  Bundle failing;
  CHECK_FALSE(Container(failing.set("/root/path", "elsewhere")).create().ok());
  while (crowd.size() > 2) {
    CHECK(crowd.back()->remove(true).ok());
    crowd.pop_back();
  }
  CHECK_FALSE(fs::exists(kept()));
  CHECK(mount_points(kept()).empty());
  for (const auto& container : crowd) CHECK(container->remove(true).ok());
}

CASE("what is left of a kept namespace does no harm and goes with the last container") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"exit"});
  const auto check_goes_without = [&] {
    const Crowd crowd;
    const Outcome outcome = run_aloud(bundle);
    CHECK(outcome.ok());
    CHECK_FALSE(began_empty(outcome));
  };
  SUBCASE("the directory alone") {
    fs::create_directory(kept());
  }
  SUBCASE("a directory and a file with nothing mounted on it") {
    fs::create_directory(kept());
    write_file(kept() / "namespace", "");
  }
  SUBCASE("the mount alone") {
    fs::create_directory(kept());
    REQUIRE(mount(kept().c_str(), kept().c_str(), nullptr, MS_BIND, nullptr) == 0);
  }
  SUBCASE("another namespace") {
    fs::create_directory(kept());
    write_file(kept() / "namespace", "");
    REQUIRE(mount("/proc/self/ns/uts", (kept() / "namespace").c_str(), nullptr, MS_BIND, nullptr) ==
            0);
  }
  check_goes_without();
}

CASE("a namespace that is unmounted behind our back is missed by nobody") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"exit"});
  const Crowd crowd;
  CHECK(began_empty(run_aloud(bundle)));
  REQUIRE(umount2((kept() / "namespace").c_str(), MNT_DETACH) == 0);
  const Outcome outcome = run_aloud(bundle);
  CHECK(outcome.ok());
  CHECK_FALSE(began_empty(outcome));
}

CASE("of many that come first to a crowd one keeps the namespace, and all run") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"exit"}).write();
  const Crowd crowd;
  std::vector<std::unique_ptr<Process>> at_work;
  for (int i = 0; i < 10; i++) {
    const std::string id = tag() + "-first-" + std::to_string(i);
    at_work.push_back(std::make_unique<Process>(
        runtime_command({"run", "--bundle", bundle.path().string(), id})));
  }
  for (const auto& process : at_work) {
    const Outcome outcome = process->wait();
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
  CHECK(is_kept());
  CHECK(mount_points(kept()).size() == 2);
  CHECK(began_empty(run_aloud(bundle)));
}

TEST_SUITE_END();
