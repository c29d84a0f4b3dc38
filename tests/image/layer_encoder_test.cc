// SPDX-License-Identifier: Apache-2.0
// The bytes of layers that are made: tar and its compression.
#include "layer/encoder.h"
#include "layer/tar_writer.h"
#include "layer_fixture.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

namespace onggi::image::test {
namespace {

class TextSink final : public ByteSink {
 public:
  Result<> write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string text;
};

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_(text) {}
  Result<std::string_view> peek() override { return rest_; }
  void consume(size_t count) override { rest_.remove_prefix(count); }

 private:
  std::string_view rest_;
};

TarEntry entry_of(const std::string& name, EntryType type = EntryType::file) {
  TarEntry entry;
  entry.name = name;
  entry.type = type;
  entry.mode = 0644;
  return entry;
}

std::vector<TarEntry> odd_entries() {
  std::vector<TarEntry> entries = {entry_of("plain")};
  for (size_t size : {99u, 100u, 101u, 155u, 156u, 255u, 256u, 257u, 300u, 4000u}) {
    const std::string word(49, 'w');
    std::string name;
    while (name.size() < size) name += word + "/";
    name.resize(size, 'x');
    entries.push_back(entry_of(name.substr(0, size - 1) + "f"));
    entries.push_back(entry_of(std::string(size - 1, 'd') + "/", EntryType::directory));
    entries.push_back(entry_of("link", EntryType::symlink));
    entries.back().link = name;
  }
  entries.push_back(entry_of("\xff\xfe" + std::string(120, 'b')));
  for (Timestamp time : {Timestamp{-1, 0}, Timestamp{-6, 500'000'000}, Timestamp{-1, 999'999'999},
                         Timestamp{5, 1}, Timestamp{077777777777, 0}, Timestamp{0100000000000, 0},
                         Timestamp{INT64_MAX, 999'999'999}, Timestamp{INT64_MIN + 1, 0}}) {
    entries.push_back(entry_of("time"));
    entries.back().mtime = time;
  }
  entries.push_back(entry_of("ids"));
  entries.back().uid = 07777777;
  entries.back().gid = 010000000;
  entries.push_back(entry_of("device", EntryType::block_device));
  entries.back().device_major = 4095;
  entries.back().device_minor = 1'048'575;
  entries.push_back(entry_of("xattrs"));
  entries.back().xattrs = {{"user.b", std::string("\0=\n", 3)}, {"user.a", ""}};
  return entries;
}

std::string describe_entry(const TarEntry& entry) {
  std::string text =
      entry.name + "|" + entry.link + "|" + std::to_string(static_cast<int>(entry.type)) + "|" +
      std::to_string(entry.mode) + "|" + std::to_string(entry.uid) + ":" +
      std::to_string(entry.gid) + "|" + std::to_string(entry.mtime.seconds) + "." +
      std::to_string(entry.mtime.nanoseconds) + "|" + std::to_string(entry.device_major) + ":" +
      std::to_string(entry.device_minor) + "|" + std::to_string(entry.size);
  std::map<std::string, std::string> sorted(entry.xattrs.begin(), entry.xattrs.end());
  for (const auto& [name, value] : sorted) text.append("|").append(name).append("=").append(value);
  return text;
}

TEST_CASE("What is written is read back") {
  const std::vector<TarEntry> entries = odd_entries();
  TextSink sink;
  TarWriter writer(sink);
  for (const TarEntry& entry : entries) REQUIRE(writer.entry(entry));
  TarEntry last = entry_of("with-data");
  last.size = 1000;
  REQUIRE(writer.entry(last));
  REQUIRE(writer.data(std::string(400, 'x')));
  REQUIRE(writer.data(std::string(600, 'y')));
  REQUIRE(writer.finish());
  CHECK(sink.text.size() % 512 == 0);
  TextSource source(sink.text);
  TarReader reader(source);
  TarEntry read;
  for (const TarEntry& entry : entries) {
    REQUIRE(reader.next(read).value());
    CHECK(describe_entry(read) == describe_entry(entry));
  }
  REQUIRE(reader.next(read).value());
  CHECK(reader.data().value() == std::string(400, 'x') + std::string(600, 'y'));
  CHECK(!reader.next(read).value());
}

TEST_CASE("A plain entry takes one header, and its bytes stay what they are") {
  TextSink sink;
  TarWriter writer(sink);
  TarEntry entry = entry_of("usr/lib/" + std::string(120, 'x') + "/f");
  entry.uid = 5;
  entry.mtime.seconds = 1'000'000'000;
  REQUIRE(writer.entry(entry));
  CHECK(sink.text.size() == 512);
  // diffIDs of equal trees made by other versions must be equal.
  CHECK(digest_of(sink.text).hex() ==
        "43fcd3e7b743f9533e088af8fca3f86073caf31e9b4f7860a0d5a76d30dd6514");
}

TEST_CASE("What no tar can say is an error") {
  TextSink sink;
  TarWriter writer(sink);
  TarEntry entry = entry_of("d", EntryType::char_device);
  entry.device_minor = 010000000;
  const Result<> device = writer.entry(entry);
  REQUIRE(!device);
  CHECK(device.error().message.view() == "device 0:2097152 cannot be stored in a tar");
}

struct Encoded {
  LayerBlob blob;
  std::string bytes;
};

Encoded encode(std::string_view tar, Compression compression, size_t portion) {
  const UniqueFd memory(memfd_create("layer", MFD_CLOEXEC));
  LayerEncoder encoder(memory.get(), compression);
  while (!tar.empty()) {
    REQUIRE(encoder.write(tar.substr(0, portion)));
    tar.remove_prefix(std::min(portion, tar.size()));
  }
  Result<LayerBlob> blob = encoder.finish();
  REQUIRE(blob);
  std::string bytes(static_cast<size_t>(lseek(memory.get(), 0, SEEK_END)), '\0');
  REQUIRE(pread(memory.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return {std::move(blob).value(), std::move(bytes)};
}

std::string mixed(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525 + 1013904223;
    if (state % 3 == 0) bytes.append(state % 1000, 'a');
    bytes += static_cast<char>(state >> 24);
  }
  bytes.resize(size);
  return bytes;
}

TEST_CASE("A blob is the same in whatever portions the tar comes, and inflates to it") {
  for (size_t size : {0u, 1u, 256u << 10, (256u << 10) + 1, 3'000'000u}) {
    const std::string tar = mixed(size);
    for (Compression compression : {Compression::none, Compression::gzip, Compression::zstd}) {
      CAPTURE(size);
      const Encoded whole = encode(tar, compression, tar.size() + 1);
      CHECK(encode(tar, compression, 977).bytes == whole.bytes);
      CHECK(whole.blob.diff_id == digest_of(tar));
      CHECK(whole.blob.descriptor.digest == digest_of(whole.bytes));
      CHECK(whole.blob.descriptor.size == whole.bytes.size());
      if (compression != Compression::none) CHECK(diff_id_of(whole.bytes) == digest_of(tar));
    }
  }
}

TEST_CASE("A gzip blob tells nothing of the machine, and gzip reads it") {
  const std::string tar = mixed(1'000'000);
  const Encoded encoded = encode(tar, Compression::gzip, 1 << 20);
  CHECK(encoded.bytes.substr(0, 10) == std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  CHECK(encoded.blob.descriptor.media_type == "application/vnd.oci.image.layer.v1.tar+gzip");
  const Scratch scratch;
  const std::string blob = scratch.write("blob.gz", encoded.bytes);
  REQUIRE(system(("gzip -d " + blob).c_str()) == 0);
  std::ifstream in(scratch.path() + "/blob", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == tar);
}

}  // namespace
}  // namespace onggi::image::test
