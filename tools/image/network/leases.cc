// SPDX-License-Identifier: Apache-2.0
#include "network/leases.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/split.h"
#include "store/lock.h"

#include <optional>

namespace onggi::image {
namespace {

constexpr const char *kDirectory = "/run/onggi-image/netavark", *kLast = "last";
constexpr size_t kLimit = 256;
// The first is the bridge's, the last the broadcast address.
constexpr unsigned kFirst = 2, kCount = 65533;

Result<std::optional<std::string>> read_lease(int files, const std::string& name) {
  Result<std::string> text = read_file(files, name, kLimit);
  if (text) return std::optional(std::move(text).value());
  if (text.error().errnum == ENOENT) return std::optional<std::string>();
  return text.error();
}

}  // namespace

Result<Leases> Leases::open() {
  const std::string leases = std::string(kDirectory) + "/leases";
  TRY(make_directories(leases));
  UniqueFd files = TRY(open_directory(AT_FDCWD, leases));
  UniqueFd directory = TRY(open_directory(AT_FDCWD, kDirectory));
  UniqueFd lock = TRY(open_locked_file(directory.get(), "lock", LockKind::exclusive));
  Leases opened(std::move(files), std::move(lock));
  opened.directory_ = kDirectory;
  return opened;
}

Result<uint16_t> Leases::take(const std::string& id) const {
  const std::optional<std::string> text = TRY(read_lease(files_.get(), kLast));
  const unsigned last = text ? parse_decimal<uint16_t>(*text).value_or(1) : 1;
  for (unsigned i = 1; i <= kCount; ++i) {
    const unsigned number = kFirst + (last - kFirst + kCount + i) % kCount;
    const std::string name = std::to_string(number);
    const Result<> made = write_new(files_.get(), name, id, 0600);
    if (!made && made.error().errnum == EEXIST) continue;
    TRY(made);
    TRY(replace_atomically(files_.get(), kLast, name, 0600));
    return static_cast<uint16_t>(number);
  }
  return state_error("all addresses of the bridge network are in use");
}

Result<uint16_t> Leases::of(const std::string& id) const {
  (void)sys::lseek(files_.get(), 0, SEEK_SET);
  DirectoryReader entries(files_.get());
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(entries.next());
    if (entry == nullptr) return static_cast<uint16_t>(0);
    const std::optional<uint16_t> number = parse_decimal<uint16_t>(entry->name());
    if (!number) continue;
    const std::optional<std::string> owner = TRY(read_lease(files_.get(), entry->name()));
    if (owner && *owner == id) return *number;
  }
}

Result<> Leases::give_back(const std::string& id) const {
  const uint16_t number = TRY(of(id));
  if (number == 0) return {};
  const std::string name = std::to_string(number);
  const long gone = sys::unlinkat(files_.get(), name.c_str(), 0);
  if (gone < 0 && gone != -ENOENT) return system_error(gone, "unlink", name);
  return {};
}

}  // namespace onggi::image
