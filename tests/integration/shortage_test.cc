// SPDX-License-Identifier: Apache-2.0
// A kernel that gives the runtime no memory, no stack or no thread register: one line, and nothing
// is left behind.
#include "support/suite.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

using namespace onggi::test;

namespace {

// The sizes in which the allocator asks for memory: pieces for small blocks, and one larger block.
constexpr uint32_t kPiece = 131'072;

Spawn without_memory() {
  Spawn spawn;
  spawn.refused = {{.call = SYS_mmap, .errnum = ENOMEM, .argument = 1, .value = kPiece}};
  return spawn;
}

// `size` bytes of annotations, in many small strings or one.
void add_annotations(Bundle& bundle, size_t size, size_t each) {
  for (size_t i = 0; i * each < size; i++)
    bundle.set("/annotations/a" + std::to_string(i), std::string(each, 'x'));
}

}  // namespace

TEST_SUITE_BEGIN("shortage");

CASE("where the kernel refuses memory, create is undone and says why") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  // From less than what the program begins with to more than its reserve.
  unsigned refused = 0;
  for (size_t size = 0; size <= 800'000; size += 20'000) {
    CAPTURE(size);
    Bundle bundle;
    bundle.set("/annotations/first", std::string("x"));
    add_annotations(bundle, size, 500);
    bundle.guest({"pause"}).write();
    const Snapshot before;
    Container container(bundle);
    const Outcome created = container.create({}, without_memory());
    if (created.ok()) {
      CHECK(container.remove(true).ok());
      continue;
    }
    refused++;
    CAPTURE(created.err);
    CHECK(contains(created.err, size < 400'000 ? "mmap: cannot allocate memory" : "memory"));
    CHECK(std::count(created.err.begin(), created.err.end(), '\n') == 1);
    const Strings left = before.left_behind();
    CHECK_MESSAGE(left.empty(), (left.empty() ? "" : left[0]));
  }
  CHECK(refused > 5);
}

CASE("where the kernel refuses memory, a container can still be stopped and deleted") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  Bundle bundle;
  bundle.set("/annotations/first", std::string("x"));
  add_annotations(bundle, 200'000, 500);
  bundle.guest({"pause"}).write();
  const Snapshot before;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const std::string id = container.id();
  for (const Strings& words : {Strings{"state", id}, Strings{"start", id}, Strings{"list"},
                               Strings{"delete", "--force", id}}) {
    CAPTURE(words[0]);
    const Outcome outcome = run_program(runtime_command(words), without_memory());
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
  CHECK(before.left_behind().empty());
}

CASE("a stack that is too small is an error, and not a crash") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  const Outcome outcome =
      run_program({"/bin/sh", "-c", "ulimit -s 64; exec '" + runtime_path() + "' --version"});
  CHECK(outcome.status == 127);
  CHECK(contains(outcome.err, "the limit of the stack is below 512 KiB"));
}

#if defined(__x86_64__)
CASE("a refused arch_prctl is an error, and not a crash") {
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  Spawn spawn;
  spawn.refused = {{.call = SYS_arch_prctl, .errnum = EPERM}};
  const Outcome outcome = run_program({runtime_path(), "--version"}, spawn);
  CHECK(outcome.status == 127);
  CHECK(outcome.err == "onggi: arch_prctl ARCH_SET_FS is refused here\n");
}
#endif

TEST_SUITE_END();
