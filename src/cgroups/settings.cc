// SPDX-License-Identifier: Apache-2.0
// One open(2) for all settings of a file that follow each other (the device rules are a dozen), one
// write(2) each.
#include "cgroups/settings.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "base/syscalls.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace onggi::cgroups {
namespace {

using plan::CgroupSetting;

// The kernel says no more than an errno; what it would take is in a file of the host, or of the
// cgroup itself.
struct Cure {
  std::string_view file;
  int errnum;  // 0: any
  std::string_view before;
  const char* fact;  // a file: absolute, or in the cgroup; or nullptr
};
constexpr std::string_view kQuota =
    "quota must be at least 1000 microseconds or -1, period 1000 to 1000000, and both within the "
    "parent cgroup's";
constexpr std::string_view kCpus = "use CPUs that the parent cgroup has; this host's are ";
constexpr std::string_view kMems = "use nodes that the parent cgroup has; this host's are ";
constexpr std::string_view kUsage = "the container cannot shrink below its current use, in bytes: ";
constexpr Cure kCures[] = {
    {"cpu.cfs_quota_us", EINVAL, kQuota, nullptr},
    {"cpu.cfs_period_us", EINVAL, kQuota, nullptr},
    {"cpu.max", EINVAL, kQuota, nullptr},
    {"cpuset.cpus", 0, kCpus, "/sys/devices/system/cpu/online"},
    {"cpuset.mems", 0, kMems, "/sys/devices/system/node/online"},
    {"memory.limit_in_bytes", EBUSY, kUsage, "memory.usage_in_bytes"},
    {"memory.memsw.limit_in_bytes", EBUSY, kUsage, "memory.memsw.usage_in_bytes"},
    {"memory.max", EBUSY, kUsage, "memory.current"},
};

// `directory` is that of the cgroup.
std::string cure_of(const std::string& file, long result, const std::string& directory) {
  for (const Cure& cure : kCures) {
    if (cure.file != file || (cure.errnum != 0 && result != -cure.errnum)) continue;
    if (cure.fact == nullptr) return std::string(cure.before);
    const std::string path = *cure.fact == '/' ? cure.fact : directory + "/" + cure.fact;
    Result<std::string> fact = read_file(AT_FDCWD, path, 4096);
    if (!fact) return {};
    while (fact.value().ends_with('\n')) fact.value().pop_back();
    return std::string(cure.before) + fact.value();
  }
  return {};
}

Error write_error(long result, const CgroupSetting& setting, const std::string& file,
                  const std::string& value, const std::string& directory) {
  Error error = system_error(result, "write", file);
  error.message.append(" '", value, "'");
  if (result == -ENOENT && setting.missing_hint) error.hint.append(setting.missing_hint);
  if (error.hint.empty() && result != -ENOENT) error.hint.append(cure_of(file, result, directory));
  return at_place(error, setting.place);
}

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find(' '));
}

// What lifts the limit of one device ("8:0 rbps=1000") or interface ("eth0 5").
std::string lift(const CgroupSetting& setting) {
  const std::string key(first_word(setting.value));
  const size_t equals = setting.value.find('=');
  if (equals != std::string::npos) return setting.value.substr(0, equals) + "=max";
  const bool weight = setting.file == "io.weight" || setting.file == "io.bfq.weight";
  return key + (weight ? " default" : " 0");
}

// The lines to write for `content` to be there again, as the kernel prints it.
std::vector<std::string> undo_lines(const CgroupSetting& setting, std::string_view content) {
  const std::vector<std::string_view> lines = lines_of(content).all();
  // One line a device: only the one that is going to be changed.
  if (setting.value.find(':') != std::string::npos || setting.file == "net_prio.ifpriomap" ||
      setting.file == "rdma.max") {
    for (std::string_view line : lines) {
      if (first_word(line) == first_word(setting.value)) return {std::string(line)};
    }
    return {lift(setting)};
  }
  if (lines.empty()) return {"\n"};  // an empty cpuset
  // "oom_kill_disable 0", and statistics below it, are read; the digit alone is written.
  constexpr std::string_view kOomControl = "oom_kill_disable ";
  if (lines[0].starts_with(kOomControl)) return {std::string(lines[0].substr(kOomControl.size()))};
  return {lines.begin(), lines.end()};
}

