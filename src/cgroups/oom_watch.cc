// SPDX-License-Identifier: Apache-2.0
// v2 announces a change of memory.events by POLLPRI (cgroup-v2.rst, "Notification"); v1 writes to
// an eventfd that was registered in cgroup.event_control (cgroup-v1/memory.rst, "OOM Control").
#include "base/file.h"
#include "base/text.h"
#include "cgroups/directory.h"
#include "cgroups/stats.h"

#include <sys/eventfd.h>

namespace onggi::cgroups {
namespace {

Result<UniqueFd> open_file(const std::string& path) {
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

Result<uint64_t> count_kills(const std::string& events) {
  const std::optional<std::string> text = TRY(read_control(events));
  if (!text) return uint64_t{0};  // the cgroup is gone
  constexpr std::string_view kKey = "\noom_kill ";
  const size_t at = text->find(kKey);
  if (at == std::string::npos) return uint64_t{0};
  const std::string_view rest = std::string_view(*text).substr(at + kKey.size());
  return parse_decimal<uint64_t>(rest.substr(0, rest.find('\n'))).value_or(0);
}

}  // namespace

Result<std::optional<OomWatch>> OomWatch::open(const Group& group) {
  for (const GroupDirectory& directory : group.directories) {
    const std::string path = directory.full_path();
    if (directory.unified) {
      Result<UniqueFd> events = open_file(path + "/memory.events");
      if (!events && events.error().errnum == ENOENT) continue;
      std::optional<OomWatch> watch(
          OomWatch(TRY(std::move(events)), UniqueFd(), path + "/memory.events"));
      watch->seen_ = TRY(count_kills(watch->path_));
      return watch;
    }
    Result<UniqueFd> opened = open_file(path + "/memory.oom_control");
    if (!opened && opened.error().errnum == ENOENT) continue;
    UniqueFd control = TRY(std::move(opened));
    const long made = sys::call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) return system_error(made, "eventfd");
    UniqueFd event(made);
    const auto line = text<32>(event.get(), " ", control.get());
    TRY(write_existing(AT_FDCWD, path + "/cgroup.event_control", line.view()));
    return std::optional<OomWatch>(OomWatch(std::move(event), std::move(control), ""));
  }
  return std::optional<OomWatch>();
}

short OomWatch::events() const {
  return control_ ? POLLIN : POLLPRI;
}

Result<uint64_t> OomWatch::take() {
  if (control_) {
    uint64_t count = 0;
    const long size = sys::read(notification_.get(), &count, sizeof count);
    return size == sizeof count ? count : uint64_t{0};
  }
  // Reading re-arms the notification.
  char ignored[512];
  (void)sys::call(SYS_pread64, notification_.get(), &ignored[0], sizeof ignored, 0);
  const uint64_t now = TRY(count_kills(path_));
  const uint64_t since = now > seen_ ? now - seen_ : 0;
  seen_ = std::max(seen_, now);
  return since;
}

}  // namespace onggi::cgroups
