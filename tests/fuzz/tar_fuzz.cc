// SPDX-License-Identifier: Apache-2.0
// A tar from an attacker: nothing may crash, leak or hang; it means the same in whatever portions
// it comes; what is refused says why; and no name of it leads out of a root. Mutations keep the
// checksums of headers right, or nothing behind them would be reached.
//
//   tar_fuzz NEW_CORPUS tests/fuzz/corpus/tar
#include "layer/rootfs.h"
#include "layer/tar.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

extern "C" size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size, size_t limit);

namespace {

using namespace onggi;
using namespace onggi::image;

constexpr size_t kBlock = 512, kChecksum = 148, kDigits = 8, kMagic = 257;

class TextSource final : public ByteSource {
 public:
  TextSource(std::string_view text, size_t portion) : rest_(text), portion_(portion) {}
  Result<std::string_view> peek() override { return rest_.substr(0, portion_); }
  void consume(size_t count) override { rest_.remove_prefix(count); }

 private:
  std::string_view rest_;
  size_t portion_;
};

void require(bool right) {
  if (!right) std::abort();
}

void check_name(const std::string& name) {
  const std::string clean = "/" + clean_name(name) + "/";
  require(clean.find("/../") == std::string::npos && clean.find("/./") == std::string::npos);
  require(clean == "//" || clean.find("//") == std::string::npos);
}

void check_extents(const TarEntry& entry) {
  uint64_t end = 0;
  for (const Extent& extent : entry.extents) {
    require(extent.offset >= end && extent.offset <= entry.size);
    require(extent.size <= entry.size - extent.offset);
    end = extent.offset + extent.size;
  }
}

Result<> walk(TarReader& reader, std::string& seen) {
  TarEntry entry;
  while (TRY(reader.next(entry))) {
    check_name(entry.name);
    check_name(entry.link);
    check_extents(entry);
    uint64_t stored = 0, announced = 0;
    for (const Extent& extent : entry.extents) announced += extent.size;
    for (;;) {
      const std::string_view part = TRY(reader.data());
      if (part.empty()) break;
      stored += part.size();
      seen += part;
    }
    require(stored == announced);
    seen += entry.name + "\n" + entry.link + "\n" + std::to_string(entry.size) + " " +
            std::to_string(entry.uid) + " " + std::to_string(entry.mtime.seconds) + " " +
            std::to_string(entry.xattrs.size()) + "\n";
  }
  return {};
}

std::string meaning(std::string_view bytes, size_t portion) {
  TextSource source(bytes, portion);
  TarReader reader(source);
  std::string seen;
  const Result<> walked = walk(reader, seen);
  if (walked) return seen;
  require(!walked.error().message.empty());
  // Of what was read before an error, the last part may be shorter.
  return std::string(walked.error().message.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  require(meaning(text, size + 1) == meaning(text, 100));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size, size_t limit, unsigned int) {
  size = LLVMFuzzerMutate(bytes, size, limit);
  for (size_t at = 0; at + kBlock <= size; at += kBlock) {
    uint8_t* block = bytes + at;
    if (std::memcmp(block + kMagic, "ustar", 5) != 0) continue;
    std::memset(block + kChecksum, ' ', kDigits);
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += block[i];
    for (size_t i = 6; i-- > 0; sum /= 8)
      block[kChecksum + i] = static_cast<uint8_t>('0' + sum % 8);
    block[kChecksum + 6] = 0;
  }
  return size;
}
