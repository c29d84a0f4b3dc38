// SPDX-License-Identifier: Apache-2.0
// All that needs memory of its own is made before the child is: it may only make system calls.
#include "linux/spawn.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onggi {
namespace {

using Places = std::vector<std::string>;

// What the child needs, and where it says with which errno it failed.
struct ChildEntry {
  const SpawnRequest& request;
  char* const* environment;
  const Places& places;
  int* failed;
};

// A number that parent and child share even in the sanitized build, whose children have copies of
// the memory.
class SharedNumber {
 public:
  static Result<SharedNumber> make() {
    const long mapped =
        sys::mmap(sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    if (mapped < 0) return system_error(mapped, "mmap");
    return SharedNumber(reinterpret_cast<int*>(mapped));
  }
  SharedNumber(SharedNumber&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  SharedNumber& operator=(SharedNumber&&) = delete;
  ~SharedNumber() {
    if (at_ != nullptr) (void)sys::call(SYS_munmap, at_, sizeof(int));
  }
  int* get() const { return at_; }

 private:
  explicit SharedNumber(int* at) : at_(at) {}
  int* at_;
};

long set_files(const SpawnRequest& request) {
  const int wanted[] = {request.input, request.output, request.errors};
  for (int fd = 0; fd <= STDERR_FILENO; fd++) {
    const long set = wanted[fd] < 0 ? 0 : sys::dup3(wanted[fd], fd, 0);
    if (set < 0) return set;
  }
  const long entered = request.directory < 0 ? 0 : sys::fchdir(request.directory);
  if (entered < 0) return entered;
  // What is ours is close-on-exec, but not what our caller left open.
  return sys::close_range(STDERR_FILENO + 1, ~0U, 0);
}

// execvp(3): a file that is not there or may not be executed does not hide one further on.
long execute_first(const ChildEntry& entry) {
  auto* const argv = const_cast<char* const*>(entry.request.arguments.data());
  long failed = -ENOENT;
  for (const std::string& place : entry.places) {
    const long now = sys::execve(place.c_str(), argv, entry.environment);
    const bool missing =
        now == -ENOENT || now == -ENOTDIR || now == -ESTALE || now == -ENODEV || now == -ETIMEDOUT;
    if (!missing || failed != -EACCES) failed = now;
    if (!missing && now != -EACCES) break;
  }
  return failed;
}

[[noreturn]] void execute(void* argument) {
  const auto& entry = *static_cast<const ChildEntry*>(argument);
  sys::reset_signals();
  long result = entry.request.own_session ? sys::setsid() : 0;
  if (result >= 0) result = set_files(entry.request);
  if (result >= 0) result = execute_first(entry);
  *entry.failed = static_cast<int>(-result);
  sys::exit_group(127);
}

Result<Child> spawn_one_of(const Places& places, std::string_view name, SpawnRequest request) {
  request.arguments.push_back(nullptr);
  if (request.environment) request.environment->push_back(nullptr);
  const SharedNumber failed = TRY(SharedNumber::make());
  ChildEntry entry{.request = request,
                   .environment = request.environment
                                      ? const_cast<char* const*>(request.environment->data())
                                      : environ,
                   .places = places,
                   .failed = failed.get()};
  Child child = TRY(clone_borrowing({}, execute, &entry));
  if (*failed.get() == 0) return child;
  int status;
  (void)sys::waitpid(child.pid, status);
  return system_error(-*failed.get(), "exec", name);
}

}  // namespace

std::vector<std::string> places_in_path(std::string_view name) {
  const char* path = getenv("PATH");
  Places places;
  for (std::string_view rest = path == nullptr ? "/bin:/usr/bin" : path;;) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    std::string place(rest.substr(0, colon));
    if (!place.empty()) place += '/';  // or it would be the root, not the working directory
    places.push_back(place.append(name));
    if (colon == rest.size()) return places;
    rest.remove_prefix(colon + 1);
  }
}

Result<Child> spawn(const std::string& path, SpawnRequest request) {
  return spawn_one_of({path}, path, std::move(request));
}

Result<Child> spawn_in_path(const std::string& name, SpawnRequest request) {
  return spawn_one_of(places_in_path(name), name, std::move(request));
}

}  // namespace onggi
