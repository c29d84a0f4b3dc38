// SPDX-License-Identifier: Apache-2.0
// The order of blocks in an archive: extension headers, the entry's own header, its data. Sources:
// pax(1) of POSIX, and the chapter "Tar Internals" of GNU tar's manual for the sparse forms.
#include "layer/tar.h"

#include "base/split.h"
#include "layer/tar_field.h"
#include "model/base64.h"

#include <algorithm>
#include <cstring>

namespace onggi::image {
namespace {

constexpr uint64_t kExtensionLimit = 1u << 20;  // as of Go's reader, which made most layers
constexpr uint64_t kXattrLimit = 64u << 10;     // XATTR_SIZE_MAX
constexpr size_t kExtentLimit = 1u << 20;       // CVE-2025-58183
constexpr size_t kXattrCount = 1000;            // the kernel lists 64 KiB of names
constexpr uint64_t kBlockSize = 512;

template <class... Parts>
Error damaged(const Parts&... parts) {
  return make_error(ErrorKind::invalid_config, "the tar is damaged: ", parts...);
}

struct Part {
  size_t offset, size;
};
constexpr Part kName = {0, 100}, kMode = {100, 8}, kUid = {108, 8}, kGid = {116, 8},
               kSize = {124, 12}, kTime = {136, 12}, kChecksum = {148, 8}, kLink = {157, 100},
               kMagic = {257, 8}, kMajor = {329, 8}, kMinor = {337, 8}, kPrefix = {345, 155},
               kSparseRealSize = {483, 12};
constexpr size_t kTypeAt = 156, kOldSparseAt = 386, kOldSparseMoreAt = 482, kSparseMoreAt = 504;

std::string_view part_of(const char (&block)[kBlockSize], Part part) {
  return {block + part.offset, part.size};
}
std::string text_of(const char (&block)[kBlockSize], Part part) {
  const std::string_view field = part_of(block, part);
  return std::string(field.substr(0, field.find('\0')));
}
Result<int64_t> number_of(const char (&block)[kBlockSize], Part part) {
  const std::optional<int64_t> number = parse_tar_number(part_of(block, part));
  if (!number) return damaged("a number in a header is invalid");
  return *number;
}
Result<uint64_t> size_of(const char (&block)[kBlockSize], Part part) {
  const int64_t number = TRY(number_of(block, part));
  if (number < 0) return damaged("a number in a header is negative");
  return static_cast<uint64_t>(number);
}

bool is_zero(const char (&block)[kBlockSize]) {
  return std::ranges::all_of(block, [](char c) { return c == 0; });
}

// The sum of all bytes, the checksum's own taken as blanks. Old programs summed them as signed.
Result<> check_sum(const char (&block)[kBlockSize]) {
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < kBlockSize; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    const char c = own ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  const std::optional<int64_t> sum = parse_tar_number(part_of(block, kChecksum));
  if (sum == plain || sum == with_sign) return {};
  return with_hint(make_error(ErrorKind::invalid_config, "a tar header has a wrong checksum"),
                   "the file is damaged, not a tar, or not compressed with gzip or zstd");
}

struct TypeRow {
  char flag;
  EntryType type;
  bool has_data;
};
// Sizes of entries without data are ignored: some programs give that of the link's target.
constexpr TypeRow kTypes[] = {
    {'0', EntryType::file, true},         {'\0', EntryType::file, true},
    {'7', EntryType::file, true},         {'S', EntryType::file, true},
    {'1', EntryType::hardlink, false},    {'2', EntryType::symlink, false},
    {'3', EntryType::char_device, false}, {'4', EntryType::block_device, false},
    {'5', EntryType::directory, false},   {'6', EntryType::fifo, false},
};

uint64_t padding_of(uint64_t size) {
  return (kBlockSize - size % kBlockSize) % kBlockSize;
}

}  // namespace

Result<bool> TarReader::read_block(Block& block) {
  size_t used = 0;
  while (used < kBlockSize) {
    const std::string_view bytes = TRY(source_.peek());
    if (bytes.empty() && used == 0) return false;
    if (bytes.empty()) return damaged("it ends within a block");
    const size_t count = std::min(bytes.size(), kBlockSize - used);
    std::memcpy(block + used, bytes.data(), count);
    source_.consume(count);
    used += count;
  }
  return true;
}

Result<> TarReader::need_block(Block& block) {
  if (!TRY(read_block(block))) return damaged("it is shorter than its headers say");
  return {};
}

Result<std::string> TarReader::read_text(uint64_t size) {
  if (size > kExtensionLimit) {
    return damaged("an extended header of ", size, " bytes, at most ", kExtensionLimit);
  }
  stored_ = size;
  padding_ = padding_of(size);
  std::string text;
  for (;;) {
    const std::string_view bytes = TRY(data());
    if (bytes.empty()) break;
    text += bytes;
  }
  TRY(skip_data());
  return text;
}

Result<std::string_view> TarReader::data() {
  if (stored_ == 0) return std::string_view();
  const std::string_view bytes = TRY(source_.peek());
  if (bytes.empty()) return damaged("it ends within a file");
  // Consumed at once: sources keep the bytes until they are asked for others.
  const size_t count = static_cast<size_t>(std::min<uint64_t>(bytes.size(), stored_));
  source_.consume(count);
  stored_ -= count;
  return bytes.substr(0, count);
}

Result<> TarReader::skip_data() {
  while (stored_ > 0) (void)TRY(data());
  // Behind the last file it may be missing, with the two blocks of zeros: umoci insert ends so.
  while (padding_ > 0) {
    const std::string_view bytes = TRY(source_.peek());
    if (bytes.empty()) break;
    const size_t count = static_cast<size_t>(std::min<uint64_t>(bytes.size(), padding_));
    source_.consume(count);
    padding_ -= count;
  }
  padding_ = 0;
  return {};
}

Result<bool> TarReader::next(TarEntry& to) {
  TRY(skip_data());
  local_ = global_;
  for (;;) {
    Block block;
    if (!TRY(read_block(block))) return false;
    if (is_zero(block)) {
      // Two of them are the end; an archive may also just stop after one.
      if (!TRY(read_block(block)) || is_zero(block)) return false;
      return damaged("one block of zeros between entries");
    }
    TRY(check_sum(block));
    const char type = block[kTypeAt];
    if (TRY(read_extension(block, type))) continue;
    TRY(read_entry(block, type, to));
    return true;
  }
}

Result<bool> TarReader::read_extension(const Block& block, char type) {
  if (type != 'x' && type != 'g' && type != 'L' && type != 'K') return false;
  const uint64_t size = TRY(size_of(block, kSize));
  std::string text = TRY(read_text(size));
  if (type == 'x' || type == 'g') {
    TRY(read_records(text, type == 'g' ? global_ : local_));
    if (type == 'g') local_ = global_;
    return true;
  }
  text.resize(std::min(text.find('\0'), text.size()));
  (type == 'L' ? local_.path : local_.link) = std::move(text);
  return true;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts all of it.
Result<> TarReader::read_records(std::string_view text, Extended& to) {
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    const std::optional<size_t> length = parse_decimal<size_t>(text.substr(0, blank));
    if (!length || *length > text.size() || *length < blank + 3 || text[*length - 1] != '\n') {
      return damaged("an extended header is malformed");
    }
    const std::string_view record = text.substr(blank + 1, *length - blank - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) return damaged("an extended header is malformed");
    TRY(read_record(record.substr(0, equals), record.substr(equals + 1), to));
    text.remove_prefix(*length);
  }
  return {};
}

namespace {

Result<> assign_text(std::string_view value, std::optional<std::string>& to) {
  if (value.find('\0') != std::string_view::npos) return damaged("a name contains NUL");
  if (value.empty()) {
    to.reset();
  } else {
    to = value;
  }
  return {};
}

Result<> assign_number(std::string_view value, std::optional<uint64_t>& to) {
  to.reset();
  if (value.empty()) return {};
  to = parse_decimal<uint64_t>(value);
  if (!to || *to > INT64_MAX) return damaged("'", value, "' is not a valid size or id");
  return {};
}

Result<> assign_time(std::string_view value, std::optional<Timestamp>& to) {
  to.reset();
  if (value.empty()) return {};
  to = parse_pax_time(value);
  if (!to) return damaged("'", value, "' is not a valid time");
  return {};
}

// "offset,size,offset,size": form 0.1.
Result<> read_map(std::string_view value, std::vector<Extent>& to) {
  to.clear();
  std::optional<uint64_t> offset;
  for (std::string_view part : split(value, ',')) {
    const std::optional<uint64_t> number = parse_decimal<uint64_t>(part);
    if (!number) return damaged("a map of a sparse file is malformed");
    if (!offset) {
      offset = number;
      continue;
    }
    to.push_back({*std::exchange(offset, std::nullopt), *number});
  }
  if (offset) return damaged("a map of a sparse file is malformed");
  return {};
}

Error too_many_parts() {
  return damaged("the map of a sparse file has too many parts");
}

Result<> add_xattr(std::string name, std::string value,
                   std::vector<std::pair<std::string, std::string>>& to) {
  if (name.find('\0') != std::string::npos) return damaged("a name contains NUL");
  if (value.size() > kXattrLimit) {
    return damaged("extended attribute ", name, " has ", value.size(), " bytes, at most ",
                   kXattrLimit);
  }
  const auto same = std::ranges::find(to, name, [](const auto& each) { return each.first; });
  if (same == to.end()) {
    if (to.size() >= kXattrCount) return damaged("more than ", kXattrCount, " extended attributes");
    to.emplace_back(std::move(name), std::move(value));
  } else {
    same->second = std::move(value);
  }
  return {};
}

}  // namespace

Result<> TarReader::read_record(std::string_view key, std::string_view value, Extended& to) {
  constexpr std::string_view kStarXattr = "SCHILY.xattr.", kBsdXattr = "LIBARCHIVE.xattr.";
  if (key == "path") return assign_text(value, to.path);
  if (key == "linkpath") return assign_text(value, to.link);
  if (key == "size") return assign_number(value, to.size);
  if (key == "uid") return assign_number(value, to.uid);
  if (key == "gid") return assign_number(value, to.gid);
  if (key == "mtime") return assign_time(value, to.mtime);
  if (key == "atime") return assign_time(value, to.atime);
  if (key.starts_with(kStarXattr)) {
    return add_xattr(std::string(key.substr(kStarXattr.size())), std::string(value), to.xattrs);
  }
  if (key.starts_with(kBsdXattr)) {
    // Its encoder leaves the padding out.
    std::string padded(value);
    padded.append((4 - value.size() % 4) % 4, '=');
    std::optional<std::string> bytes = decode_base64(padded);
    if (!bytes) return damaged("an extended attribute is not base64");
    return add_xattr(decode_percent(key.substr(kBsdXattr.size())), std::move(*bytes), to.xattrs);
  }
  if (!key.starts_with("GNU.sparse.")) return {};
  to.is_sparse = true;
  if (key == "GNU.sparse.name") return assign_text(value, to.sparse_name);
  if (key == "GNU.sparse.size" || key == "GNU.sparse.realsize")
    return assign_number(value, to.real_size);
  if (key == "GNU.sparse.map") return read_map(value, to.sparse);
  if (key == "GNU.sparse.major") to.map_in_data = value == "1";
  if (key == "GNU.sparse.offset") return assign_number(value, to.sparse_offset);
  if (key == "GNU.sparse.numbytes" && to.sparse_offset) {
    std::optional<uint64_t> size;
    TRY(assign_number(value, size));
    if (to.sparse.size() >= kExtentLimit) return too_many_parts();
    to.sparse.push_back({*to.sparse_offset, size.value_or(0)});
  }
  return {};
}

Result<> TarReader::read_entry(const Block& block, char type, TarEntry& to) {
  const auto row = std::ranges::find(kTypes, type, &TypeRow::flag);
  to = TarEntry();
  to.name = text_of(block, kName);
  // GNU's header has other fields in the place of the prefix.
  if (part_of(block, kMagic).starts_with(std::string_view("ustar\0", 6))) {
    const std::string prefix = text_of(block, kPrefix);
    if (!prefix.empty()) to.name = prefix + "/" + to.name;
  }
  if (local_.path) to.name = *local_.path;
  if (local_.sparse_name) to.name = *local_.sparse_name;
  if (row == std::end(kTypes)) {
    return make_error(ErrorKind::unsupported, to.name, ": tar entries of type '", type,
                      "' are not supported");
  }
  to.link = local_.link ? *local_.link : text_of(block, kLink);
  to.type = row->type;
  // V7 has no type for directories.
  if (to.type == EntryType::file && to.name.ends_with('/')) to.type = EntryType::directory;
  to.mode = static_cast<uint32_t>(TRY(size_of(block, kMode)) & 07777);
  to.uid = local_.uid ? *local_.uid : TRY(size_of(block, kUid));
  to.gid = local_.gid ? *local_.gid : TRY(size_of(block, kGid));
  if (to.type == EntryType::char_device || to.type == EntryType::block_device) {
    to.device_major = static_cast<uint32_t>(TRY(size_of(block, kMajor)));
    to.device_minor = static_cast<uint32_t>(TRY(size_of(block, kMinor)));
  }
  to.mtime = local_.mtime ? *local_.mtime : Timestamp{TRY(number_of(block, kTime)), 0};
  to.atime = local_.atime;
  to.xattrs = local_.xattrs;
  if (!row->has_data) return {};
  stored_ = local_.size ? *local_.size : TRY(size_of(block, kSize));
  padding_ = padding_of(stored_);
  to.size = stored_;
  if (type == 'S') {
    TRY(read_old_sparse(block, to));
  } else if (local_.is_sparse) {
    to.size = local_.real_size.value_or(stored_);
    to.extents = std::move(local_.sparse);
    if (local_.map_in_data) TRY(read_sparse_map(to));
  } else if (stored_ > 0) {
    to.extents = {{0, stored_}};
  }
  return check_extents(to);
}

// Four extents in the header, 21 in each block after it.
Result<> TarReader::read_old_sparse(const Block& block, TarEntry& to) {
  constexpr size_t kExtentSize = 24;
  to.size = TRY(size_of(block, kSparseRealSize));
  Block current;
  std::memcpy(current, block, sizeof current);
  size_t first = kOldSparseAt, count = 4;
  bool more = current[kOldSparseMoreAt] != 0;
  for (;;) {
    for (size_t at = first; at < first + count * kExtentSize; at += kExtentSize) {
      if (current[at] == 0) break;
      Extent extent;
      extent.offset = TRY(size_of(current, {at, 12}));
      extent.size = TRY(size_of(current, {at + 12, 12}));
      to.extents.push_back(extent);
    }
    if (!more) return {};
    if (to.extents.size() > kExtentLimit) break;
    TRY(need_block(current));
    first = 0;
    count = 21;
    more = current[kSparseMoreAt] != 0;
  }
  return too_many_parts();
}

// Form 1.0: decimal numbers, one a line, in whole blocks before the data: how many extents, then
// offset and size of each.
Result<> TarReader::read_sparse_map(TarEntry& to) {
  std::string digits;
  std::vector<uint64_t> numbers;
  to.extents.clear();
  for (uint64_t wanted = 1; numbers.size() < wanted;) {
    Block block;
    if (stored_ < kBlockSize) return damaged(to.name, ": the map of a sparse file is truncated");
    TRY(need_block(block));
    stored_ -= kBlockSize;
    for (char c : block) {
      if (numbers.size() >= wanted) break;
      if (c != '\n') {
        digits += c;
        continue;
      }
      const std::optional<uint64_t> number = parse_decimal<uint64_t>(digits);
      digits.clear();
      if (!number || (numbers.empty() && *number > kExtentLimit)) {
        return damaged(to.name, ": the map of a sparse file is malformed or too long");
      }
      if (numbers.empty()) wanted = 1 + 2 * *number;
      numbers.push_back(*number);
    }
  }
  for (size_t i = 1; i + 1 < numbers.size(); i += 2)
    to.extents.push_back({numbers[i], numbers[i + 1]});
  return {};
}

// In order, apart from one another, within the file, and as many bytes as there are. Those without
// bytes, by which GNU tar says that a file ends in a hole, are dropped: the size says the same.
Result<> TarReader::check_extents(TarEntry& entry) const {
  uint64_t end = 0, sum = 0;
  bool right = entry.size <= INT64_MAX && entry.extents.size() <= kExtentLimit;
  for (const Extent& extent : entry.extents) {
    right = right && extent.offset >= end && extent.offset <= entry.size &&
            extent.size <= entry.size - extent.offset;
    if (!right) break;
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  std::erase_if(entry.extents, [](const Extent& extent) { return extent.size == 0; });
  if (right && sum == stored_) return {};
  return damaged(entry.name, ": the parts of a sparse file do not match the file size");
}

}  // namespace onggi::image
