// SPDX-License-Identifier: Apache-2.0
// Each row of the table of hints (src/base/hints.cc), provoked: the failure that it is about is
// made on purpose, and the advice must be in what the user reads. Where a host cannot be brought
// to fail so, a seccomp filter around the runtime gives the kernel's answer.
#include "integration/executed.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

struct Row {
  Refusal refusal;
  const char* advice;
  std::function<void(Bundle&)> change = {};
};

void check_row(const Row& row) {
  Bundle bundle;
  bundle.guest({"echo"});
  if (row.change) row.change(bundle);
  Container container(bundle);
  const Outcome outcome = container.run({}, {.refused = {row.refusal}});
  CAPTURE(row.refusal.call);
  CAPTURE(row.advice);
  CHECK(outcome.status == 1);
  CHECK_MESSAGE(contains(outcome.err, row.advice), outcome.err);
}

void scheduler(Bundle& bundle, std::string_view json) {
  bundle.set_json("/process/scheduler", json);
}
constexpr std::string_view kDeadline =
    R"({"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000, "period": 10000000})";

// The program of a container, as the kernel is to find it.
struct Unusable {
  std::string name, content;
  fs::perms mode;
  const char *cause, *advice;
};
constexpr auto kExecutable = fs::perms{0755};
const Unusable kUnusable[] = {
    {"foreign", "\177ELF\2\1\1 for another machine", kExecutable, "exec format error",
     "architecture"},
    {"script", "echo no interpreter is named\n", kExecutable, "exec format error", "#!"},
    {"data", "#!/bin/guest\n", fs::perms{0644}, "permission denied", "chmod +x"},
    {"lost", "#!/no/interpreter\n", kExecutable, "no such file or directory", "interpreter"},
};

void write_unusable(const Unusable& program, const fs::path& directory) {
  write_file(directory / program.name, program.content);
  fs::permissions(directory / program.name, program.mode);
}

}  // namespace

TEST_SUITE_BEGIN("hints");

CASE("a program that cannot be executed comes with the cure, in run and in exec") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  for (const Unusable& program : kUnusable)
    write_unusable(program, running.bundle.rootfs() / "bin");
  running.start();
  for (const Unusable& program : kUnusable) {
    CAPTURE(program.name);
    Bundle bundle;
    write_unusable(program, bundle.rootfs() / "bin");
    bundle.set("/process/args", Strings{"/bin/" + program.name});
    const Outcome first = run(bundle);
    const Outcome further = runtime({"exec", running.container.id(), "/bin/" + program.name});
    CHECK(first.status == 1);
    CHECK(further.status == 255);
    for (const std::string& text : {first.err, further.err}) {
      CHECK_MESSAGE(contains(text, program.cause), text);
      CHECK_MESSAGE(contains(text, program.advice), text);
    }
  }
}

