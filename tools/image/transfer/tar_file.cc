// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/tar_file.h"

#include "base/file.h"
#include "layer/decoder.h"
#include "layer/layer_stream.h"
#include "layer/rootfs.h"
#include "layer/tar.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <vector>

namespace onggi::image {

namespace {

constexpr size_t kPortion = 256u << 10;
constexpr size_t kMostEntries = 100'000;
constexpr int kLinksFollowed = 8;

// Counts, so that it is known where in the file an entry is.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(int file) : file_(file), buffer_(kPortion) {}

  Result<std::string_view> peek() override {
    if (!ready_.empty()) return ready_;
    const long count =
        sys::pread(file_, buffer_.data(), buffer_.size(), static_cast<int64_t>(position_));
    if (count < 0) return system_error(count, "read", "archive");
    ready_ = {buffer_.data(), static_cast<size_t>(count)};
    return ready_;
  }
  void consume(size_t count) override {
    ready_.remove_prefix(count);
    position_ += count;
  }
  uint64_t position() const { return position_; }

 private:
  int file_;
  std::vector<char> buffer_;
  std::string_view ready_;
  uint64_t position_ = 0;
};

Result<UniqueFd> open_input(const std::string& path) {
  const long opened = path == "-" ? sys::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC)
                                  : sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

// Onto the spool, inflated.
Result<UniqueFd> copy_inflated(int input, std::string_view begun) {
  const LayerLimits limits;
  UniqueFd spool = TRY(open_spool());
  const std::unique_ptr<Decoder> decoder = make_decoder(begun);
  std::vector<char> buffer(kPortion);
  uint64_t taken = 0, produced = 0;
  for (std::string_view bytes = begun; !bytes.empty();) {
    taken += bytes.size();
    for (;;) {
      const std::string_view inflated = TRY(decoder->decode(bytes));
      if (inflated.empty()) break;
      produced += inflated.size();
      if (produced > limits.bytes ||
          (produced > limits.ratio_from && produced / limits.ratio > taken)) {
        return make_error(ErrorKind::invalid_config, "the archive inflates to more than ",
                          limits.ratio, " times its size, or ", limits.bytes, " bytes");
      }
      TRY(write_all(spool.get(), "archive", inflated));
    }
    const long count = sys::read(input, buffer.data(), buffer.size());
    if (count < 0) return system_error(count, "read", "archive");
    bytes = {buffer.data(), static_cast<size_t>(count)};
  }
  TRY(decoder->finish());
  return spool;
}

// A pipe gives less than was asked for.
Result<size_t> read_first(int input, std::span<char> buffer) {
  size_t done = 0;
  while (done < kDecidingBytes) {
    const long count = sys::read(input, buffer.data() + done, buffer.size() - done);
    if (count < 0) return system_error(count, "read", "archive");
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

std::string target_of(const TarEntry& entry, const std::string& clean) {
  if (entry.type == EntryType::hardlink || entry.link.starts_with('/'))
    return clean_name(entry.link);
  return clean_name(child_path(split_name(clean).first, entry.link));
}

}  // namespace

Result<UniqueFd> open_spool() {
  const char* place = std::getenv("TMPDIR");
  std::string path = std::string(place == nullptr || *place == 0 ? "/var/tmp" : place);
  path += "/onggi-XXXXXX";
  const int made = mkostemp(path.data(), O_CLOEXEC);
  if (made < 0) return system_error(-errno, "mkostemp", path);
  (void)unlink(path.c_str());
  return UniqueFd(made);
}

Result<TarFile> TarFile::open(const std::string& path) {
  UniqueFd input = TRY(open_input(path));
  struct stat info = {};
  if (fstat(input.get(), &info) != 0) return system_error(-errno, "fstat", path);
  std::vector<char> buffer(kPortion);
  const size_t count = TRY_AT(path, read_first(input.get(), buffer));
  const std::string_view begun(buffer.data(), count);
  if (!S_ISREG(info.st_mode) || format_of(begun) != CompressedFormat::none)
    input = TRY_AT(path, copy_inflated(input.get(), begun));
  TarFile file(std::move(input));
  TRY_AT(path, file.list());
  return file;
}

Result<> TarFile::list() {
  FileSource source(file_.get());
  TarReader tar(source);
  TarEntry entry;
  while (TRY(tar.next(entry))) {
    if (entry.type == EntryType::directory) continue;
    const std::string clean = clean_name(entry.name);
    Entry listed;
    // The data of a file with holes is not what its bytes in the archive are.
    const bool is_whole = entry.extents.size() == (entry.size > 0 ? 1u : 0u) &&
                          (entry.size == 0 || entry.extents[0].size == entry.size);
    if (entry.type == EntryType::file && is_whole) {
      listed.part = {source.position(), entry.size};
    } else if (entry.type == EntryType::symlink || entry.type == EntryType::hardlink) {
      listed.link = target_of(entry, clean);
    } else {
      return make_error(ErrorKind::invalid_config, "'", entry.name,
                        "' is neither a file nor a link: not an image archive");
    }
    entries_.insert_or_assign(clean, std::move(listed));
    if (entries_.size() > kMostEntries)
      return make_error(ErrorKind::invalid_config, "more than ", kMostEntries, " entries");
  }
  return {};
}

Result<TarFile::Part> TarFile::find(const std::string& name) const {
  std::string at = clean_name(name);
  for (int links = 0; links <= kLinksFollowed; ++links) {
    const auto found = entries_.find(at);
    if (found == entries_.end())
      return make_error(ErrorKind::invalid_config, "the archive has no '", at, "'");
    if (found->second.link.empty()) return found->second.part;
    at = found->second.link;
  }
  return make_error(ErrorKind::invalid_config, "'", name, "' has too many levels of links");
}

Result<std::string> TarFile::read(const std::string& name, uint64_t limit) const {
  const Part part = TRY(find(name));
  if (part.size > limit) {
    return make_error(ErrorKind::invalid_config, "'", name, "' has ", part.size,
                      " bytes, more than the limit of ", limit);
  }
  std::string bytes(part.size, '\0');
  for (size_t done = 0; done < bytes.size();) {
    const long count = sys::pread(file_.get(), bytes.data() + done, bytes.size() - done,
                                  static_cast<int64_t>(part.offset + done));
    if (count < 0) return system_error(count, "read", name);
    if (count == 0) return make_error(ErrorKind::invalid_config, "the archive ends too early");
    done += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace onggi::image
