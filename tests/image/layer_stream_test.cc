// SPDX-License-Identifier: Apache-2.0
// From a blob to tar bytes: compressors, digests, limits.
#include "base/file.h"
#include "layer_fixture.h"

#include <bzlib.h>
#include <lzma.h>
#include <sys/mman.h>
#include <unistd.h>

namespace onggi::image::test {
namespace {

using doctest::skip;

// In portions of `portion` bytes.
Result<std::string> decode(std::string_view blob, size_t portion) {
  std::unique_ptr<Decoder> decoder = make_decoder(blob);
  std::string bytes;
  while (!blob.empty()) {
    std::string_view input = blob.substr(0, portion);
    blob.remove_prefix(input.size());
    for (;;) {
      const std::string_view part = TRY(decoder->decode(input));
      if (part.empty()) break;
      bytes += part;
    }
    CHECK(input.empty());
  }
  TRY(decoder->finish());
  return bytes;
}

std::string message_of(const std::string& blob, size_t portion = 1 << 20) {
  const Result<std::string> decoded = decode(blob, portion);
  REQUIRE(!decoded);
  return std::string(decoded.error().message.view());
}

std::string noise(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

std::string xz(const std::string& text) {
  std::string blob(lzma_stream_buffer_bound(text.size()), '\0');
  size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(
              6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const uint8_t*>(text.data()),
              text.size(), reinterpret_cast<uint8_t*>(blob.data()), &size, blob.size()) == LZMA_OK);
  return blob.substr(0, size);
}

std::string bzip2(std::string text) {
  std::string blob(text.size() * 2 + 600, '\0');
  auto size = static_cast<unsigned>(blob.size());
  REQUIRE(BZ2_bzBuffToBuffCompress(blob.data(), &size, text.data(),
                                   static_cast<unsigned>(text.size()), 9, 0, 0) == BZ_OK);
  return blob.substr(0, size);
}

const std::string kSkippable("\x50\x2a\x4d\x18\x05\x00\x00\x00table", 13);

TEST_CASE("Compressed bytes come out whole, in whatever portions they come in") {
  const std::string text = noise(3000) + std::string(2000, 'x') + noise(100);
  const std::string blobs[] = {text,
                               gzip(text),
                               zstd(text),
                               gzip(text.substr(0, 1000)) + gzip(text.substr(1000)),
                               gzip("") + gzip(text) + gzip(""),
                               zstd(text.substr(0, 1000)) + zstd(text.substr(1000)),
                               kSkippable + zstd(text) + kSkippable,
                               xz(text),
                               xz(text.substr(0, 1000)) + xz("") + xz(text.substr(1000)),
                               bzip2(text),
                               bzip2(text.substr(0, 1000)) + bzip2("") + bzip2(text.substr(1000)),
                               bzip2("") + bzip2(text),
                               gzip(text) + std::string(512, '\0')};
  for (const std::string& blob : blobs) {
    for (size_t portion : {1u, 2u, 3u, 7u, 64u, 1000u, 1u << 20}) {
      CAPTURE(portion);
      Result<std::string> decoded = decode(blob, portion);
      REQUIRE(decoded);
      CHECK(*decoded == text);
    }
  }
}

TEST_CASE("Data of xz or bzip2 that is cut, changed or greedy is refused") {
  for (const std::string& whole : {xz(noise(5000)), bzip2(noise(5000))}) {
    for (size_t size = kDecidingBytes; size < whole.size(); size += 100)
      CHECK(message_of(whole.substr(0, size), 7) == "the compressed data ends too early");
    std::string changed = whole;
    changed[whole.size() / 2] ^= 1;
    CHECK(message_of(changed).ends_with("data is damaged"));
    CHECK(message_of(whole + "garbage garbage garbage").ends_with("data is damaged"));
  }
  // A dictionary of 4 GiB (.xz file format, 5.3.1), and the block header's checksum that fits it.
  std::string greedy = xz(std::string(5000, 'x'));
  const size_t header = 12, size = static_cast<size_t>(greedy[header]) * 4;
  greedy[greedy.find("\x21\x01", header) + 2] = 40;
  const uint32_t sum = lzma_crc32(reinterpret_cast<const uint8_t*>(&greedy[header]), size, 0);
  memcpy(&greedy[header + size], &sum, sizeof(sum));
  CHECK(message_of(greedy) == "the xz data needs more than 256 MiB of memory to decompress");
}

// The header that `gzip` writes, replaced by one with every optional field of RFC 1952.
std::string with_every_field(const std::string& blob) {
  std::string header = blob.substr(0, 10), extra = std::string(300, 'e');
  header[3] = '\x1f';
  return header + std::string("\x2c\x01", 2) + extra + "layer.tar" + '\0' + "a comment" + '\0' +
         "cc" + blob.substr(10);
}

TEST_CASE("A gzip header may have every optional field, cut anywhere") {
  const std::string text = noise(300), blob = with_every_field(gzip(text)), two = blob + blob;
  for (size_t portion = 1; portion <= blob.size(); ++portion) {
    CAPTURE(portion);
    Result<std::string> decoded = decode(two, portion);
    REQUIRE(decoded);
    CHECK(*decoded == text + text);
  }
  for (size_t size = 4; size < blob.size(); ++size) {
    CAPTURE(size);
    CHECK(message_of(blob.substr(0, size), 7) == "the compressed data ends too early");
  }
  for (const auto& [at, byte] : {std::pair{2, '\x07'}, {3, '\x20'}, {3, '\x80'}}) {
    std::string damaged = blob;
    damaged[static_cast<size_t>(at)] = byte;
    CAPTURE(at);
    CHECK(message_of(damaged) == "the gzip data is damaged");
  }
}

TEST_CASE("Output that just fills the buffer is whole") {
  for (size_t size : {(256u << 10) - 1, 256u << 10, (256u << 10) + 1, 512u << 10}) {
    for (const std::string& text : {std::string(size, '\0'), noise(size)}) {
      for (const std::string& blob : {gzip(text), zstd(text)}) {
        Result<std::string> decoded = decode(blob, blob.size());
        REQUIRE(decoded);
        CHECK(*decoded == text);
      }
    }
  }
}

TEST_CASE("What is cut off is an error, at whichever byte") {
  const std::string text = noise(300);
  for (const std::string& blob : {gzip(text), zstd(text), gzip("a") + gzip(text)}) {
    for (size_t size = 4; size < blob.size(); ++size) {
      CAPTURE(size);
      const std::string part = blob.substr(0, size);
      if (part == gzip("a")) continue;
      CHECK(!decode(part, 1 << 20));
      CHECK(!decode(part, 1));
    }
  }
  CHECK(message_of(gzip(text).substr(0, 200)) == "the compressed data ends too early");
}

TEST_CASE("Damaged data and bytes after the end are errors") {
  const std::string text = noise(300), blob = gzip(text);
  for (size_t at : {size_t{40}, blob.size() - 5, blob.size() - 1}) {
    std::string damaged = blob;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CAPTURE(at);
    CHECK(contains(message_of(damaged), "damaged"));
  }
  CHECK(message_of(blob + "x") == "there are bytes after the end of the gzip data");
  CHECK(message_of(blob + std::string(512, '\0') + blob) ==
        "there are bytes after the end of the gzip data");
  CHECK(contains(message_of(zstd(text) + "xxxx"), "the zstd data is damaged"));
}

TEST_CASE("A zstd frame may have a window of 128 MiB and no more") {
  const std::string text = noise(1000);
  CHECK(decode(zstd(text, 27), 1 << 20));
  CHECK(contains(message_of(zstd(text, 28)), "Frame requires too much memory"));
}

// ── the checks of a layer ──

struct Claims {
  std::string digest_of_what, diff_id_of_what;
  int64_t size_difference = 0;
};

std::string apply_with(const std::string& blob, const Claims& claims) {
  const Scratch scratch;
  const UniqueFd memory(memfd_create("blob", MFD_CLOEXEC));
  REQUIRE(write_all(memory.get(), "blob", blob));
  REQUIRE(lseek(memory.get(), 0, SEEK_SET) == 0);
  Descriptor descriptor;
  descriptor.digest = digest_of(claims.digest_of_what);
  descriptor.size =
      static_cast<uint64_t>(static_cast<int64_t>(blob.size()) + claims.size_difference);
  LayerStream stream(UniqueFd(dup(memory.get())), descriptor, digest_of(claims.diff_id_of_what),
                     {});
  const Result<> finished = stream.finish();
  return finished ? "" : std::string(finished.error().message.view());
}

TEST_CASE("A layer's size, digest and diffID are checked, over all its bytes") {
  const std::string archive = tar({file("f", "x")}), blob = gzip(archive);
  CHECK(apply_with(blob, {blob, archive}).empty());
  CHECK(contains(apply_with(blob, {blob, archive, -1}), "longer than the"));
  CHECK(contains(apply_with(blob, {blob, archive, 1}), "but its descriptor says"));
  CHECK(contains(apply_with(blob, {archive, archive}), "the content has a different digest"));
  CHECK(contains(apply_with(blob, {blob, blob}), "the tar's digest is"));
  // What stands behind the end of the tar belongs to both digests.
  const std::string longer = archive + std::string(4096, '\0') + "tail";
  CHECK(apply_with(gzip(longer), {gzip(longer), longer}).empty());
  CHECK(contains(apply_with(gzip(longer), {gzip(longer), archive}), "the tar's digest is"));
  CHECK(
      apply_with(blob + std::string(100, '\0'), {blob + std::string(100, '\0'), archive}).empty());
}

TEST_CASE("A layer may be compressed by anything known, or not at all, or be empty" *
          skip(lacks_root())) {
  const std::string archive = tar({file("f", "content")});
  for (const std::string& blob : {archive, gzip(archive), zstd(archive)})
    CHECK(tree_of({blob}).at("f").content == "content");
  CHECK(paths_of(tree_of({tar({}), "", gzip(tar_end())})).empty());
  CHECK(contains(error_of({tar({}), "\xfd" + std::string("7zXZ") + std::string(600, 'x')}),
                 "wrong checksum (the file is damaged, not a tar, or not compressed with"));
}

// ── bombs ──

TEST_CASE("A layer that inflates too much is stopped at the limit" * skip(lacks_root())) {
  LayerLimits limits;
  limits.bytes = 1 << 20;
  const std::string bomb = zstd(tar({file("f", std::string(4 << 20, '\0'))}));
  CHECK(contains(error_of({tar({}), bomb}, {.limits = limits}), "more than 1048576 bytes"));
  limits = {};
  limits.ratio_from = 1 << 20;
  CHECK(contains(error_of({tar({}), bomb}, {.limits = limits}),
                 "inflates to more than 200 times its size"));
  limits = {};
  limits.entries = 3;
  CHECK(contains(
      error_of({tar({}), tar({file("a"), file("b"), file("c"), file("d")})}, {.limits = limits}),
      "'d': more than 3 entries"));
  CHECK(contains(
      error_of({tar({}), tar({with_pax(file("hole"), {{"GNU.sparse.size", "999999999999999"},
                                                      {"GNU.sparse.map", ""}})})}),
      "'hole': more than 68719476736 bytes of files"));
}

}  // namespace
}  // namespace onggi::image::test
