// SPDX-License-Identifier: Apache-2.0
// See the header. Nothing here is shared with the code under test.
#include "tar_builder.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>

namespace onggi::image::test {
namespace {

constexpr size_t kBlock = 512;

void put(std::string& header, size_t at, const std::string& text) {
  header.replace(at, text.size(), text);
}

// Octal if it fits, else base-256.
void put_number(std::string& header, size_t at, size_t width, int64_t value) {
  char octal[32];
  const int digits = snprintf(octal, sizeof octal, "%0*llo", static_cast<int>(width - 1),
                              static_cast<unsigned long long>(value));
  if (value >= 0 && static_cast<size_t>(digits) < width) return put(header, at, octal);
  for (size_t i = 0; i < width; ++i) {
    header[at + width - 1 - i] = static_cast<char>(i < 8 ? value >> (8 * i) : value >> 63);
  }
  header[at] = static_cast<char>(header[at] | '\x80');
}

}  // namespace

Item file(std::string name, std::string data, unsigned mode) {
  Item item;
  item.name = std::move(name);
  item.data = std::move(data);
  item.mode = mode;
  return item;
}

Item directory(std::string name, unsigned mode) {
  Item item = file(std::move(name), "", mode);
  item.type = '5';
  return item;
}

Item symlink(std::string name, std::string target) {
  Item item = file(std::move(name), "", 0777);
  item.type = '2';
  item.link = std::move(target);
  return item;
}

Item hardlink(std::string name, std::string target) {
  Item item = file(std::move(name));
  item.type = '1';
  item.link = std::move(target);
  return item;
}

Item fifo(std::string name) {
  Item item = file(std::move(name));
  item.type = '6';
  return item;
}

Item device(std::string name, char type, unsigned major, unsigned minor) {
  Item item = file(std::move(name));
  item.type = type;
  item.major = major;
  item.minor = minor;
  return item;
}

Item with_pax(Item item, PaxRecords records) {
  item.pax.insert(item.pax.end(), records.begin(), records.end());
  return item;
}

Item with_xattr(Item item, const std::string& name, const std::string& value) {
  return with_pax(std::move(item), {{"SCHILY.xattr." + name, value}});
}

Item with_owner(Item item, uint64_t uid, uint64_t gid) {
  item.uid = uid;
  item.gid = gid;
  return item;
}

Item with_mtime(Item item, int64_t mtime) {
  item.mtime = mtime;
  return item;
}

std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  size_t length = rest.size() + 1;
  while (rest.size() + std::to_string(length).size() != length) ++length;
  return std::to_string(length) + rest;
}

std::string with_checksum(std::string header) {
  put(header, 148, "        ");
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  char text[8];
  snprintf(text, sizeof text, "%06o", sum & 0777777);
  put(header, 148, std::string(text, 7) + " ");
  return header;
}

std::string tar_header(const Item& item, uint64_t size) {
  std::string header(kBlock, '\0');
  put(header, 0, item.name.substr(0, 100));
  put_number(header, 100, 8, item.mode);
  put_number(header, 108, 8, static_cast<int64_t>(item.uid));
  put_number(header, 116, 8, static_cast<int64_t>(item.gid));
  put_number(header, 124, 12, static_cast<int64_t>(size));
  put_number(header, 136, 12, item.mtime);
  header[156] = item.type;
  put(header, 157, item.link.substr(0, 100));
  put(header, 257,
      std::string("ustar\0"
                  "00",
                  8));
  put_number(header, 329, 8, item.major);
  put_number(header, 337, 8, item.minor);
  return with_checksum(header);
}

std::string padded(std::string data) {
  data.resize((data.size() + kBlock - 1) / kBlock * kBlock);
  return data;
}

std::string extension(char type, const std::string& text) {
  Item item = file("extension");
  item.type = type;
  return tar_header(item, text.size()) + padded(text);
}

std::string tar_entry(const Item& item) {
  std::string records;
  if (item.name.size() > 100) records += pax_record("path", item.name);
  if (item.link.size() > 100) records += pax_record("linkpath", item.link);
  for (const auto& [key, value] : item.pax) records += pax_record(key, value);
  std::string bytes = records.empty() ? "" : extension('x', records);
  bytes += tar_header(item, item.data.size());
  return bytes + padded(item.data);
}

std::string tar(const std::vector<Item>& items) {
  std::string bytes;
  for (const Item& item : items) bytes += tar_entry(item);
  return bytes + tar_end();
}

std::string tar_end() {
  return std::string(2 * kBlock, '\0');
}

std::string gzip(std::string_view bytes) {
  std::string out(bytes.size() + bytes.size() / 8 + 1024, '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uint32_t>(bytes.size());
  stream.next_out = reinterpret_cast<uint8_t*>(out.data());
  stream.avail_out = static_cast<uint32_t>(out.size());
  if (isal_deflate_stateless(&stream) != COMP_OK) abort();
  out.resize(stream.total_out);
  return out;
}

std::string zstd(std::string_view bytes, int window_log) {
  std::string out(ZSTD_compressBound(bytes.size()) + 1024, '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  // In two parts: a frame whose size is known at its beginning has no larger window than that.
  ZSTD_outBuffer to = {out.data(), out.size(), 0};
  ZSTD_inBuffer from = {bytes.data(), bytes.size() / 2, 0};
  if (ZSTD_compressStream2(context, &to, &from, ZSTD_e_flush) != 0) abort();
  from.size = bytes.size();
  if (ZSTD_compressStream2(context, &to, &from, ZSTD_e_end) != 0) abort();
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

}  // namespace onggi::image::test
