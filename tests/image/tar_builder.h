// SPDX-License-Identifier: Apache-2.0
// Tars byte by byte, right ones and damaged ones, for tests of what reads layers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::image::test {

using PaxRecords = std::vector<std::pair<std::string, std::string>>;

// One entry; what a test does not name is what most layers have.
struct Item {
  std::string name;
  char type = '0';
  std::string data, link;
  unsigned mode = 0644;
  uint64_t uid = 0, gid = 0;
  int64_t mtime = 1'000'000'000;
  unsigned major = 0, minor = 0;
  PaxRecords pax = {};
};

Item file(std::string name, std::string data = "", unsigned mode = 0644);
Item directory(std::string name, unsigned mode = 0755);
Item symlink(std::string name, std::string target);
Item hardlink(std::string name, std::string target);
Item fifo(std::string name);
Item device(std::string name, char type, unsigned major, unsigned minor);
Item with_pax(Item item, PaxRecords records);
Item with_xattr(Item item, const std::string& name, const std::string& value);
Item with_owner(Item item, uint64_t uid, uint64_t gid);
Item with_mtime(Item item, int64_t mtime);

// "LENGTH KEY=VALUE\n"
std::string pax_record(const std::string& key, const std::string& value);
// A ustar header with the right checksum; `size` is what it says, whatever follows.
std::string tar_header(const Item& item, uint64_t size);
// The same after a change of its bytes.
std::string with_checksum(std::string header);
// With NULs to whole blocks.
std::string padded(std::string data);
// A header of `type` (x, g, L, K) and its text.
std::string extension(char type, const std::string& text);
// Extension, header and data, and nothing behind them.
std::string tar_entry(const Item& item);
// A whole archive.
std::string tar(const std::vector<Item>& items);
// The two blocks at the end.
std::string tar_end();

std::string gzip(std::string_view bytes);
std::string zstd(std::string_view bytes, int window_log = 0);

}  // namespace onggi::image::test
