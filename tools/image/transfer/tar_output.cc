// SPDX-License-Identifier: Apache-2.0
// Header fields by POSIX pax(1), "ustar Interchange Format".
#include "transfer/tar_output.h"

#include "base/file.h"

#include <cstring>

namespace onggi::image {

namespace {

constexpr size_t kBlock = 512, kNameField = 100;
constexpr uint64_t kLargestOctal = 077777777777;
constexpr char kFile = '0', kExtended = 'x';

// `digits` of them, then a NUL.
void put_octal(char* to, size_t digits, uint64_t number) {
  to[digits] = 0;
  while (digits > 0) {
    to[--digits] = static_cast<char>('0' + (number & 7));
    number >>= 3;
  }
}

std::string header(std::string_view name, uint64_t size, char type) {
  char block[kBlock] = {};
  memcpy(block, name.data(), name.size() < kNameField ? name.size() : kNameField);
  put_octal(block + 100, 7, 0644);
  put_octal(block + 108, 7, 0);
  put_octal(block + 116, 7, 0);
  put_octal(block + 124, 11, size > kLargestOctal ? 0 : size);
  put_octal(block + 136, 11, 0);
  block[156] = type;
  memcpy(block + 257, "ustar\00000", 8);
  memset(block + 148, ' ', 8);
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put_octal(block + 148, 6, sum);
  return {static_cast<const char*>(block), sizeof block};
}

// "LENGTH KEY=VALUE\n", the length counting its own digits.
std::string record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) ++length;
  return (std::to_string(length) + " ").append(key).append("=").append(value).append("\n");
}

}  // namespace

Result<> TarOutput::write(std::string_view bytes) {
  written_ += bytes.size();
  return write_all(fd_, "archive", bytes);
}

Result<> TarOutput::pad() {
  const size_t over = written_ % kBlock;
  return over == 0 ? Result<>() : write(std::string(kBlock - over, '\0'));
}

Result<> TarOutput::begin(const std::string& name, uint64_t size) {
  TRY(pad());
  std::string records;
  if (name.size() > kNameField) records += record("path", name);
  if (size > kLargestOctal) records += record("size", std::to_string(size));
  if (!records.empty()) {
    TRY(write(header("pax", records.size(), kExtended)));
    TRY(write(records));
    TRY(pad());
  }
  return write(header(name, size, kFile));
}

Result<> TarOutput::add(const std::string& name, std::string_view bytes) {
  TRY(begin(name, bytes.size()));
  return write(bytes);
}

Result<> TarOutput::end() {
  TRY(pad());
  return write(std::string(2 * kBlock, '\0'));
}

}  // namespace onggi::image