CASE("the mount, a writer and the length of its arguments can keep a program from running") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  {
    Bundle bundle;
    bundle.add_bind("/bin", bundle.rootfs() / "bin", {"bind", "noexec"}).guest({"echo"});
    const Outcome outcome = run(bundle);
    CHECK_MESSAGE(contains(outcome.err, "noexec"), outcome.err);
  }
  {
    Bundle bundle;
    bundle.guest({"echo", std::string(200'000, 'x')});
    CHECK(contains(run(bundle).err, "128 KiB"));
  }
  Bundle bundle;
  bundle.guest({"echo"});
  const int writer = open((bundle.rootfs() / "bin/guest").c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(writer >= 0);
  const Outcome outcome = run(bundle);
  close(writer);
  CHECK_MESSAGE(contains(outcome.err, "open for writing"), outcome.err);
}

CASE("a hook that cannot be executed comes with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(freestanding_init());
  for (const char* kind : {"createRuntime", "createContainer", "startContainer"}) {
    for (const Unusable& program : kUnusable) {
      CAPTURE(kind);
      CAPTURE(program.name);
      Bundle bundle;
      const bool inside = std::string_view(kind) == "startContainer";
      write_unusable(program, inside ? bundle.rootfs() / "bin" : bundle.path());
      const std::string path =
          inside ? "/bin/" + program.name : (bundle.path() / program.name).string();
      bundle.guest({"echo"}).set_json(std::string("/hooks/") + kind,
                                      "[{\"path\": " + json_string(path) + "}]");
      const Outcome outcome = run(bundle);
      CHECK(outcome.status == 1);
      CHECK_MESSAGE(contains(outcome.err, program.cause), outcome.err);
      CHECK_MESSAGE(contains(outcome.err, program.advice), outcome.err);
    }
  }
}

CASE("mounts that the kernel refuses come with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(freestanding_init());
  const auto plain_sysfs = [](Bundle& bundle) {
    bundle.set_json("/mounts", "[]").add_mount("/sys", "sysfs", "sysfs");
  };
  const auto slave = [](Bundle& bundle) {
    bundle.add_bind("/data", bundle.path() / "rootfs", {"bind", "rslave"});
  };
  const Row rows[] = {
      {{SYS_move_mount, ENOSPC}, "fs.mount-max"},
      {{SYS_move_mount, ENOTDIR}, "must both be directories"},
      {{SYS_open_tree, EINVAL}, "unbindable"},
      {{SYS_openat2, ENOSYS}, "Linux 5.6"},
      {{SYS_openat2, EAGAIN}, "renamed"},
      {{SYS_open_tree, ENOSYS}, "Linux 5.12"},
      {{SYS_fsopen, ENOSYS}, "Linux 5.12"},
      {{SYS_fsmount, ENOSYS}, "Linux 5.12"},
      {{SYS_move_mount, ENOSYS}, "Linux 5.12"},
      {{SYS_mount_setattr, ENOSYS}, "Linux 5.12", slave},
      {{SYS_mount_setattr, EPERM}, "user namespace", slave},
      {{SYS_fsmount, EPERM}, "/proc"},
      {{SYS_fsmount, EPERM}, "/sys", plain_sysfs},
      {{SYS_pivot_root, EINVAL}, "--no-pivot"},
  };
  for (const Row& row : rows) check_row(row);

  Bundle unknown;
  CHECK(contains(create(unknown.add_mount("/data", "nosuchfs", "none")).err, "kernel module"));
  Bundle missing;
  CHECK(contains(create(missing.add_bind("/data", "/no/such/source")).err,
                 "source of a bind mount must exist"));
}

CASE("processes and namespaces that the kernel refuses come with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(freestanding_init());
  const Row rows[] = {
      {{SYS_clone3, EPERM}, "kernel.unprivileged_userns_clone"},
      {{SYS_clone3, ENOSPC}, "user.max_user_namespaces"},
      {{SYS_clone3, EAGAIN}, "pids.max"},
      {{SYS_clone3, EINVAL}, "linux.namespaces"},
      {{SYS_clone3, EBUSY}, "cgroup"},
      {{SYS_clone3, EOPNOTSUPP}, "threaded"},
      {{SYS_unshare, ENOSPC}, "user.max_user_namespaces"},
      {{SYS_memfd_create, EACCES}, "vm.memfd_noexec"},
      {{SYS_openat, EMFILE}, "ulimit -n"},
      {{SYS_openat, ENFILE}, "fs.file-max"},
  };
  for (const Row& row : rows) check_row(row);

  Running running;
  running.start();
  const Outcome joined = running.exec({"echo"}, {}, {.refused = {{SYS_setns, EPERM}}});
  CHECK_MESSAGE(contains(joined.err, "CAP_SYS_ADMIN"), joined.err);
}

CASE("settings of the process that the kernel refuses come with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(freestanding_init());
  const auto deadline = [](Bundle& bundle) { scheduler(bundle, kDeadline); };
  const Row rows[] = {
      {{SYS_seccomp, EBUSY},
       "listener",
       [](Bundle& bundle) {
         bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
             {"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]})");
       }},
      {{SYS_setgroups, EPERM},
       "is denied in this user namespace",
       [](Bundle& bundle) { bundle.set_json("/process/user/additionalGids", "[5]"); }},
      {{SYS_prlimit64, EPERM},
       "CAP_SYS_RESOURCE",
       [](Bundle& bundle) {
         bundle.set_json("/process/rlimits", R"([{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])");
       }},
      {{SYS_sched_setattr, EPERM}, "root domain", deadline},
      {{SYS_sched_setattr, EBUSY}, "kernel.sched_rt_runtime_us", deadline},
      {{SYS_sched_setattr, EPERM},
       "CAP_SYS_NICE",
       [](Bundle& bundle) { scheduler(bundle, R"({"policy": "SCHED_FIFO", "priority": 1})"); }},
      {{SYS_ioprio_set, EPERM},
       "IOPRIO_CLASS_RT",
       [](Bundle& bundle) {
         bundle.set_json("/process/ioPriority", R"({"class": "IOPRIO_CLASS_RT", "priority": 1})");
       }},
      {{SYS_set_mempolicy, EINVAL},
       "linux.resources.cpu.mems",
       [](Bundle& bundle) {
         bundle.set_json("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0"})");
       }},
  };
  for (const Row& row : rows) check_row(row);

  Bundle bundle;
  bundle.guest({"echo"}).set("/process/oomScoreAdj", -500);
  bundle.write();
  Strings command = {"/usr/bin/setpriv", "--inh-caps=-sys_resource",
                     "--bounding-set=-sys_resource"};
  const Strings rest = runtime_command({"run", "--bundle", bundle.path().string(), tag() + "-oom"});
  command.insert(command.end(), rest.begin(), rest.end());
  CHECK(contains(run_program(command).err, "CAP_SYS_RESOURCE"));
}

CASE("cgroups that the kernel refuses come with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  // Cgroups are made with mode 0755, the state with 0700.
  constexpr int kMode = 2;
  const Row rows[] = {
      {{SYS_mkdirat, ENOSPC, kMode, 0755}, "cgroup.max.descendants"},
      {{SYS_mkdirat, EROFS, kMode, 0755}, "("},
      {{SYS_mkdirat, EACCES, kMode, 0755}, "deleg"},
  };
  for (const Row& row : rows) check_row(row);
}

CASE("a cpuset that no process can join comes with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_v1());
  // "0" is the writer itself: one byte.
  check_row({{SYS_write, ENOSPC, 2, 1}, "cpuset.mems"});
}

CASE("sockets that nobody listens on come with the cure") {
  REQUIRES(onggi_only());
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo"}).set("/process/terminal", true);
  const std::string path = (bundle.path() / "console").string();
  Container nobody(bundle);
  CHECK(contains(nobody.create({"--console-socket", path}).err, "start the program"));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  memcpy(address.sun_path, path.c_str(), path.size());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  close(listener);
  Container gone(bundle);
  CHECK(contains(gone.create({"--console-socket", path}).err, "no program listens"));
}

TEST_SUITE_END();
