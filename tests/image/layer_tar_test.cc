// SPDX-License-Identifier: Apache-2.0
// The reader of tar alone: forms of headers, and archives that lie.
#include "layer/tar.h"
#include "tar_builder.h"

#include <doctest/doctest.h>

namespace onggi::image::test {
namespace {

// A text in portions.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string_view text, size_t portion) : rest_(text), portion_(portion) {}
  Result<std::string_view> peek() override { return rest_.substr(0, portion_); }
  void consume(size_t count) override { rest_.remove_prefix(count); }

 private:
  std::string_view rest_;
  size_t portion_;
};

struct Read {
  std::vector<TarEntry> entries;
  std::vector<std::string> contents;
  std::string error;
};

Read read_tar(const std::string& bytes, size_t portion = 1 << 20) {
  TextSource source(bytes, portion);
  TarReader reader(source);
  Read read;
  const auto read_all = [&]() -> Result<> {
    TarEntry entry;
    for (;;) {
      const bool more = TRY(reader.next(entry));
      if (!more) return {};
      read.entries.push_back(entry);
      read.contents.emplace_back();
      for (;;) {
        const std::string_view part = TRY(reader.data());
        if (part.empty()) break;
        read.contents.back() += part;
      }
    }
  };
  const Result<> result = read_all();
  if (!result) read.error = result.error().message.view();
  return read;
}

std::string error_of(const std::string& bytes) {
  const Read read = read_tar(bytes);
  CHECK(read_tar(bytes, 100).error == read.error);
  return read.error;
}

TEST_CASE("Entries come out whole, in whatever portions the archive comes in") {
  const std::string long_name(300, 'n');
  const std::string bytes = tar({file("a", std::string(1000, 'x')), file(long_name, "y"),
                                 symlink("l", long_name), directory("d")});
  for (size_t portion : {1u, 7u, 511u, 512u, 513u, 1u << 20}) {
    const Read read = read_tar(bytes, portion);
    REQUIRE(read.error == "");
    REQUIRE(read.entries.size() == 4);
    CHECK(read.contents[0] == std::string(1000, 'x'));
    CHECK(read.entries[1].name == long_name);
    CHECK(read.contents[1] == "y");
    CHECK(read.entries[2].link == long_name);
    CHECK(read.entries[3].type == EntryType::directory);
  }
}

TEST_CASE("Names are long in three ways") {
  const std::string deep = std::string(90, 'p') + "/" + std::string(90, 'n');
  std::string ustar = tar_header(file(std::string(90, 'n')), 0);
  ustar.replace(345, 90, std::string(90, 'p'));
  const std::string gnu = extension('L', deep + std::string(1, '\0')) +
                          extension('K', "target" + std::string(1, '\0')) +
                          tar_header(symlink("short", "short"), 0);
  const Read read = read_tar(with_checksum(ustar) + gnu + tar({file(deep)}));
  REQUIRE(read.error == "");
  REQUIRE(read.entries.size() == 3);
  for (const TarEntry& entry : read.entries) CHECK(entry.name == deep);
  CHECK(read.entries[1].link == "target");
}

TEST_CASE("GNU's header has no prefix, V7's no magic and no directories") {
  std::string gnu = tar_header(file("name"), 0);
  gnu.replace(257, 8, std::string("ustar  \0", 8));
  gnu.replace(345, 11, "14500000000");
  std::string v7 = tar_header(file("d/"), 0);
  v7[156] = '\0';
  v7.replace(257, 8, std::string(8, '\0'));
  const Read read = read_tar(with_checksum(gnu) + with_checksum(v7) + tar_end());
  REQUIRE(read.error == "");
  CHECK(read.entries.at(0).name == "name");
  CHECK(read.entries.at(1).type == EntryType::directory);
}

TEST_CASE("A global header counts until an entry's own says otherwise") {
  const std::string bytes = extension('g', pax_record("uid", "7") + pax_record("mtime", "5")) +
                            tar_entry(file("a")) + tar_entry(with_pax(file("b"), {{"uid", "8"}})) +
                            tar({with_pax(file("c"), {{"uid", ""}})});
  const Read read = read_tar(bytes);
  REQUIRE(read.error == "");
  CHECK(read.entries.at(0).uid == 7);
  CHECK(read.entries.at(1).uid == 8);
  CHECK(read.entries.at(2).uid == 0);
  CHECK(read.entries.at(2).mtime.seconds == 5);
}

TEST_CASE("A size in a PAX record beats the header's") {
  const std::string bytes = extension('x', pax_record("size", "3")) + tar_header(file("f"), 999) +
                            padded("abc") + tar({file("g")});
  const Read read = read_tar(bytes);
  REQUIRE(read.error == "");
  CHECK(read.contents.at(0) == "abc");
  CHECK(read.entries.at(1).name == "g");
}

TEST_CASE("Sizes of entries without data are not believed") {
  const Read read = read_tar(tar_header(hardlink("l", "f"), 4096) + tar({file("g")}));
  REQUIRE(read.error == "");
  CHECK(read.entries.size() == 2);
}

TEST_CASE("An archive may end after one block of zeros or none, not within something") {
  const std::string entry = tar_entry(file("f", "abc"));
  CHECK(read_tar(entry).error == "");
  CHECK(read_tar(entry + std::string(512, '\0')).error == "");
  CHECK(read_tar(entry + tar_end() + "anything").entries.size() == 1);
  CHECK(error_of(entry + std::string(512, '\0') + entry) ==
        "the tar is damaged: one block of zeros between entries");
  for (size_t size : {size_t{1}, size_t{511}, size_t{513}, size_t{514}}) {
    CAPTURE(size);
    CHECK(error_of(entry.substr(0, size)).find("the tar is damaged: it ends within") == 0);
  }
  CHECK(error_of(extension('x', pax_record("path", "p")).substr(0, 515)) ==
        "the tar is damaged: it ends within a file");
}

TEST_CASE("The padding of the last file may be missing, as umoci insert leaves it out") {
  const std::string entry = tar_entry(file("f", "abc"));
  CHECK(read_tar(entry.substr(0, 515)).error == "");
  CHECK(read_tar(entry.substr(0, 515)).entries.size() == 1);
  CHECK(read_tar(entry.substr(0, 600)).error == "");
}

TEST_CASE("A header's checksum and numbers are checked") {
  std::string wrong = tar_header(file("f"), 0);
  wrong[0] = 'g';
  CHECK(error_of(wrong) == "a tar header has a wrong checksum");
  std::string number = tar_header(file("f"), 0);
  number[124] = '9';
  CHECK(error_of(with_checksum(number)) == "the tar is damaged: a number in a header is invalid");
  std::string negative = tar_header(file("f"), 0);
  negative.replace(124, 12, std::string(12, '\xff'));
  CHECK(error_of(with_checksum(negative)) ==
        "the tar is damaged: a number in a header is negative");
  std::string huge = tar_header(file("f"), 0);
  huge.replace(124, 12, "\x80" + std::string(11, '\x7f'));
  CHECK(error_of(with_checksum(huge)) == "the tar is damaged: a number in a header is invalid");
  Item unknown = file("f");
  unknown.type = 'Q';
  CHECK(error_of(tar({unknown})) == "f: tar entries of type 'Q' are not supported");
}

TEST_CASE("Malformed extended headers are errors") {
  const std::string entry = tar_entry(file("f"));
  for (const char* text : {"x", "6 a=\n", "99 path=x\n", "9 path=x", "0 path=x\n", "-1 a=b\n",
                           "8 pathx\n", " 9 path=x\n", "18446744073709551616 path=x\n", "3 \n"}) {
    CAPTURE(text);
    CHECK(error_of(extension('x', text) + entry).find("the tar is damaged: ") == 0);
  }
  CHECK(error_of(extension('x', pax_record("path", std::string("a\0b", 3))) + entry) ==
        "the tar is damaged: a name contains NUL");
  CHECK(error_of(extension('x', pax_record("mtime", "yesterday")) + entry) ==
        "the tar is damaged: 'yesterday' is not a valid time");
  CHECK(error_of(extension('x', pax_record("LIBARCHIVE.xattr.user.a", "!!")) + entry) ==
        "the tar is damaged: an extended attribute is not base64");
}

TEST_CASE("What a header announces is limited before memory is taken for it") {
  Item extended = file("x");
  extended.type = 'x';
  CHECK(error_of(tar_header(extended, 1 << 30)) ==
        "the tar is damaged: an extended header of 1073741824 bytes, at most 1048576");
  extended.type = 'L';
  CHECK(error_of(tar_header(extended, 1 << 30)).find("at most 1048576") != std::string::npos);
  const std::string large = pax_record("SCHILY.xattr.user.a", std::string((64 << 10) + 1, 'x'));
  CHECK(error_of(extension('x', large) + tar({file("f")})) ==
        "the tar is damaged: extended attribute user.a has 65537 bytes, at most 65536");
  std::string many;
  for (int i = 0; i < 2000; ++i) many += pax_record("SCHILY.xattr.user." + std::to_string(i), "x");
  CHECK(error_of(extension('x', many) + tar({file("f")})) ==
        "the tar is damaged: more than 1000 extended attributes");
}

std::string sparse(const std::string& map, const std::string& real_size, const std::string& data) {
  return tar({with_pax(file("f", padded(map) + data), {{"GNU.sparse.major", "1"},
                                                       {"GNU.sparse.minor", "0"},
                                                       {"GNU.sparse.name", "f"},
                                                       {"GNU.sparse.realsize", real_size}})});
}

TEST_CASE("Maps of sparse files that lie are errors at once") {
  CHECK(read_tar(sparse("1\n0\n3\n", "3", "abc")).error == "");
  CHECK(error_of(sparse("1000000000\n0\n3\n", "3", "abc")) ==
        "the tar is damaged: f: the map of a sparse file is malformed or too long");
  const char* wrong[] = {
      "2\n0\n2\n1\n1\n",                    // overlap
      "2\n5\n2\n0\n1\n",                    // order
      "1\n8\n3\n",                          // beyond the file
      "1\n0\n2\n",                          // less than there is
      "1\n18446744073709551615\n3\n",       // overflow
      "2\n0\n3\n0\n18446744073709551615\n"  // sum
  };
  for (const char* map : wrong) {
    CAPTURE(map);
    CHECK(error_of(sparse(map, "10", "abc")) ==
          "the tar is damaged: f: the parts of a sparse file do not match the file size");
  }
  CHECK(error_of(sparse("1\nx\n3\n", "3", "abc")).find("malformed") != std::string::npos);
  CHECK(error_of(sparse("9\n", "3", "")).find("truncated") != std::string::npos);
  CHECK(error_of(tar({with_pax(file("f"), {{"GNU.sparse.map", "0,1,2"}})})).find("malformed") !=
        std::string::npos);
  // Records of one form after the other, header after header, before any entry.
  std::string endless;
  const std::string pair =
      pax_record("GNU.sparse.offset", "0") + pax_record("GNU.sparse.numbytes", "0");
  std::string header;
  while (header.size() + pair.size() < (1 << 20)) header += pair;
  for (int i = 0; i < 60; ++i) endless += extension('x', header);
  CHECK(read_tar(endless).error ==
        "the tar is damaged: the map of a sparse file has too many parts");
}

}  // namespace
}  // namespace onggi::image::test
