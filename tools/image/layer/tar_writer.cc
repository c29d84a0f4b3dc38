// SPDX-License-Identifier: Apache-2.0
// See the header. Sources: ustar and pax(1) of POSIX; SCHILY.xattr is star's, which all readers of
// layers know.
#include "layer/tar_writer.h"

#include "base/utf8.h"

#include <algorithm>
#include <cstring>

namespace onggi::image {
namespace {

constexpr size_t kBlockSize = 512, kNameSize = 100, kPrefixSize = 155;
constexpr std::string_view kMagic(
    "ustar\0"
    "00",
    8);
constexpr uint64_t kLargestId = 07777777, kLargestNumber = 077777777777;

struct TypeFlag {
  EntryType type;
  char flag;
};
constexpr TypeFlag kFlags[] = {
    {EntryType::file, '0'},        {EntryType::hardlink, '1'},     {EntryType::symlink, '2'},
    {EntryType::char_device, '3'}, {EntryType::block_device, '4'}, {EntryType::directory, '5'},
    {EntryType::fifo, '6'},
};

// In octal, with the NUL that old readers want at the end.
void put_octal(char* field, size_t width, uint64_t value) {
  field[width - 1] = '\0';
  for (size_t i = width - 1; i-- > 0; value /= 8) field[i] = static_cast<char>('0' + value % 8);
}

void put_text(char* field, std::string_view text) {
  std::ranges::copy(text, field);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// The length counts its own digits.
void add_record(std::string& records, std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;  // blank, "=" and newline
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) ++length;
  records.append(std::to_string(length)).append(" ").append(key).append("=").append(value) += '\n';
}

std::string time_text(Timestamp time) {
  // Seconds are rounded down, the fraction of a negative number goes the other way.
  const bool negative = time.seconds < 0 && time.nanoseconds > 0;
  const int64_t seconds = negative ? time.seconds + 1 : time.seconds;
  const uint32_t nanoseconds = negative ? 1'000'000'000 - time.nanoseconds : time.nanoseconds;
  std::string text = (negative && seconds == 0 ? "-" : "") + std::to_string(seconds);
  if (nanoseconds == 0) return text;
  const std::string digits = std::to_string(nanoseconds);
  text.append(".").append(9 - digits.size(), '0').append(digits);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

// Where a name is divided into the header's two fields; nothing: it does not fit.
std::optional<size_t> split_point(std::string_view name) {
  if (name.size() <= kNameSize) return 0;
  // The last character may be the slash of a directory, which belongs to the name.
  for (size_t slash = name.find('/'); slash < name.size() - 1; slash = name.find('/', slash + 1)) {
    if (slash > kPrefixSize) break;
    if (slash > 0 && name.size() - slash - 1 <= kNameSize) return slash;
  }
  return std::nullopt;
}

bool has_data(const TarEntry& entry) {
  return entry.type == EntryType::file;
}

Result<std::string> extended(const TarEntry& entry, bool long_name) {
  const bool long_link = entry.link.size() > kNameSize;
  std::string records;
  // Without it, the records are UTF-8 (pax(1)).
  if ((long_name && !is_utf8(entry.name)) || (long_link && !is_utf8(entry.link)))
    add_record(records, "hdrcharset", "BINARY");
  if (long_name) add_record(records, "path", entry.name);
  if (long_link) add_record(records, "linkpath", entry.link);
  if (has_data(entry) && entry.size > kLargestNumber)
    add_record(records, "size", std::to_string(entry.size));
  if (entry.uid > kLargestId) add_record(records, "uid", std::to_string(entry.uid));
  if (entry.gid > kLargestId) add_record(records, "gid", std::to_string(entry.gid));
  const Timestamp time = entry.mtime;
  if (time.nanoseconds != 0 || time.seconds < 0 ||
      static_cast<uint64_t>(time.seconds) > kLargestNumber)
    add_record(records, "mtime", time_text(time));
  std::vector<std::pair<std::string, std::string>> xattrs = entry.xattrs;
  std::ranges::sort(xattrs);
  for (const auto& [name, value] : xattrs) {
    if (name.find('=') != std::string::npos) {
      return make_error(ErrorKind::unsupported, "extended attribute '", name,
                        "' cannot be stored in a tar: its name contains '='");
    }
    add_record(records, "SCHILY.xattr." + name, value);
  }
  return records;
}

}  // namespace

Result<> TarWriter::header(const TarEntry& entry, char type, std::string_view prefix,
                           std::string_view name) {
  char block[kBlockSize] = {};
  const auto fits = [](uint64_t value, uint64_t largest) { return value > largest ? 0 : value; };
  put_text(block, name.substr(0, kNameSize));
  put_octal(block + 100, 8, entry.mode);
  put_octal(block + 108, 8, fits(entry.uid, kLargestId));
  put_octal(block + 116, 8, fits(entry.gid, kLargestId));
  put_octal(block + 124, 12, has_data(entry) ? fits(entry.size, kLargestNumber) : 0);
  put_octal(block + 136, 12, fits(static_cast<uint64_t>(entry.mtime.seconds), kLargestNumber));
  block[156] = type;
  if (entry.link.size() <= kNameSize) put_text(block + 157, entry.link);
  put_text(block + 257, kMagic);
  put_octal(block + 329, 8, entry.device_major);
  put_octal(block + 337, 8, entry.device_minor);
  put_text(block + 345, prefix);
  // The sum of all bytes, its own taken as blanks.
  std::memset(block + 148, ' ', 8);
  uint64_t sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block + 148, 7, sum);
  return sink_.write({block, sizeof block});
}

Result<> TarWriter::records(const std::string& text) {
  TarEntry entry;
  entry.mode = 0644;
  entry.size = text.size();
  TRY(header(entry, 'x', {}, "././@PaxHeader"));
  missing_ = text.size();
  padding_ = (kBlockSize - text.size() % kBlockSize) % kBlockSize;
  TRY(data(text));
  return end_data();
}

Result<> TarWriter::entry(const TarEntry& entry) {
  TRY(end_data());
  constexpr uint64_t kLargestDevice = kLargestId;
  if (entry.device_major > kLargestDevice || entry.device_minor > kLargestDevice) {
    return make_error(ErrorKind::unsupported, "device ", entry.device_major, ":",
                      entry.device_minor, " cannot be stored in a tar");
  }
  const std::optional<size_t> split = split_point(entry.name);
  const std::string text = TRY(extended(entry, !split));
  if (!text.empty()) TRY(records(text));
  const std::string_view name = entry.name;
  const size_t at = split.value_or(0);
  const char flag = std::ranges::find(kFlags, entry.type, &TypeFlag::type)->flag;
  TRY(header(entry, flag, name.substr(0, at), at == 0 ? name : name.substr(at + 1)));
  if (!has_data(entry)) return {};
  missing_ = entry.size;
  padding_ = (kBlockSize - entry.size % kBlockSize) % kBlockSize;
  return {};
}

Result<> TarWriter::data(std::string_view bytes) {
  if (bytes.size() > missing_) return make_error(ErrorKind::internal, "too much data for an entry");
  missing_ -= bytes.size();
  return sink_.write(bytes);
}

Result<> TarWriter::end_data() {
  if (missing_ > 0) return make_error(ErrorKind::internal, "too little data for an entry");
  const char zeros[kBlockSize] = {};
  const size_t count = std::exchange(padding_, 0);
  if (count == 0) return {};
  return sink_.write({zeros, count});
}

Result<> TarWriter::finish() {
  TRY(end_data());
  const char zeros[2 * kBlockSize] = {};
  return sink_.write({zeros, sizeof zeros});
}

}  // namespace onggi::image
