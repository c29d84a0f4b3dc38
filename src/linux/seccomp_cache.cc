// SPDX-License-Identifier: Apache-2.0
// A file is named by a fast hash of all that decides its program and holds all of that too, so two
// profiles with one hash only take turns. It counts if it is whole, ours alone and of the same
// bytes.
#include "linux/seccomp_cache.h"

#include "base/directory.h"
#include "base/file.h"
#include "linux/sealed_init.h"
#include "linux/seccomp.h"

#include <seccomp.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>

namespace onggi {
namespace {

constexpr uint32_t kFormat = 1;  // to be raised with any change of what we make of a profile
constexpr const char* kMemfd = "seccomp";
constexpr size_t kMaxEntries = 64;
constexpr size_t kMaxFile = 8 << 20;

struct Header {
  char magic[8] = {'o', 'n', 'g', 'g', 'i', 'b', 'p', 'f'};
  uint64_t key_size = 0, program_size = 0;  // in bytes
  uint64_t checksum = 0;                    // of both
};

class Key {
 public:
  template <class Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number> Key& add(Number number) {
    const auto wide = static_cast<uint64_t>(number);
    bytes_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
    return *this;
  }
  Key& add(std::string_view text) {
    add(text.size());
    bytes_.append(text);
    return *this;
  }
  Key& add(std::optional<uint32_t> number) { return add(number ? int64_t{*number} : -1); }
  Key& add(const spec::TextList& list) {
    add(list.size());
    for (spec::Text text : list) add(text);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// The kernel decides too: libseccomp asks it which actions it has.
std::string key_of(const spec::Seccomp& seccomp) {
  utsname host = {};
  (void)uname(&host);
  Key key;
  key.add(kFormat).add(libseccomp_version()).add(seccomp_arch_native());
  key.add(std::string_view(host.release)).add(std::string_view(host.machine));
  key.add(seccomp.default_action).add(seccomp.default_errno_ret).add(seccomp.architectures);
  for (const spec::SeccompSyscall& syscall : seccomp.syscalls) {
    key.add(syscall.names).add(syscall.action).add(syscall.errno_ret).add(syscall.args.size());
    for (const spec::SeccompArg& arg : syscall.args)
      key.add(arg.index).add(arg.value).add(arg.value_two).add(arg.op);
  }
  return key.bytes();
}

uint64_t hash_of(std::string_view bytes) {
  return std::hash<std::string_view>()(bytes);
}

std::string name_of(std::string_view key) {
  char name[17];
  (void)snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(hash_of(key)));
  return name;
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

Result<UniqueFd> seccomp_program(int root, const spec::Seccomp& seccomp) {
  const UniqueFd cache = open_cache(root);
  const std::string key = key_of(seccomp);
  if (cache) {
    if (const std::optional<std::string> found = find(cache.get(), key))
      return make_sealed_memfd(kMemfd, *found, false);
  }
  const SeccompProgram program = TRY(compile_seccomp(seccomp));
  const std::string_view bytes(reinterpret_cast<const char*>(program.data()),
                               program.size() * sizeof(sock_filter));
  if (cache) keep(cache.get(), key, bytes);
  return make_sealed_memfd(kMemfd, bytes, false);
}

}  // namespace onggi