class Writer {
 public:
  explicit Writer(std::span<const plan::CgroupDirectory> directories) : directories_(directories) {}

  Result<> write(const CgroupSetting& setting) {
    TRY(check_lower_bound(setting));
    const long result = write_text(setting, setting.file, setting.value);
    if (result >= 0) return {};
    if (result == -ENOENT || result == -EOPNOTSUPP) {
      if (setting.ignore_missing) return {};
      if (!setting.other_file.empty()) {
        const long other = write_text(setting, setting.other_file, setting.other_value);
        if (other >= 0) return {};
        if (other != -ENOENT)
          return write_error(other, setting, setting.other_file, setting.other_value,
                             full_path(setting, "."));
      }
    }
    return write_error(result, setting, setting.file, setting.value, full_path(setting, "."));
  }

 private:
  std::string full_path(const CgroupSetting& setting, const std::string& file) const {
    const plan::CgroupDirectory& directory = directories_[setting.directory];
    return directory.mount_point + directory.path + "/" + file;
  }

  long write_text(const CgroupSetting& setting, const std::string& file, const std::string& value) {
    std::string path = full_path(setting, file);
    if (path != open_path_) {
      const long opened = sys::openat(AT_FDCWD, path.c_str(), O_WRONLY);
      if (opened < 0) return opened;
      file_ = UniqueFd(opened);
      open_path_ = std::move(path);
    }
    const long written = sys::write(file_.get(), value.data(), value.size());
    if (written >= 0 && log::shows_debug()) {
      log::debug(std::string("cgroup: wrote '").append(value).append("' to ").append(open_path_));
    }
    return written;
  }

  Result<> check_lower_bound(const CgroupSetting& setting) const {
    if (setting.not_below.empty()) return {};
    std::string used =
        TRY_AT(setting.place, read_file(AT_FDCWD, full_path(setting, setting.not_below), 4096));
    if (used.ends_with('\n')) used.pop_back();
    const auto usage = parse_decimal<uint64_t>(used);
    const auto limit = parse_decimal<uint64_t>(setting.value);
    if (!usage || !limit || *limit >= *usage) return {};
    return config_error(setting.place, *limit, " is below the current use: ", setting.not_below,
                        " is ", *usage);
  }

  std::span<const plan::CgroupDirectory> directories_;
  std::string open_path_;
  UniqueFd file_;
};

}  // namespace

Result<> write_settings(std::span<const plan::CgroupDirectory> directories,
                        std::span<const CgroupSetting> settings) {
  Writer writer(directories);
  std::vector<const CgroupSetting*> postponed;
  for (const CgroupSetting& setting : settings) {
    const Result<> written = writer.write(setting);
    if (written) continue;
    if (!setting.retry_last || written.error().errnum != EINVAL) return written;
    postponed.push_back(&setting);
  }
  for (const CgroupSetting* setting : postponed) TRY(writer.write(*setting));
  return {};
}

std::vector<CgroupSetting> read_settings(std::span<const plan::CgroupDirectory> directories,
                                         std::span<const CgroupSetting> settings) {
  std::vector<CgroupSetting> undo;
  const auto read = [&](const CgroupSetting& setting, const std::string& file) {
    const plan::CgroupDirectory& directory = directories[setting.directory];
    const std::string path = directory.mount_point + directory.path + "/" + file;
    const Result<std::string> content = read_file(AT_FDCWD, path, 1 << 20);
    if (!content) return;
    for (std::string& line : undo_lines(setting, content.value())) {
      CgroupSetting& entry = undo.emplace_back();
      entry.directory = setting.directory;
      entry.file = file;
      entry.value = std::move(line);
      entry.place = setting.place;
      entry.retry_last = true;
    }
  };
  // Backwards, as each change may rest on the one before.
  for (auto setting = settings.rbegin(); setting != settings.rend(); ++setting) {
    read(*setting, setting->file);
    if (!setting->other_file.empty()) read(*setting, setting->other_file);
  }
  return undo;
}

}  // namespace onggi::cgroups
