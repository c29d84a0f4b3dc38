// SPDX-License-Identifier: Apache-2.0
// A file is named by a fast hash of all that decides its program and holds all of that too, so two
// profiles with one hash only take turns. It counts if it is whole, ours alone and of the same
// bytes.
#include "linux/seccomp_cache.h"

#include "base/directory.h"
#include "base/fields.h"
#include "base/file.h"
#include "linux/sealed_init.h"
#include "linux/seccomp_support.h"
#include "plan/library_request.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cstring>
#include <utility>

namespace onggi {
namespace {

constexpr uint32_t kFormat = 2;  // to be raised with any change of what we make of a profile
constexpr const char* kMemfd = "seccomp";
constexpr size_t kMaxEntries = 64;
constexpr size_t kMaxFile = 8 << 20;

struct Header {
  char magic[8] = {'o', 'n', 'g', 'g', 'i', 'b', 'p', 'f'};
  uint64_t key_size = 0, program_size = 0;  // in bytes
  uint64_t checksum = 0;                    // of both
};

// What the program is made of. `request` is all that onggi-libs learns of the profile.
//
// libseccomp's version is that of its header, since onggi-libs is linked with the archive that
// comes with it: a shared library could change behind our back, and the programs kept here would
// stay those of the old one. The native architecture is in the ELF header. The kernel decides too:
// libseccomp asks it which actions it has.
std::string key_of(std::string_view request) {
  utsname host = {};
  (void)sys::call(SYS_uname, &host);
  std::string key;
  add_field(key, kFormat);
  add_field(key, libseccomp_version());
  add_field(key, host.release);
  add_field(key, host.machine);
  key.append(kLibsProgram.bytes().substr(0, sizeof(Elf64_Ehdr)));
  return key.append(request);
}

uint64_t hash_of(std::string_view bytes) {
  return std::hash<std::string_view>()(bytes);
}

std::string name_of(std::string_view key) {
  return std::string(FixedText<17>().append_padded(hash_of(key), 16, 16).view());
}

// Nobody else may have had a hand in what will be a container's filter.
bool is_ours(int fd, mode_t type) {
  struct statx info = {};
  return sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_UID, &info) == 0 &&
         (info.stx_mode & S_IFMT) == type && (info.stx_mode & 077) == 0 &&
         info.stx_uid == static_cast<uint32_t>(sys::call(SYS_geteuid));
}

// An empty descriptor: do without.
UniqueFd open_cache(int root) {
  (void)sys::mkdirat(root, kSeccompCache, 0700);
  const long opened = sys::openat(root, kSeccompCache, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened < 0) return UniqueFd();
  UniqueFd cache(opened);
  return is_ours(cache.get(), S_IFDIR) ? std::move(cache) : UniqueFd();
}

std::optional<std::string> find(int cache, const std::string& key) {
  const std::string name = name_of(key);
  const long opened = sys::openat(cache, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) return {};
  const UniqueFd file(opened);
  if (!is_ours(file.get(), S_IFREG)) return {};
  const Result<std::string> content = read_all(file.get(), name, kMaxFile);
  Header header;
  if (!content || content.value().size() < sizeof header) return {};
  const std::string_view whole = content.value();
  std::memcpy(&header, whole.data(), sizeof header);
  const std::string_view body = whole.substr(sizeof header);
  if (std::memcmp(header.magic, Header().magic, sizeof header.magic) != 0 ||
      header.key_size != key.size() || !body.starts_with(key) ||
      header.program_size != body.size() - key.size() || header.checksum != hash_of(body)) {
    return {};
  }
  return std::string(body.substr(key.size()));
}

void remove_oldest(int cache) {
  struct {
    std::string name;
    int64_t time = 0;
  } oldest;
  size_t count = 0;
  DirectoryReader reader(cache);
  for (;;) {
    const Result<const DirectoryReader::Entry*> entry = reader.next();
    if (!entry || entry.value() == nullptr) break;
    const char* name = entry.value()->name();
    struct statx info = {};
    if (sys::statx(cache, name, AT_SYMLINK_NOFOLLOW, STATX_MTIME, &info) < 0) continue;
    const int64_t time = info.stx_mtime.tv_sec * 1'000'000'000 + info.stx_mtime.tv_nsec;
    if (count++ == 0 || time < oldest.time) oldest = {name, time};
  }
  if (count >= kMaxEntries) (void)sys::unlinkat(cache, oldest.name.c_str(), 0);
}

void keep(int cache, const std::string& key, std::string_view program) {
  remove_oldest(cache);
  const std::string body = key + std::string(program);
  Header header;
  header.key_size = key.size();
  header.program_size = program.size();
  header.checksum = hash_of(body);
  std::string content(reinterpret_cast<const char*>(&header), sizeof header);
  // Two that keep the same program at once may tear the file, which is then not whole and made
  // again.
  (void)replace_atomically(cache, name_of(key), content + body, 0600);
}

}  // namespace

Result<SeccompCompilation> SeccompCompilation::start(int root, const spec::Seccomp& seccomp) {
  const std::string request = plan::encode(seccomp);
  SeccompCompilation compilation;
  compilation.cache_ = open_cache(root);
  compilation.key_ = key_of(request);
  std::optional<std::string> found;
  if (compilation.cache_) found = find(compilation.cache_.get(), compilation.key_);
  if (found) {
    compilation.found_ = TRY(make_sealed_memfd(kMemfd, *found, false));
  } else {
    compilation.call_.emplace(TRY(CompanionCall::start(kLibsProgram, request)));
  }
  return compilation;
}

Result<UniqueFd> SeccompCompilation::wait(int signals) {
  if (!call_) return std::move(found_);
  const std::string program = TRY(call_->wait(signals));
  call_.reset();
  if (cache_) keep(cache_.get(), key_, program);
  return make_sealed_memfd(kMemfd, program, false);
}

}  // namespace onggi
