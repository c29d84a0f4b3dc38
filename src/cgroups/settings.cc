// SPDX-License-Identifier: Apache-2.0
// One open(2) for all settings of a file that follow each other (the device rules are a dozen), one
// write(2) each.
#include "cgroups/settings.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/syscalls.h"

#include <string>
#include <vector>

namespace onggi::cgroups {
namespace {

using plan::CgroupSetting;

Error write_error(long result, const CgroupSetting& setting, const std::string& file,
                  const std::string& value) {
  Error error = system_error(result, "write", file);
  error.message.append(" '", value, "'");
  if (result == -ENOENT && setting.missing_hint) error.hint.append(setting.missing_hint);
  return at_place(error, setting.place);
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
          return write_error(other, setting, setting.other_file, setting.other_value);
      }
    }
    return write_error(result, setting, setting.file, setting.value);
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
    return sys::write(file_.get(), value.data(), value.size());
  }

  Result<> check_lower_bound(const CgroupSetting& setting) const {
    if (setting.not_below.empty()) return {};
    std::string used =
        TRY_AT(setting.place, read_file(AT_FDCWD, full_path(setting, setting.not_below), 4096));
    if (used.ends_with('\n')) used.pop_back();
    const auto usage = parse_decimal<uint64_t>(used);
    const auto limit = parse_decimal<uint64_t>(setting.value);
    if (!usage || !limit || *limit >= *usage) return {};
    return config_error(setting.place, *limit, " is below what is in use: ", setting.not_below,
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

}  // namespace onggi::cgroups
